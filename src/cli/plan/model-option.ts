/** A model as a person names it: a built-in shape, or the path of a Hugging Face config.json. */
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { UserError } from '../../core/errors.ts';
import { findModel } from '../../simulating/model/catalog.ts';
import { shapeFromConfig } from '../../simulating/model/huggingface.ts';
import type { TransformerShape } from '../../simulating/model/shape.ts';

/** @throws {UserError} when there is no such model or file, or the file is no config.json. */
export async function modelNamed(name: string): Promise<TransformerShape> {
  if (!name.endsWith('.json')) return findModel(name);
  let text: string;
  try {
    text = await readFile(name, 'utf8');
  } catch (cause) {
    throw new UserError(`model: cannot read ${name}.`, { cause });
  }
  text = await withQuantisation(name, text);
  const folder = basename(dirname(name));
  return shapeFromConfig(folder && folder !== '.' ? folder : basename(name, '.json'), text);
}

/** NVIDIA's checkpoints keep their number format in a file of its own beside config.json. */
async function withQuantisation(path: string, text: string): Promise<string> {
  let quantisation: unknown;
  try {
    quantisation = JSON.parse(await readFile(join(dirname(path), 'hf_quant_config.json'), 'utf8'));
  } catch {
    return text;
  }
  const { quantization } = quantisation as { quantization?: { exclude_modules?: unknown } };
  try {
    const config = JSON.parse(text) as Record<string, unknown>;
    return config.quantization_config || !quantization
      ? text
      : JSON.stringify({ ...config, quantization_config: quantization });
  } catch {
    return text;
  }
}

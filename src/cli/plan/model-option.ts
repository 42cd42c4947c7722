/** A model as a person names it: a built-in shape, or the path of a Hugging Face config.json or of its folder. */
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { UserError } from '../../core/errors.ts';
import { findModel } from '../../simulating/model/catalog.ts';
import { shapeFromConfig } from '../../simulating/model/huggingface.ts';
import type { TransformerShape } from '../../simulating/model/shape.ts';

const CONFIG = 'config.json';

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isDirectory() ?? false;
}

/** @throws {UserError} when there is no such model or file, or the file is no config.json. */
export async function modelNamed(name: string): Promise<TransformerShape> {
  const path = (await isFolder(name)) ? join(name, CONFIG) : name;
  if (!path.endsWith('.json')) return findModel(name);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new UserError(`model: cannot read ${path}.`, { cause });
  }
  const own = basename(path) === CONFIG ? basename(dirname(resolve(path))) : basename(path, '.json');
  return shapeFromConfig(own, await withQuantisation(path, text));
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

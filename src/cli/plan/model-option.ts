/** A model as a person names it: a built-in shape, or the path of a Hugging Face config.json. */
import { readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
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
  const folder = basename(dirname(name));
  return shapeFromConfig(folder && folder !== '.' ? folder : basename(name, '.json'), text);
}

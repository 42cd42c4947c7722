/** Loads a router model from its file. */
import { readFile } from 'node:fs/promises';
import { describeError, UserError } from '../../core/errors.ts';
import { shipped } from '../../core/shipped.ts';
import { readRouterModel } from './artefact.ts';
import type { RouterModel } from './router-model.ts';

/** The model that ships with the package. */
export const DEFAULT_MODEL = shipped('models/default.router.safetensors');

/** @throws UserError when the file cannot be read or is not a router model */
export async function loadModelFile(file: string): Promise<RouterModel> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (error) {
    throw new UserError(`Cannot read the router model ${file}: ${describeError(error)}`, { cause: error });
  }
  try {
    return readRouterModel(bytes);
  } catch (error) {
    throw new UserError(`${file}: ${describeError(error)}`, { cause: error });
  }
}

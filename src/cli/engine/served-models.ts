/** Resolves the models named to `expert-router engine`: Hugging Face repositories or folders on this machine. */
import { existsSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { UserError } from '../../core/errors.ts';
import { findModel } from '../../simulating/model/catalog.ts';
import type { TransformerShape } from '../../simulating/model/shape.ts';
import { modelNamed } from '../plan/model-option.ts';
import { UsageError } from '../usage-error.ts';

export interface NamedModel {
  /** A Hugging Face repository, or an absolute path. */
  readonly source: string;
  readonly local: boolean;
  readonly shape: TransformerShape;
}

const REPOSITORY = /^[\w.-]+\/[\w.-]+$/;

/** @throws {UserError} when it is neither, or its shape is unknown */
export async function namedModel(name: string): Promise<NamedModel> {
  const path = resolve(name);
  if (existsSync(path) && statSync(path).isDirectory()) return localModel(path);
  if (!REPOSITORY.test(name))
    throw new UsageError(
      `--model: "${name}" is neither a Hugging Face repository, such as meta-llama/Llama-2-13b-chat-hf, nor a folder ` +
        'on this machine.',
    );
  return { source: name, local: false, shape: shapeOf(name) };
}

async function localModel(path: string): Promise<NamedModel> {
  if (path.includes(':'))
    throw new UserError(
      `--model: the path ${path} has a colon, which Docker cannot mount; rename the folder.`,
    );
  return { source: path, local: true, shape: await modelNamed(join(path, 'config.json')) };
}

function shapeOf(repository: string): TransformerShape {
  try {
    return findModel(repository);
  } catch (cause) {
    if (!(cause instanceof UserError)) throw cause;
    throw new UserError(
      `--model: the sizes of ${repository} are not built in. Download it (hf download ${repository} --local-dir ` +
        `./${basename(repository)}) and name the folder: --model ./${basename(repository)}.`,
      { cause },
    );
  }
}

/**
 * Folder names for models: the repository's last part and the format, so that each format has its own folder. A number
 * distinguishes repositories with the same last part.
 */
export function folderNames(sources: readonly string[], suffix: string): readonly string[] {
  const taken = new Set<string>();
  return sources.map((source) => {
    const plain = `${basename(source).replace(/[^\w.-]/g, '-')}-${suffix}`;
    let name = plain;
    for (let n = 2; taken.has(name.toLowerCase()); n++) name = `${plain}-${n}`;
    taken.add(name.toLowerCase());
    return name;
  });
}

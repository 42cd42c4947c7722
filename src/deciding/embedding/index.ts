/** The table of embeddings: one line each. */
import { UserError } from '../../core/errors.ts';
import { blended } from './blended/index.ts';
import { distilled } from './distilled/index.ts';
import type { AnyEmbedding, EmbeddingKind, Sections } from './embedding.ts';
import { lexical } from './lexical/index.ts';

export const EMBEDDINGS: Readonly<Record<string, EmbeddingKind>> = {
  lexical,
  distilled,
  blended,
};

export const DEFAULT_EMBEDDING = 'lexical';

/** Reads the embedding with this id from a file's sections. @throws UserError when it is unknown, missing or damaged */
export function readEmbedding(id: string, sections: Sections): AnyEmbedding {
  const kind = Object.hasOwn(EMBEDDINGS, id) ? EMBEDDINGS[id] : undefined;
  if (!kind) {
    const known = Object.keys(EMBEDDINGS).join(', ');
    throw new UserError(
      `it needs the embedding '${id}', but this program only has ${known}: update expert-router`,
    );
  }
  for (const section of kind.sections ?? [id]) {
    if (!Object.hasOwn(sections, section))
      throw new UserError(`it is damaged: its section '${section}' is missing`);
  }
  return kind.read(sections);
}

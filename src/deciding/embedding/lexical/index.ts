/**
 * Hashed words and n-grams, weighed by tf-idf and projected by a truncated SVD; docs/router-model.md has the recipe.
 */
import type { EmbeddingKind } from '../embedding.ts';
import { readLexical } from './section.ts';

export const lexical: EmbeddingKind = {
  read: readLexical,
  // Loaded on demand: a gateway never learns.
  learn: async (from) => (await import('./learn/learn.ts')).learnLexical(from),
};

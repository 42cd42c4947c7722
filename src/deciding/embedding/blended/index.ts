/**
 * Two embeddings side by side: meanings from the distilled one, and what the user's own prompts taught the lexical one.
 * Both vectors at equal length; cosines and squared distances are then the means of the parts'.
 */

import type { RoutableText } from '../../text/routable.ts';
import { distilled } from '../distilled/index.ts';
import type { Embedded, Embedding, EmbeddingKind, Sections, WordShare } from '../embedding.ts';
import { lexical } from '../lexical/index.ts';

export const blended: EmbeddingKind = {
  sections: ['distilled', 'lexical'],
  read: (sections) => new BlendedEmbedding(parts(sections)),
  learn: async (from) => {
    const base = await distilled.learn(from);
    const own = await lexical.learn(from);
    return {
      embedding: new BlendedEmbedding([base.embedding as Embedding, own.embedding as Embedding]),
      facts: { ...base.facts, ...own.facts },
    };
  },
};

function parts(sections: Sections): readonly [Embedding, Embedding] {
  return [distilled.read(sections) as Embedding, lexical.read(sections) as Embedding];
}

class BlendedEmbedding implements Embedding {
  readonly id = 'blended';
  readonly dimensions: number;
  readonly #parts: readonly [Embedding, Embedding];

  constructor(two: readonly [Embedding, Embedding]) {
    this.#parts = two;
    this.dimensions = two[0].dimensions + two[1].dimensions;
  }

  sections(): Sections {
    return { ...this.#parts[0].sections(), ...this.#parts[1].sections() };
  }

  embed(text: RoutableText): Embedded {
    const [one, two] = [this.#parts[0].embed(text), this.#parts[1].embed(text)];
    return {
      vector: joined(one.vector, two.vector),
      own: joined(one.own ?? one.vector, two.own ?? two.vector),
      familiarity: Math.max(one.familiarity, two.familiarity),
      ...(one.words === undefined ? {} : { words: one.words }),
    };
  }

  explain(text: RoutableText, direction: Float64Array): readonly WordShare[] {
    const [one, two] = this.#parts;
    const [first, second] = [one.embed(text).vector, two.embed(text).vector];
    const known = Math.sqrt(Number(!isZero(first)) + Number(!isZero(second)));
    const shares = new Map<string, number>();
    for (const [part, from, to] of [
      [one, 0, one.dimensions],
      [two, one.dimensions, this.dimensions],
    ] as const) {
      for (const { word, share } of part.explain?.(text, direction.slice(from, to)) ?? [])
        shares.set(word, (shares.get(word) ?? 0) + share / known);
    }
    return Array.from(shares, ([word, share]) => ({ word, share }));
  }
}

/** Unit length, or zeros if neither part knows anything. */
function joined(one: Float32Array, two: Float32Array): Float32Array {
  const known = Math.sqrt(Number(!isZero(one)) + Number(!isZero(two)));
  const vector = new Float32Array(one.length + two.length);
  if (known === 0) return vector;
  for (let j = 0; j < one.length; j += 1) vector[j] = one[j]! / known;
  for (let j = 0; j < two.length; j += 1) vector[one.length + j] = two[j]! / known;
  return vector;
}

function isZero(vector: Float32Array): boolean {
  return vector.every((value) => value === 0);
}

/** Which words of a text favoured the chosen cluster over the runner-up, and which the other way round. */
import type { RoutableText } from '../text/routable.ts';
import { type Classification, twoNearest } from './classify.ts';
import type { RouterModel } from './router-model.ts';

export interface WordWeight {
  readonly word: string;
  /**
   * Share of the lead (difference of squared distances) over the runner-up; negative when it favoured the runner-up.
   */
  readonly weight: number;
}

export interface Explanation {
  /** Largest weight first. */
  readonly for: readonly WordWeight[];
  /** Most negative first. */
  readonly against: readonly WordWeight[];
  /**
   * Share of the lead that comes from the centroids' lengths rather than from words. All words' weights and this add up
   * to 1.
   */
  readonly constant: number;
}

/**
 * At most `limit` words for and as many against. No words if there is no lead to explain or the embedding cannot trace
 * its vectors back to words.
 */
export function explain(
  model: RouterModel,
  text: RoutableText,
  { distances }: Pick<Classification, 'distances'>,
  limit = 8,
): Explanation {
  const nothing: Explanation = { for: [], against: [], constant: 1 };
  const { cluster, runnerUp, nearest, second } = twoNearest(distances);
  const lead = second * second - nearest * nearest;
  if (cluster === runnerUp || !Number.isFinite(second) || lead <= 0) return nothing;
  // |v − b|² − |v − a|² = 2 v·(a − b) + |b|² − |a|²: the words carry the first part.
  const shares = model.embedding.explain?.(text, directionBetween(model, cluster, runnerUp)) ?? [];
  if (shares.length === 0) return nothing;
  const all = shares.map(({ word, share }) => ({ word, weight: (2 * share) / lead }));
  all.sort((a, b) => b.weight - a.weight || (a.word < b.word ? -1 : 1));
  return {
    for: all.filter((one) => one.weight > 0).slice(0, limit),
    against: all
      .filter((one) => one.weight < 0)
      .reverse()
      .slice(0, limit),
    constant: (model.squaredNorms[runnerUp]! - model.squaredNorms[cluster]!) / lead,
  };
}

function directionBetween({ centroids, dimensions }: RouterModel, a: number, b: number): Float64Array {
  return Float64Array.from(
    { length: dimensions },
    (_, j) => centroids[a * dimensions + j]! - centroids[b * dimensions + j]!,
  );
}

/** Which words of a text favoured the nearest cluster over another, and which the other way round. */
import type { RoutableText } from '../text/routable.ts';
import { type Classification, twoNearest } from './classify.ts';
import type { RouterModel } from './router-model.ts';

export interface WordWeight {
  readonly word: string;
  /**
   * Share of the lead (difference of squared distances) over the other cluster; negative when it favoured that one.
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
 * @param isRival whether a cluster may be the one that the nearest is compared with, the next nearest of those; any other
 *   cluster when absent, or where none is a rival
 */
export function explain(
  model: RouterModel,
  text: RoutableText,
  { distances }: Pick<Classification, 'distances'>,
  limit = 8,
  isRival: (cluster: number) => boolean = () => false,
): Explanation {
  const nothing: Explanation = { for: [], against: [], constant: 1 };
  const { cluster, runnerUp: next, nearest } = twoNearest(distances);
  const rival = nearestOf(distances, isRival);
  const runnerUp = rival === null || rival === cluster ? next : rival;
  const second = distances[runnerUp]!;
  const lead = second * second - nearest * nearest;
  if (cluster === runnerUp || !Number.isFinite(second) || lead <= 0) return nothing;
  // |v − b|² − |v − a|² = 2 v·(a − b) + |b|² − |a|²: the words carry the first part.
  const words = wordsAlong(model, text, directionBetween(model, cluster, runnerUp), lead / 2, limit);
  if (words === null) return nothing;
  return { ...words, constant: (model.squaredNorms[runnerUp]! - model.squaredNorms[cluster]!) / lead };
}

/**
 * The words that move the text's vector along a direction, and those that move it the other way, each with its share of the
 * lead. Null where there are none to tell.
 * @param direction one number for each of the vector
 */
export function wordsAlong(
  model: RouterModel,
  text: RoutableText,
  direction: Float64Array,
  lead: number,
  limit: number,
): Pick<Explanation, 'for' | 'against'> | null {
  const shares = model.embedding.explain?.(text, direction) ?? [];
  if (shares.length === 0) return null;
  const all = shares.map(({ word, share }) => ({ word, weight: share / lead }));
  all.sort((a, b) => b.weight - a.weight || (a.word < b.word ? -1 : 1));
  const against = all.filter((one) => one.weight < 0).reverse();
  return { for: all.filter((one) => one.weight > 0).slice(0, limit), against: against.slice(0, limit) };
}

function nearestOf(distances: Float32Array, among: (cluster: number) => boolean): number | null {
  let best: number | null = null;
  distances.forEach((distance, cluster) => {
    if (among(cluster) && (best === null || distance < distances[best]!)) best = cluster;
  });
  return best;
}

function directionBetween({ centroids, dimensions }: RouterModel, a: number, b: number): Float64Array {
  return Float64Array.from(
    { length: dimensions },
    (_, j) => centroids[a * dimensions + j]! - centroids[b * dimensions + j]!,
  );
}

/** Which expert serves which cluster, and how near each expert is to a classified prompt. */

import type { Learned } from './learned.ts';

/** The part of a classification that routing needs. */
export interface Classified {
  readonly cluster: number;
  /** Distance to every centroid, length k. */
  readonly distances: Float32Array;
  readonly outside: boolean;
  /** Unit vector of the prompt with its context; absent where only the cluster is known, as in simulations. */
  readonly vector?: Float32Array;
}

export interface Territory {
  readonly experts: readonly string[];
  /** Cluster → index into `experts`; length k. */
  readonly owners: readonly number[];
  /** Index of the expert for prompts outside everything known, or null when there is none. */
  readonly fallback: number | null;
  /** What scores say of these experts; absent or null where nothing was learned. */
  readonly learned?: Learned | null;
}

/**
 * Temperature of affinities over squared distances; c-BTM (arXiv 2303.14177, section 2.4) finds 0.1 best for
 * weighing its experts.
 */
const TEMPERATURE = 0.1;

/** Distance of each expert: that of its nearest cluster; Infinity for an expert without clusters. Length: experts. */
export function expertDistances({ experts, owners }: Territory, distances: Float32Array): Float64Array {
  const nearest = new Float64Array(experts.length).fill(Number.POSITIVE_INFINITY);
  for (let cluster = 0; cluster < owners.length; cluster++) {
    const expert = owners[cluster]!;
    const distance = distances[cluster]!;
    if (distance < nearest[expert]!) nearest[expert] = distance;
  }
  return nearest;
}

/**
 * exp(−(d² − d²min) / T) for each expert: 1 for the nearest, towards 0 with distance (c-BTM's p(D | x) without
 * its normalisation, so that adding an expert leaves the others' values unchanged).
 */
export function affinities(nearest: Float64Array): Float64Array {
  let best = Number.POSITIVE_INFINITY;
  for (const distance of nearest) if (distance < best) best = distance;
  const values = new Float64Array(nearest.length);
  if (best === Number.POSITIVE_INFINITY) return values;
  for (let expert = 0; expert < values.length; expert++) {
    const distance = nearest[expert]!;
    values[expert] = Math.exp(-(distance * distance - best * best) / TEMPERATURE);
  }
  return values;
}

/** The inverse: the distance of an expert with this affinity when the nearest is at distance `nearest`. */
export function distanceOf(affinity: number, nearest: number): number {
  return Math.sqrt(nearest ** 2 - TEMPERATURE * Math.log(affinity));
}

/** Which expert serves which cluster, and how near each expert is to a classified prompt. */

/** The part of a classification that choosing needs. */
export interface Classified {
  readonly cluster: number;
  /** Distance to every centroid, length k. */
  readonly distances: Float32Array;
  readonly outside: boolean;
}

export interface Territory {
  readonly experts: readonly string[];
  /** Cluster → index into `experts`; length k. */
  readonly owners: readonly number[];
  /** Index of the expert for prompts outside everything known, or null when there is none. */
  readonly fallback: number | null;
}

/**
 * Temperature of affinities over squared distances; c-BTM (arXiv 2303.14177, section 2.4) finds 0.1 best for
 * weighing its experts.
 */
const TEMPERATURE = 0.1;

/** Distance of each expert: that of its nearest cluster; Infinity for an expert without clusters. Length: experts. */
export function expertDistances(territory: Territory, distances: Float32Array): Float64Array {
  const nearest = new Float64Array(territory.experts.length).fill(Number.POSITIVE_INFINITY);
  territory.owners.forEach((expert, cluster) => {
    nearest[expert] = Math.min(nearest[expert]!, distances[cluster]!);
  });
  return nearest;
}

/**
 * exp(−(d² − d²min) / T) for each expert: 1 for the nearest, towards 0 with distance (c-BTM's p(D | x) without
 * its normalisation, so that adding an expert changes nobody else's value).
 */
export function affinities(nearest: Float64Array): Float64Array {
  const best = Math.min(...nearest);
  if (!Number.isFinite(best)) return new Float64Array(nearest.length);
  return nearest.map((distance) => Math.exp(-(distance ** 2 - best ** 2) / TEMPERATURE));
}

/** Which cluster a prompt belongs to, and how well every expert suits it. */
import { UserError } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';

/** Share of the prompts that belong to each cluster; sums to 1. */
export type ClusterShares = readonly number[];

/**
 * Shares falling as 1 / rank^skew (Zipf): 0 is balanced, 1 gives the first of eight clusters 37 %.
 * @throws {UserError} for a negative skew
 */
export function zipfShares(clusters: number, skew: number): ClusterShares {
  if (!(skew >= 0)) throw new UserError(`clusters.skew: must not be negative, is ${skew}.`);
  return normalised(Array.from({ length: clusters }, (_, i) => (i + 1) ** -skew));
}

/** @throws {UserError} for shares that are negative or all zero. */
export function normalised(weights: readonly number[]): ClusterShares {
  const sum = weights.reduce((a, b) => a + b, 0);
  if (!(sum > 0) || weights.some((w) => !(w >= 0)))
    throw new UserError('clusters.shares: must be numbers of 0 or more, not all 0.');
  return weights.map((w) => w / sum);
}

export function drawCluster(shares: ClusterShares, random: Random): number {
  let left = random.next();
  for (let i = 0; i < shares.length; i++) {
    left -= shares[i]!;
    if (left < 0) return i;
  }
  return shares.length - 1;
}

/**
 * Affinity of every expert for a prompt of `cluster`: 1 for the cluster's own expert; the others follow in a fixed
 * order of nearness around the ring of clusters, from 0.8 downwards. A stand-in for distances of real embeddings.
 */
export function ringAffinities(cluster: number, experts: number): readonly number[] {
  return Array.from({ length: experts }, (_, expert) => {
    const steps = Math.abs(expert - (cluster % experts));
    const distance = Math.min(steps, experts - steps);
    return distance === 0 ? 1 : 0.8 ** distance;
  });
}

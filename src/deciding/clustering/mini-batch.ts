/**
 * k-means over more points than fit in memory: each batch moves the centroids towards its points, by its share of all
 * points seen so far (Sculley, WWW 2010).
 */
import { NearestCentroid } from './nearest.ts';
import type { Points } from './points.ts';

/** What one batch contributes to every centroid. */
export interface BatchSums {
  /** k × dimensions: the sum of the points nearest to each centroid. */
  readonly sums: Float64Array;
  readonly sizes: Uint32Array;
  /** Sum of squared distances to the centroids the batch was measured against. */
  readonly inertia: number;
}

export function measureBatch(points: Points, centroids: Float32Array): BatchSums {
  const { values, count, dimensions } = points;
  const clusters = centroids.length / dimensions;
  const sums = new Float64Array(centroids.length);
  const sizes = new Uint32Array(clusters);
  const nearest = new NearestCentroid(centroids, dimensions);
  let inertia = 0;
  for (let point = 0; point < count; point += 1) {
    const at = point * dimensions;
    nearest.find(values, at);
    inertia += nearest.first;
    sizes[nearest.cluster]! += 1;
    const to = nearest.cluster * dimensions;
    for (let j = 0; j < dimensions; j += 1) sums[to + j]! += values[at + j]!;
  }
  return { sums, sizes, inertia };
}

/** Moves the centroids in place; `weights` counts the points each centroid has seen so far and grows with them. */
export function applyBatch(centroids: Float32Array, weights: Float64Array, { sums, sizes }: BatchSums): void {
  const dimensions = centroids.length / weights.length;
  for (let cluster = 0; cluster < weights.length; cluster += 1) {
    const size = sizes[cluster]!;
    if (size === 0) continue;
    weights[cluster]! += size;
    for (let at = cluster * dimensions; at < (cluster + 1) * dimensions; at += 1) {
      centroids[at]! += (sums[at]! - size * centroids[at]!) / weights[cluster]!;
    }
  }
}

/** Distances between points and centroids. */
import { NearestCentroid } from './nearest.ts';
import type { Points } from './points.ts';

/** Between the vector that starts at `atA` in a and the one at `atB` in b. */
export function squaredDistance(
  a: Float32Array,
  atA: number,
  b: Float32Array,
  atB: number,
  dimensions: number,
): number {
  // Four independent sums, which the processor runs in parallel.
  let p = 0;
  let q = 0;
  let r = 0;
  let s = 0;
  let j = 0;
  for (; j + 4 <= dimensions; j += 4) {
    const first = a[atA + j]! - b[atB + j]!;
    const second = a[atA + j + 1]! - b[atB + j + 1]!;
    const third = a[atA + j + 2]! - b[atB + j + 2]!;
    const fourth = a[atA + j + 3]! - b[atB + j + 3]!;
    p += first * first;
    q += second * second;
    r += third * third;
    s += fourth * fourth;
  }
  for (; j < dimensions; j += 1) p += (a[atA + j]! - b[atB + j]!) ** 2;
  return p + q + r + s;
}

/** The centroid nearest to one vector; for many use `NearestCentroid`. */
export function nearestTo(vector: Float32Array, centroids: Float32Array): number {
  const dimensions = vector.length;
  let cluster = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let one = 0; one * dimensions < centroids.length; one += 1) {
    const distance = squaredDistance(vector, 0, centroids, one * dimensions, dimensions);
    if (distance >= least) continue;
    least = distance;
    cluster = one;
  }
  return cluster;
}

/** The nearest centroid of every point. */
export function labelsOf({ values, count, dimensions }: Points, centroids: Float32Array): Uint32Array {
  const nearest = new NearestCentroid(centroids, dimensions);
  return Uint32Array.from({ length: count }, (_, point) => {
    nearest.find(values, point * dimensions);
    return nearest.cluster;
  });
}

/** Mean squared distance of the points to their nearest centroids. */
export function meanSquaredDistance({ values, count, dimensions }: Points, centroids: Float32Array): number {
  const nearest = new NearestCentroid(centroids, dimensions);
  let sum = 0;
  for (let point = 0; point < count; point += 1) {
    nearest.find(values, point * dimensions);
    sum += nearest.first;
  }
  return count === 0 ? 0 : sum / count;
}

/** Half the distance of every centroid to its nearest neighbour; Infinity with a single centroid. */
export function halfGaps(centroids: Float32Array, dimensions: number): Float64Array {
  const clusters = centroids.length / dimensions;
  const half = new Float64Array(clusters).fill(Number.POSITIVE_INFINITY);
  for (let i = 0; i < clusters; i += 1) {
    for (let j = i + 1; j < clusters; j += 1) {
      const gap =
        Math.sqrt(squaredDistance(centroids, i * dimensions, centroids, j * dimensions, dimensions)) / 2;
      half[i] = Math.min(half[i]!, gap);
      half[j] = Math.min(half[j]!, gap);
    }
  }
  return half;
}

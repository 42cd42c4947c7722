/** The nearest and the second nearest centroid of a point: the innermost loop of training. */
import type { Points } from './points.ts';

/** The search's result, reused for every point to avoid allocation. */
export interface Nearest {
  cluster: number;
  /** Squared distances; `second` is Infinity with a single centroid. */
  first: number;
  second: number;
}

/**
 * Searches the centroids (k × dimensions) for the point that starts at `at` in `values`. Four centroids at a time, so
 * that the four sums run in parallel.
 */
export function findNearest(
  values: Float32Array,
  at: number,
  centroids: Float32Array,
  dimensions: number,
  nearest: Nearest,
): void {
  const clusters = centroids.length / dimensions;
  nearest.first = Number.POSITIVE_INFINITY;
  nearest.second = Number.POSITIVE_INFINITY;
  nearest.cluster = 0;
  let cluster = 0;
  for (; cluster + 4 <= clusters; cluster += 4) {
    const a = cluster * dimensions;
    const b = a + dimensions;
    const c = b + dimensions;
    const d = c + dimensions;
    let sumA = 0;
    let sumB = 0;
    let sumC = 0;
    let sumD = 0;
    for (let j = 0; j < dimensions; j += 1) {
      const value = values[at + j]!;
      const toA = value - centroids[a + j]!;
      const toB = value - centroids[b + j]!;
      const toC = value - centroids[c + j]!;
      const toD = value - centroids[d + j]!;
      sumA += toA * toA;
      sumB += toB * toB;
      sumC += toC * toC;
      sumD += toD * toD;
    }
    take(nearest, cluster, sumA);
    take(nearest, cluster + 1, sumB);
    take(nearest, cluster + 2, sumC);
    take(nearest, cluster + 3, sumD);
  }
  for (; cluster < clusters; cluster += 1) {
    take(nearest, cluster, squaredDistance(values, at, centroids, cluster * dimensions, dimensions));
  }
}

function take(nearest: Nearest, cluster: number, distance: number): void {
  if (distance < nearest.first) {
    nearest.second = nearest.first;
    nearest.first = distance;
    nearest.cluster = cluster;
  } else if (distance < nearest.second) nearest.second = distance;
}

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

/** The nearest centroid of every point. */
export function labelsOf({ values, count, dimensions }: Points, centroids: Float32Array): Uint32Array {
  const nearest: Nearest = { cluster: 0, first: 0, second: 0 };
  return Uint32Array.from({ length: count }, (_, point) => {
    findNearest(values, point * dimensions, centroids, dimensions, nearest);
    return nearest.cluster;
  });
}

/** Mean squared distance of the points to their nearest centroids. */
export function meanSquaredDistance({ values, count, dimensions }: Points, centroids: Float32Array): number {
  const nearest: Nearest = { cluster: 0, first: 0, second: 0 };
  let sum = 0;
  for (let point = 0; point < count; point += 1) {
    findNearest(values, point * dimensions, centroids, dimensions, nearest);
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

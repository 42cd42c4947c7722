/**
 * Clusters of equal size: a cluster's price rises while too many points choose it, as in the auction of c-BTM (arXiv
 * 2303.14177, section 2.2).
 */
import { squaredDistance } from './distances.ts';
import type { Clustering, Points } from './points.ts';

const ROUNDS = 60;
const FIRST_STEP = 0.5;

/** Lloyd's algorithm with balanced assignment; the centroids are moved in place. */
export function balancedKMeans(points: Points, centroids: Float32Array, iterations: number): Clustering {
  const { dimensions, count, values } = points;
  const clusters = centroids.length / dimensions;
  let labels = new Uint32Array(count);
  for (let iteration = 0; iteration < iterations; iteration += 1) {
    labels = balancedLabels(points, centroids);
    const sums = new Float64Array(centroids.length);
    const sizes = new Uint32Array(clusters);
    for (let point = 0; point < count; point += 1) {
      sizes[labels[point]!]! += 1;
      const to = labels[point]! * dimensions;
      for (let j = 0; j < dimensions; j += 1) sums[to + j]! += values[point * dimensions + j]!;
    }
    for (let at = 0; at < centroids.length; at += 1) {
      const size = sizes[Math.floor(at / dimensions)]!;
      if (size > 0) centroids[at] = sums[at]! / size;
    }
  }
  return { centroids, labels, inertia: inertiaOf(points, centroids, labels), iterations };
}

/** Labels with at most ⌈n/k⌉ points per cluster, close to the cheapest such assignment. */
export function balancedLabels(points: Points, centroids: Float32Array): Uint32Array<ArrayBuffer> {
  const costs = costMatrix(points, centroids);
  const clusters = centroids.length / points.dimensions;
  const capacity = Math.ceil(points.count / clusters);
  const prices = new Float64Array(clusters);
  const labels = new Uint32Array(points.count);
  for (let round = 0; round < ROUNDS; round += 1) {
    const sizes = assignByPrice(costs, prices, labels);
    if (Math.max(...sizes) <= capacity) return labels;
    const step = FIRST_STEP / (1 + round / 4);
    for (let cluster = 0; cluster < clusters; cluster += 1) {
      prices[cluster]! += step * Math.max(-0.5, Math.min(0.5, sizes[cluster]! / capacity - 1));
    }
  }
  repair(costs, prices, labels, capacity);
  return labels;
}

function costMatrix({ values, count, dimensions }: Points, centroids: Float32Array): Float32Array {
  const clusters = centroids.length / dimensions;
  const costs = new Float32Array(count * clusters);
  for (let point = 0; point < count; point += 1) {
    for (let cluster = 0; cluster < clusters; cluster += 1) {
      const cost = squaredDistance(values, point * dimensions, centroids, cluster * dimensions, dimensions);
      costs[point * clusters + cluster] = cost;
    }
  }
  return costs;
}

function assignByPrice(costs: Float32Array, prices: Float64Array, labels: Uint32Array): Uint32Array {
  const clusters = prices.length;
  const sizes = new Uint32Array(clusters);
  for (let point = 0; point < labels.length; point += 1) {
    let best = 0;
    let least = Number.POSITIVE_INFINITY;
    for (let cluster = 0; cluster < clusters; cluster += 1) {
      const cost = costs[point * clusters + cluster]! + prices[cluster]!;
      if (cost < least) {
        least = cost;
        best = cluster;
      }
    }
    labels[point] = best;
    sizes[best]! += 1;
  }
  return sizes;
}

/** Moves points out of clusters that are still too full, cheapest moves first. */
function repair(costs: Float32Array, prices: Float64Array, labels: Uint32Array, capacity: number): void {
  const clusters = prices.length;
  const sizes = new Uint32Array(clusters);
  for (const label of labels) sizes[label]! += 1;
  for (let full = 0; full < clusters; full += 1) {
    if (sizes[full]! <= capacity) continue;
    for (const { point, to } of movesOutOf(full, costs, labels, clusters)) {
      if (sizes[full]! <= capacity) break;
      if (labels[point] !== full || sizes[to]! >= capacity) continue;
      labels[point] = to;
      sizes[full]! -= 1;
      sizes[to]! += 1;
    }
  }
}

interface Move {
  readonly point: number;
  readonly to: number;
  readonly loss: number;
}

function movesOutOf(
  full: number,
  costs: Float32Array,
  labels: Uint32Array,
  clusters: number,
): readonly Move[] {
  const moves: Move[] = [];
  labels.forEach((label, point) => {
    if (label !== full) return;
    const own = costs[point * clusters + full]!;
    for (let to = 0; to < clusters; to += 1)
      moves.push({ point, to, loss: costs[point * clusters + to]! - own });
  });
  return moves.sort((a, b) => a.loss - b.loss || a.point - b.point || a.to - b.to);
}

function inertiaOf({ values, dimensions }: Points, centroids: Float32Array, labels: Uint32Array): number {
  let sum = 0;
  labels.forEach((label, point) => {
    sum += squaredDistance(values, point * dimensions, centroids, label * dimensions, dimensions);
  });
  return sum;
}

/**
 * How good a clustering is: against labels (mutual information, purity), against another clustering (adjusted Rand
 * index) and by itself (silhouette).
 */
import { NearestCentroid } from './nearest.ts';
import type { Points } from './points.ts';

interface Table {
  readonly cells: Map<number, number>;
  readonly rows: Map<number, number>;
  readonly columns: Map<number, number>;
  readonly total: number;
}

const STRIDE = 1 << 20;

function contingency(a: ArrayLike<number>, b: ArrayLike<number>): Table {
  const cells = new Map<number, number>();
  const rows = new Map<number, number>();
  const columns = new Map<number, number>();
  const add = (map: Map<number, number>, key: number): void => {
    map.set(key, (map.get(key) ?? 0) + 1);
  };
  for (let index = 0; index < a.length; index += 1) {
    add(cells, a[index]! * STRIDE + b[index]!);
    add(rows, a[index]!);
    add(columns, b[index]!);
  }
  return { cells, rows, columns, total: a.length };
}

function entropy(counts: Map<number, number>, total: number): number {
  let sum = 0;
  for (const count of counts.values()) sum -= (count / total) * Math.log(count / total);
  return sum;
}

/** Mutual information over the mean of both entropies, as scikit-learn's normalized_mutual_info_score: 0..1. */
export function normalisedMutualInformation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const { cells, rows, columns, total } = contingency(a, b);
  let information = 0;
  for (const [key, count] of cells) {
    const row = rows.get(Math.floor(key / STRIDE))!;
    const column = columns.get(key % STRIDE)!;
    information += (count / total) * Math.log((count * total) / (row * column));
  }
  const mean = (entropy(rows, total) + entropy(columns, total)) / 2;
  return mean === 0 ? 1 : Math.max(0, information / mean);
}

/** Share of points that carry the most frequent label of their cluster: 0..1. */
export function purity(clusters: ArrayLike<number>, labels: ArrayLike<number>): number {
  const { cells, total } = contingency(clusters, labels);
  const best = new Map<number, number>();
  for (const [key, count] of cells) {
    const cluster = Math.floor(key / STRIDE);
    best.set(cluster, Math.max(best.get(cluster) ?? 0, count));
  }
  return total === 0 ? 1 : [...best.values()].reduce((sum, count) => sum + count, 0) / total;
}

/** Agreement of two clusterings beyond chance, 1 for equal ones (Hubert & Arabie 1985). */
export function adjustedRandIndex(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const { cells, rows, columns, total } = contingency(a, b);
  const pairs = (counts: Map<number, number>): number =>
    [...counts.values()].reduce((sum, count) => sum + (count * (count - 1)) / 2, 0);
  const [both, left, right] = [pairs(cells), pairs(rows), pairs(columns)];
  const chance = (left * right) / Math.max(1, (total * (total - 1)) / 2);
  const most = (left + right) / 2;
  return most === chance ? 1 : (both - chance) / (most - chance);
}

/**
 * Mean simplified silhouette: (b − a) / max(a, b) with a the distance to the own centroid, b to the nearest other
 * (Hruschka et al. 2004); −1..1, linear in the points where the original is quadratic.
 */
export function simplifiedSilhouette(points: Points, centroids: Float32Array): number {
  const { values, count, dimensions } = points;
  const clusters = centroids.length / dimensions;
  if (clusters < 2 || count === 0) return 0;
  const nearest = new NearestCentroid(centroids, dimensions);
  let total = 0;
  for (let point = 0; point < count; point += 1) {
    nearest.find(values, point * dimensions);
    total += nearest.second === 0 ? 0 : 1 - Math.sqrt(nearest.first / nearest.second);
  }
  return total / count;
}

/**
 * Chooses the number of clusters: tries several counts on a sample of the points and takes the one whose clusters are
 * both stable under resampling and crisp.
 */

import type { Random } from '../../core/random.ts';
import type { TaskRunner } from '../../core/tasks.ts';
import { labelsOf } from '../../deciding/clustering/distances.ts';
import { kMeans } from '../../deciding/clustering/kmeans.ts';
import { type Clustering, type Points, rowsOf } from '../../deciding/clustering/points.ts';
import { adjustedRandIndex, simplifiedSilhouette } from '../../deciding/clustering/quality.ts';
import { shuffle } from './split.ts';

export interface TriedCount {
  readonly clusters: number;
  /** Mean squared distance to the nearest centroid. */
  readonly inertia: number;
  /** −1..1, higher is crisper. */
  readonly silhouette: number;
  /** Adjusted Rand index between fits to two disjoint halves, on all points; 1 means identical clusters. */
  readonly stability: number;
}

const COUNTS = [4, 8, 12, 16, 24, 32, 48, 64, 96, 128];
const MOST_POINTS = 12_000;
/** Prompts per cluster that a count must leave on average. */
const LEAST_PER_CLUSTER = 20;

/** The curve over all counts that the corpus is large enough for. */
export async function tryCounts(
  points: Points,
  random: Random,
  tasks: TaskRunner,
  onDone: (done: number, total: number) => void,
): Promise<readonly TriedCount[]> {
  const rows = range(0, points.count);
  shuffle(rows, random.fork('draw'));
  const all = rowsOf(points, rows.slice(0, MOST_POINTS));
  const middle = Math.floor(all.count / 2);
  const firstHalf = rowsOf(all, range(0, middle));
  const secondHalf = rowsOf(all, range(middle, all.count));
  const counts = COUNTS.filter((count) => count * LEAST_PER_CLUSTER <= all.count);
  let done = 0;
  return Promise.all(
    counts.map(async (clusters) => {
      const options = { clusters, restarts: 2, maxIterations: 50, tolerance: 1e-3 };
      const own = random.fork(`${clusters} clusters`);
      const fitted = (part: Points, name: string): Promise<Clustering> =>
        kMeans(part, options, own.fork(name), tasks);
      const [whole, first, second] = await Promise.all([
        fitted(all, 'all'),
        fitted(firstHalf, 'first half'),
        fitted(secondHalf, 'second half'),
      ]);
      done += 1;
      onDone(done, counts.length);
      return {
        clusters,
        inertia: whole.inertia / all.count,
        silhouette: simplifiedSilhouette(all, whole.centroids),
        stability: adjustedRandIndex(labelsOf(all, first.centroids), labelsOf(all, second.centroids)),
      };
    }),
  );
}

/**
 * The count with the best sum of silhouette and stability, each scaled to 0..1 over the curve; of nearly equal ones the
 * largest, because a router can give several clusters to one expert but not one cluster to several.
 */
export function bestCount(curve: readonly TriedCount[]): number {
  if (curve.length === 0) return 1;
  const silhouettes = scaled(curve.map((one) => one.silhouette));
  const stabilities = scaled(curve.map((one) => one.stability));
  const scores = curve.map((_, index) => silhouettes[index]! + stabilities[index]!);
  const enough = Math.max(...scores) - 0.1;
  return curve[scores.findLastIndex((score) => score >= enough)]!.clusters;
}

function scaled(values: readonly number[]): readonly number[] {
  const least = Math.min(...values);
  const most = Math.max(...values);
  return values.map((value) => (most === least ? 0 : (value - least) / (most - least)));
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

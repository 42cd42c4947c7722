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
  /**
   * Share of prompts whose label is the commonest of their cluster, in a half that neither clusters nor labels were taken
   * from; absent without labels.
   */
  readonly labelled?: number;
}

const COUNTS = [4, 8, 12, 16, 24, 32, 48, 64, 96, 128];
const MOST_POINTS = 12_000;
/** Prompts per cluster that a count must leave on average. */
const LEAST_PER_CLUSTER = 20;
/** Where nobody asks for a number, and there are prompts enough. */
const USUAL_COUNT = 32;
const FEWEST = 2;

/**
 * The curve over all counts that the corpus is large enough for.
 * @param labels of the points, where there are some
 */
export async function tryCounts(
  points: Points,
  random: Random,
  tasks: TaskRunner,
  onDone: (done: number, total: number) => void,
  labels?: readonly (string | undefined)[],
): Promise<readonly TriedCount[]> {
  const rows = range(0, points.count);
  shuffle(rows, random.fork('draw'));
  const all = rowsOf(points, rows.slice(0, MOST_POINTS));
  const own = labels && rows.slice(0, MOST_POINTS).map((row) => labels[row]);
  const middle = Math.floor(all.count / 2);
  const firstHalf = rowsOf(all, range(0, middle));
  const secondHalf = rowsOf(all, range(middle, all.count));
  const counts = COUNTS.filter((count) => count * LEAST_PER_CLUSTER <= all.count);
  let done = 0;
  return Promise.all(
    counts.map(async (clusters) => {
      const options = { clusters, restarts: 2, maxIterations: 50, tolerance: 1e-3 };
      const runs = random.fork(`${clusters} clusters`);
      const fitted = (part: Points, name: string): Promise<Clustering> =>
        kMeans(part, options, runs.fork(name), tasks);
      const [whole, first, second] = await Promise.all([
        fitted(all, 'all'),
        fitted(firstHalf, 'first half'),
        fitted(secondHalf, 'second half'),
      ]);
      done += 1;
      onDone(done, counts.length);
      const inFirst = labelsOf(all, first.centroids);
      return {
        clusters,
        inertia: whole.inertia / all.count,
        silhouette: simplifiedSilhouette(all, whole.centroids),
        stability: adjustedRandIndex(inFirst, labelsOf(all, second.centroids)),
        ...(own ? { labelled: foundLabels(inFirst, own, middle) } : {}),
      };
    }),
  );
}

/** Each cluster stands for its commonest label before `middle`; how often that is right from there on. */
function foundLabels(clusters: Uint32Array, labels: readonly (string | undefined)[], middle: number): number {
  const counts = new Map<number, Map<string, number>>();
  for (let row = 0; row < middle; row += 1) {
    const label = labels[row];
    if (label === undefined) continue;
    const own = counts.get(clusters[row]!) ?? new Map<string, number>();
    own.set(label, (own.get(label) ?? 0) + 1);
    counts.set(clusters[row]!, own);
  }
  const commonest = new Map(
    Array.from(counts, ([cluster, own]) => [cluster, [...own].sort((a, b) => b[1] - a[1])[0]![0]]),
  );
  let right = 0;
  let all = 0;
  for (let row = middle; row < labels.length; row += 1) {
    if (labels[row] === undefined) continue;
    all += 1;
    if (commonest.get(clusters[row]!) === labels[row]) right += 1;
  }
  return all === 0 ? 0 : right / all;
}

/** The smallest count that finds labels as well as the best one does, within a standard error of `judged` prompts. */
function bestByLabels(curve: readonly TriedCount[], judged: number): number {
  const most = Math.max(...curve.map(({ labelled = 0 }) => labelled));
  const enough = most - Math.sqrt((most * (1 - most)) / Math.max(1, judged));
  return curve.find(({ labelled = 0 }) => labelled >= enough)!.clusters;
}

/** How many clusters so many prompts are given where nobody says how many. */
export function usualCount(prompts: number): number {
  return Math.min(USUAL_COUNT, Math.max(FEWEST, Math.floor(prompts / LEAST_PER_CLUSTER)));
}

/**
 * The count that finds labels best, where there are labels; else the count with the best sum of silhouette and stability, each scaled to 0..1 over the curve; of nearly equal ones the
 * largest, because a router can give several clusters to one expert but not one cluster to several.
 */
export function bestCount(curve: readonly TriedCount[], prompts: number): number {
  if (curve.length === 0) return usualCount(prompts);
  if (curve[0]!.labelled !== undefined)
    return bestByLabels(curve, Math.floor(Math.min(prompts, MOST_POINTS) / 2));
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

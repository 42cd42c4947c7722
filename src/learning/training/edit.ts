/** Merges and splits of a router model's clusters, as the start of a retraining that keeps all others. */
import { UserError } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';
import type { TaskRunner } from '../../core/tasks.ts';
import { kMeans } from '../../deciding/clustering/kmeans.ts';
import type { Points } from '../../deciding/clustering/points.ts';

export interface ClusterEdits {
  /** Numbers of clusters that become one, which has the first number of its list. */
  readonly merge: readonly (readonly number[])[];
  /** Numbers of clusters that become two: the larger half keeps the number. */
  readonly split: readonly number[];
}

/** Where a retraining starts: the cluster of every prompt, and the clusters' names so far. */
export interface Start {
  readonly labels: Uint32Array;
  /** Empty for a cluster that has none yet. */
  readonly names: readonly string[];
}

/** A cluster of fewer prompts is not split: two halves of it would be chance. */
const LEAST_TO_SPLIT = 20;

/** @throws UserError for clusters that do not exist, or with which two things are to be done */
export function checkEdits({ merge, split }: ClusterEdits, clusters: number): void {
  for (const list of merge)
    if (new Set(list).size < 2) throw new UserError(`--merge ${list.join()}: name two clusters or more.`);
  const all = [...merge.flat(), ...split];
  for (const cluster of all)
    if (cluster >= clusters)
      throw new UserError(
        `There is no cluster ${cluster}: the model has 0 to ${clusters - 1}, which \`expert-router inspect\` lists.`,
      );
  const twice = all.find((cluster, index) => all.indexOf(cluster) !== index);
  if (twice !== undefined) throw new UserError(`Cluster ${twice} is named twice among --merge and --split.`);
}

/**
 * Halves get the numbers that merges left, then new ones; numbers still left are given to the last clusters, so that there
 * are no gaps.
 * @param points the prompts, in the order of the labels
 * @throws UserError for a cluster with too few prompts to split
 */
export async function edited(
  { labels, names }: Start,
  points: Points,
  { merge, split }: ClusterEdits,
  random: Random,
  tasks: TaskRunner,
): Promise<Start> {
  const now = Uint32Array.from(labels);
  const nameOf = new Map(names.map((name, cluster) => [cluster, name]));
  for (const [first, ...others] of merge)
    for (const other of others) {
      renumber(now, other, first!);
      nameOf.delete(other);
    }
  for (const cluster of split) {
    const half = await smallerHalf(now, cluster, points, random.fork(`split ${cluster}`), tasks);
    const number = firstFree(nameOf);
    for (const row of half) now[row] = number;
    nameOf.set(number, '');
  }
  for (let last = Math.max(...nameOf.keys()); last >= nameOf.size; last = Math.max(...nameOf.keys())) {
    const number = firstFree(nameOf);
    renumber(now, last, number);
    nameOf.set(number, nameOf.get(last)!);
    nameOf.delete(last);
  }
  return { labels: now, names: Array.from({ length: nameOf.size }, (_, cluster) => nameOf.get(cluster)!) };
}

function renumber(labels: Uint32Array, from: number, to: number): void {
  for (let row = 0; row < labels.length; row += 1) if (labels[row] === from) labels[row] = to;
}

function firstFree(taken: ReadonlyMap<number, unknown>): number {
  let number = 0;
  while (taken.has(number)) number += 1;
  return number;
}

/** Rows of the smaller of two clusters that k-means finds in one. */
async function smallerHalf(
  labels: Uint32Array,
  cluster: number,
  { values, dimensions }: Points,
  random: Random,
  tasks: TaskRunner,
): Promise<readonly number[]> {
  const rows = [...labels.keys()].filter((row) => labels[row] === cluster);
  if (rows.length < LEAST_TO_SPLIT)
    throw new UserError(
      `Cluster ${cluster} holds ${rows.length} of these prompts: too few to split, at least ${LEAST_TO_SPLIT} are needed.`,
    );
  const own = new Float32Array(rows.length * dimensions);
  for (const [index, row] of rows.entries())
    own.set(values.subarray(row * dimensions, (row + 1) * dimensions), index * dimensions);
  const points = { values: own, count: rows.length, dimensions };
  const halves = await kMeans(points, { clusters: 2, restarts: 4 }, random, tasks);
  const ones = halves.labels.reduce((sum, label) => sum + label, 0);
  const smaller = 2 * ones <= rows.length ? 1 : 0;
  return rows.filter((_, index) => halves.labels[index] === smaller);
}

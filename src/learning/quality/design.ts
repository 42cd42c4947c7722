/** What is learned from all prompts regardless of scores: clusterings, the regression's columns, and folds. */
import { seededRandom } from '../../core/random.ts';
import type { TaskRunner } from '../../core/tasks.ts';
import { kMeans } from '../../deciding/clustering/kmeans.ts';
import { distinctPoints, type Points } from '../../deciding/clustering/points.ts';
import { type Ridge, ridgeRow } from '../../deciding/quality/quality.ts';
import type { Partition } from './chain.ts';
import { foldsOf, groupsOf } from './folds.ts';

/** Numbers of clusters, coarse to fine. A clustering has eight prompts a cluster at least. */
const GRANULARITIES = [8, 64];
const PROMPTS_A_CLUSTER = 8;
const SEEDS = 3;
const RESTARTS = 3;
export const FOLDS = 4;
/** Width of a membership exp(−d² / width), for unit vectors. */
const WIDTH = 0.6;

export type OnStage = (stage: string, done: number, total: number) => void;

/** Folds of cross-validation need not repeat it. */
export interface Design {
  readonly partitions: readonly (readonly Partition[])[];
  readonly ridge: Pick<Ridge, 'centroids' | 'width'>;
  /** n × columns. */
  readonly rows: Float32Array;
  readonly columns: number;
}

export async function designOf(
  points: Points,
  seed: number,
  tasks: TaskRunner,
  onStage: OnStage,
): Promise<Design> {
  const random = seededRandom(seed);
  const most = distinctPoints(points, Math.max(...GRANULARITIES));
  const counts = GRANULARITIES.map((k) => Math.min(k, most)).filter(
    (k, level) => level === 0 || k * PROMPTS_A_CLUSTER <= points.count,
  );
  const partitions: Partition[][] = [];
  let done = 0;
  for (let run = 0; run < SEEDS; run += 1) {
    const levels: Partition[] = [];
    for (const clusters of counts) {
      const found = await kMeans(
        points,
        { clusters, restarts: RESTARTS },
        random.fork(`run ${run} of ${clusters}`),
        tasks,
      );
      levels.push({ centroids: found.centroids, clusters, labels: found.labels });
      done += 1;
      onStage('clusterings', done, SEEDS * counts.length);
    }
    partitions.push(levels);
  }
  const ridge = { centroids: partitions[0]!.at(-1)!.centroids, width: WIDTH };
  const columns = points.dimensions + ridge.centroids.length / points.dimensions + 1;
  const rows = new Float32Array(points.count * columns);
  const row = new Float64Array(columns);
  for (let index = 0; index < points.count; index += 1) {
    ridgeRow(ridge, points.values, index * points.dimensions, points.dimensions, row);
    rows.set(row, index * columns);
  }
  return { partitions, ridge, rows, columns };
}

/** The fold of each prompt, of FOLDS; near-duplicates share one. */
export function foldsFor(points: Points, { partitions }: Design, seed: number): Uint32Array {
  const groups = groupsOf(points, partitions[0]!.at(-1)!.labels);
  return foldsOf(groups, FOLDS, seededRandom(seed).fork('folds'));
}

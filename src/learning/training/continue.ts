/**
 * Retraining that keeps identities: the new clusters start from the old model's assignments, and those that stay the
 * same keep their number and name.
 */
import type { Random } from '../../core/random.ts';
import { type TextBatch, unpackTexts } from '../../core/tasks.ts';
import type { Points } from '../../deciding/clustering/points.ts';
import { classifyAll } from '../../deciding/model/classify.ts';
import type { RouterModel } from '../../deciding/model/router-model.ts';
import { plainText } from '../../deciding/text/routable.ts';

/** Jaccard index from which two clusters count as the same. */
const SAME_CLUSTER = 0.4;

/** The old model's cluster for every prompt. */
export async function oldLabels(previous: RouterModel, batches: readonly TextBatch[]): Promise<Uint32Array> {
  const labels: number[] = [];
  for (const batch of batches) {
    const decided = await classifyAll(previous, unpackTexts(batch).map(plainText));
    for (const { cluster } of decided) labels.push(cluster);
  }
  return Uint32Array.from(labels);
}

/** Means of the points by their old cluster; empty clusters start at a random point. */
export function startFrom(
  points: Points,
  labels: Uint32Array,
  clusters: number,
  random: Random,
): Float32Array {
  const { values, count, dimensions } = points;
  const start = new Float32Array(clusters * dimensions);
  const sizes = new Uint32Array(clusters);
  for (let point = 0; point < count; point += 1) {
    sizes[labels[point]!]! += 1;
    for (let j = 0; j < dimensions; j += 1)
      start[labels[point]! * dimensions + j]! += values[point * dimensions + j]!;
  }
  for (let cluster = 0; cluster < clusters; cluster += 1) {
    const stray = random.below(count) * dimensions;
    for (let j = 0; j < dimensions; j += 1) {
      const at = cluster * dimensions + j;
      start[at] = sizes[cluster] === 0 ? values[stray + j]! : start[at]! / sizes[cluster]!;
    }
  }
  return start;
}

/** The old name if a cluster still holds mostly the same prompts, else the new one. */
export function keptNames(
  previous: RouterModel,
  old: Uint32Array,
  labels: Uint32Array,
  names: readonly string[],
): string[] {
  return names.map((name, cluster) => {
    let both = 0;
    let either = 0;
    for (let index = 0; index < labels.length; index += 1) {
      const inOld = old[index] === cluster;
      const inNew = labels[index] === cluster;
      if (inOld && inNew) both += 1;
      if (inOld || inNew) either += 1;
    }
    return either > 0 && both / either >= SAME_CLUSTER ? (previous.names[cluster] ?? name) : name;
  });
}

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
import type { Start } from './edit.ts';

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
export function keptNames(old: Start, labels: Uint32Array, names: readonly string[]): string[] {
  const overlaps = overlapsOf(old.labels, labels, names.length);
  return names.map((name, cluster) =>
    overlaps[cluster]! >= SAME_CLUSTER ? old.names[cluster] || name : name,
  );
}

/** What a retraining changed. */
export interface Continuation {
  /** Clusters that hold mostly the prompts of before, and so keep their name. */
  readonly kept: number;
  readonly changed: readonly {
    readonly cluster: number;
    readonly before: string;
    readonly after: string;
    /** Jaccard index of its prompts before and after. */
    readonly overlap: number;
  }[];
  /** Share of the prompts that are in a cluster of another number. */
  readonly moved: number;
  /** By cluster, shares of the prompts: as the old model has them, and as the new one does. */
  readonly shares: readonly { readonly before: number; readonly after: number }[];
}

export function continuation(
  before: readonly string[],
  old: Uint32Array,
  labels: Uint32Array,
  after: readonly string[],
): Continuation {
  const overlaps = overlapsOf(old, labels, after.length);
  const changed = after.flatMap((name, cluster) => {
    const overlap = overlaps[cluster]!;
    return overlap >= SAME_CLUSTER ? [] : [{ cluster, before: before[cluster] ?? '', after: name, overlap }];
  });
  const share = (all: Uint32Array, cluster: number): number =>
    all.reduce((sum, one) => sum + Number(one === cluster), 0) / Math.max(1, all.length);
  return {
    kept: after.length - changed.length,
    changed,
    moved: labels.reduce((sum, label, at) => sum + Number(label !== old[at]), 0) / Math.max(1, labels.length),
    shares: after.map((_, cluster) => ({ before: share(old, cluster), after: share(labels, cluster) })),
  };
}

/** For people. */
export function continuationText({ kept, changed, moved, shares }: Continuation): readonly string[] {
  const percent = (value: number): string => `${(100 * value).toFixed(1)} %`;
  const grown = shares
    .map(({ before, after }, cluster) => ({ cluster, before, after, by: Math.abs(after - before) }))
    .toSorted((a, b) => b.by - a.by)
    .filter(({ by }) => by >= LEAST_TOLD)
    .slice(0, MOST_TOLD);
  return [
    `${kept} of ${kept + changed.length} clusters stay; ${percent(moved)} of the prompts are in another one than before`,
    ...changed
      .slice(0, MOST_TOLD)
      .map(({ cluster, before, after }) => `  ${cluster} holds other prompts now: '${before}' → '${after}'`),
    ...(changed.length > MOST_TOLD ? [`  and ${changed.length - MOST_TOLD} more`] : []),
    ...grown.map(
      ({ cluster, before, after }) => `  ${cluster}: ${percent(before)} → ${percent(after)} of the prompts`,
    ),
  ];
}

const MOST_TOLD = 8;
/** A change of a cluster's share that is worth a line. */
const LEAST_TOLD = 0.01;

/** Jaccard index of each cluster's prompts by the two labellings; 0 for one without prompts. */
function overlapsOf(old: Uint32Array, labels: Uint32Array, clusters: number): Float64Array {
  const both = new Uint32Array(clusters);
  const either = new Uint32Array(clusters);
  for (let index = 0; index < labels.length; index += 1) {
    const [before, after] = [old[index]!, labels[index]!];
    either[after]! += 1;
    if (before === after) both[after]! += 1;
    else if (before < clusters) either[before]! += 1;
  }
  return Float64Array.from(both, (count, cluster) => (either[cluster] === 0 ? 0 : count / either[cluster]!));
}

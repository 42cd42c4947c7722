/** The prompts nearest to and furthest from each centroid. */
import type { TextBatch } from '../../core/tasks.ts';
import { squaredDistance } from '../../deciding/clustering/distances.ts';
import type { Points } from '../../deciding/clustering/points.ts';
import { promptsIn } from './draw.ts';

export interface ClusterExamples {
  /** Nearest first. */
  readonly near: readonly string[];
  /** Furthest first. */
  readonly far: readonly string[];
  /** Mean distance of the cluster's prompts to the centroid. */
  readonly spread: number;
}

const EACH = 6;
const LONGEST = 280;

/** `labels[i]` is the cluster of prompt i, which is row i of the points. */
export function findExamples(
  points: Points,
  labels: Uint32Array,
  centroids: Float32Array,
  batches: readonly TextBatch[],
): readonly ClusterExamples[] {
  const { values, dimensions } = points;
  const clusters = centroids.length / dimensions;
  const members: { row: number; distance: number }[][] = Array.from({ length: clusters }, () => []);
  labels.forEach((label, row) => {
    const squared = squaredDistance(values, row * dimensions, centroids, label * dimensions, dimensions);
    members[label]!.push({ row, distance: Math.sqrt(squared) });
  });
  for (const list of members) list.sort((a, b) => a.distance - b.distance || a.row - b.row);
  const wanted = new Map<number, string>();
  for (const list of members)
    for (const { row } of [...list.slice(0, EACH), ...list.slice(-EACH)]) wanted.set(row, '');
  let row = 0;
  for (const prompt of promptsIn(batches)) {
    if (wanted.has(row)) wanted.set(row, shortened(prompt));
    row += 1;
  }
  const texts = (list: readonly { row: number }[]): string[] => list.map((one) => wanted.get(one.row)!);
  return members.map((list) => ({
    near: texts(list.slice(0, EACH)),
    far: texts(list.slice(EACH).slice(-EACH).reverse()),
    spread: list.length === 0 ? 0 : list.reduce((sum, one) => sum + one.distance, 0) / list.length,
  }));
}

function shortened(prompt: string): string {
  const line = prompt.replaceAll(/\s+/g, ' ').trim();
  return line.length <= LONGEST ? line : `${line.slice(0, LONGEST - 1)}…`;
}

/** Folds for cross-validation in which near-duplicate prompts share a fold, so that none is judged by its twin. */
import type { Random } from '../../core/random.ts';
import type { Points } from '../../deciding/clustering/points.ts';
import { shuffle } from '../training/split.ts';

/** Cosine of unit vectors above which two prompts count as one. */
const NEAR_DUPLICATE = 0.97;

/**
 * The number of the group of each prompt. Only prompts of one cluster are compared, which finds nearly all pairs at a
 * fraction of the cost.
 *
 * @param points unit vectors @param labels a clustering of them
 */
export function groupsOf({ values, count, dimensions }: Points, labels: Uint32Array): Uint32Array {
  const parent = Uint32Array.from({ length: count }, (_, row) => row);
  const find = (row: number): number => {
    while (parent[row] !== row) {
      parent[row] = parent[parent[row]!]!;
      row = parent[row]!;
    }
    return row;
  };
  const members = new Map<number, number[]>();
  labels.forEach((label, row) => {
    const list = members.get(label);
    if (list) list.push(row);
    else members.set(label, [row]);
  });
  for (const rows of members.values()) {
    for (let i = 0; i < rows.length; i += 1) {
      for (let j = 0; j < i; j += 1) {
        if (dot(values, rows[i]! * dimensions, rows[j]! * dimensions, dimensions) > NEAR_DUPLICATE)
          parent[find(rows[i]!)] = find(rows[j]!);
      }
    }
  }
  return parent.map((_, row) => find(row));
}

function dot(values: Float32Array, a: number, b: number, dimensions: number): number {
  let sum = 0;
  for (let j = 0; j < dimensions; j += 1) sum += values[a + j]! * values[b + j]!;
  return sum;
}

/** The fold of each prompt, 0 … folds − 1. */
export function foldsOf(groups: Uint32Array, folds: number, random: Random): Uint32Array {
  const names = [...new Set(groups)];
  shuffle(names, random);
  const fold = new Map(names.map((name, index) => [name, index % folds]));
  return groups.map((group) => fold.get(group)!);
}

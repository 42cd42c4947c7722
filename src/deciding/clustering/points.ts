/** The types of points and of a clustering. */
import { sharedFloats } from '../../core/tasks.ts';

/** n points of `dimensions` each, row-major. */
export interface Points {
  readonly values: Float32Array;
  readonly count: number;
  readonly dimensions: number;
}

export interface Clustering {
  /** k × dimensions. */
  readonly centroids: Float32Array;
  readonly labels: Uint32Array;
  /** Sum of squared distances of the points to their centroids. */
  readonly inertia: number;
  readonly iterations: number;
}

/** The chosen rows, in the given order with repetitions, in memory that threads share. */
export function rowsOf(points: Points, rows: ArrayLike<number>): Points {
  const { values, dimensions } = points;
  const chosen = sharedFloats(rows.length * dimensions);
  for (let index = 0; index < rows.length; index += 1) {
    const row = rows[index]!;
    chosen.set(values.subarray(row * dimensions, (row + 1) * dimensions), index * dimensions);
  }
  return { values: chosen, count: rows.length, dimensions };
}

/** Number of distinct points, counted up to `enough`. */
export function distinctPoints({ values, count, dimensions }: Points, enough: number): number {
  const seen = new Set<string>();
  for (let point = 0; point < count && seen.size < enough; point += 1) {
    seen.add(values.subarray(point * dimensions, (point + 1) * dimensions).join());
  }
  return seen.size;
}

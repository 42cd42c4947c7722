/**
 * All prompts as points, and their division into those clusters are fitted to and those held out to judge them. It
 * knows nothing of texts.
 */

import type { Random } from '../../core/random.ts';
import { findNearest, type Nearest } from '../../deciding/clustering/distances.ts';
import { measureBatch } from '../../deciding/clustering/mini-batch.ts';
import { type Points, rowsOf } from '../../deciding/clustering/points.ts';
import { sharedFloats } from '../../deciding/embedding/sparse.ts';
import { inOrder, type Pool } from './pool.ts';
import type { FittedTerms } from './terms.ts';

export interface Judged {
  readonly points: Points;
  readonly coherences: Float32Array;
}

export interface Embedding {
  readonly points: Points;
  readonly coherences: Float32Array;
}

export interface Split {
  readonly training: Points;
  /** Held-out prompts; where there are too few of them, the training prompts stand in. */
  readonly judged: Judged;
  /** Whether `judged` was really held out. */
  readonly isHeldOut: boolean;
  /** Rows of the embedding that training has, rising. */
  readonly trainingRows: Uint32Array;
}

const HELD_OUT_SHARE = 0.1;
const HELD_OUT_MOST = 20_000;
const HELD_OUT_LEAST = 40;

/** Every chunk's rows as points in memory that threads share. */
export async function embedAll({ chunks, projection }: FittedTerms, pool: Pool): Promise<Embedding> {
  const { dimensions } = projection;
  const count = chunks.reduce((sum, chunk) => sum + chunk.rows, 0);
  const values = sharedFloats(count * dimensions);
  const coherences = new Float32Array(count);
  let row = 0;
  await inOrder(
    pool,
    chunks.length,
    (index) => pool.run('embedChunk', { chunk: chunks[index]!, projection }),
    (chunk) => {
      values.set(chunk.vectors, row * dimensions);
      coherences.set(chunk.coherences, row);
      row += chunk.coherences.length;
    },
  );
  return { points: { values, count, dimensions }, coherences };
}

/** One prompt in ten, at most 20,000, is held out; prompts of which nothing is known take part in neither. */
export function splitOff({ points, coherences }: Embedding, random: Random): Split {
  const rows: number[] = [];
  coherences.forEach((coherence, row) => {
    if (coherence > 0) rows.push(row);
  });
  // Where not one word is shared between prompts, they are all alike to the model.
  if (rows.length === 0) rows.push(...coherences.keys());
  shuffle(rows, random);
  const heldOut = Math.min(HELD_OUT_MOST, Math.floor(rows.length * HELD_OUT_SHARE));
  const isHeldOut = heldOut >= HELD_OUT_LEAST;
  const trainingRows = Uint32Array.from(isHeldOut ? rows.slice(heldOut) : rows).sort();
  const judgedRows = isHeldOut ? Uint32Array.from(rows.slice(0, heldOut)).sort() : trainingRows;
  return {
    training: shared(rowsOf(points, trainingRows)),
    judged: {
      points: rowsOf(points, judgedRows),
      coherences: Float32Array.from(judgedRows, (row) => coherences[row]!),
    },
    isHeldOut,
    trainingRows,
  };
}

/** Mean squared distance to the nearest centroid. */
export function meanSquaredDistance(points: Points, centroids: Float32Array): number {
  return points.count === 0 ? 0 : measureBatch(points, centroids).inertia / points.count;
}

/** The nearest centroid of every point. */
export function labelsBy({ values, count, dimensions }: Points, centroids: Float32Array): Uint32Array {
  const nearest: Nearest = { cluster: 0, first: 0, second: 0 };
  return Uint32Array.from({ length: count }, (_, point) => {
    findNearest(values, point * dimensions, centroids, dimensions, nearest);
    return nearest.cluster;
  });
}

/** The same points in memory that threads share. */
export function shared(points: Points): Points {
  const values = sharedFloats(points.values.length);
  values.set(points.values);
  return { ...points, values };
}

/** In place (Fisher & Yates). */
export function shuffle(items: number[], random: Random): void {
  for (let index = items.length - 1; index > 0; index -= 1) {
    const other = random.below(index + 1);
    [items[index], items[other]] = [items[other]!, items[index]!];
  }
}

/** Splits the prompts into a training set and a held-out set. */
import type { Random } from '../../core/random.ts';
import { type Points, rowsOf } from '../../deciding/clustering/points.ts';
import type { EmbeddedTexts } from '../../deciding/embedding/embedding.ts';

export interface Judged {
  readonly points: Points;
  readonly familiarities: Float32Array;
}

export interface Split {
  readonly training: Points;
  /** Held-out prompts; the training prompts if there are too few. */
  readonly judged: Judged;
  /** Whether `judged` was really held out. */
  readonly isHeldOut: boolean;
  /** Rows of the embedding in the training set, ascending. */
  readonly trainingRows: Uint32Array;
}

const HELD_OUT_SHARE = 0.1;
const HELD_OUT_MOST = 20_000;
const HELD_OUT_LEAST = 40;

/** Holds out one prompt in ten, at most 20,000; prompts with zero familiarity are in neither set. */
export function splitOff(embedded: EmbeddedTexts, random: Random): Split {
  const { familiarities } = embedded;
  const rows: number[] = [];
  familiarities.forEach((familiarity, row) => {
    if (familiarity > 0) rows.push(row);
  });
  // If no two prompts share a word, none has a familiarity above zero: use all.
  if (rows.length === 0) rows.push(...familiarities.keys());
  shuffle(rows, random);
  const heldOut = Math.min(HELD_OUT_MOST, Math.floor(rows.length * HELD_OUT_SHARE));
  const isHeldOut = heldOut >= HELD_OUT_LEAST;
  const trainingRows = Uint32Array.from(isHeldOut ? rows.slice(heldOut) : rows).sort();
  const judgedRows = isHeldOut ? Uint32Array.from(rows.slice(0, heldOut)).sort() : trainingRows;
  return {
    training: rowsOf(embedded, trainingRows),
    judged: {
      points: rowsOf(embedded, judgedRows),
      familiarities: Float32Array.from(judgedRows, (row) => familiarities[row]!),
    },
    isHeldOut,
    trainingRows,
  };
}

/** In place (Fisher & Yates). */
export function shuffle(items: number[], random: Random): void {
  for (let index = items.length - 1; index > 0; index -= 1) {
    const other = random.below(index + 1);
    [items[index], items[other]] = [items[other]!, items[index]!];
  }
}

/** Divides the prompts into those that clusters are fitted to and those held out to judge them. */
import type { Random } from '../../core/random.ts';
import { type Points, rowsOf } from '../../deciding/clustering/points.ts';
import type { EmbeddedTexts } from '../../deciding/embedding/embedding.ts';

export interface Judged {
  readonly points: Points;
  readonly familiarities: Float32Array;
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

/** One prompt in ten, at most 20,000, is held out; prompts of which nothing is known take part in neither. */
export function splitOff(embedded: EmbeddedTexts, random: Random): Split {
  const { familiarities } = embedded;
  const rows: number[] = [];
  familiarities.forEach((familiarity, row) => {
    if (familiarity > 0) rows.push(row);
  });
  // Where not one word is shared between prompts, they are all alike to the model.
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

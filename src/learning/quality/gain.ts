/** What choosing by prompt gains over the best single expert, also where some scores are missing. */
import { chosen } from '../../deciding/quality/quality.ts';
import type { Partition } from './chain.ts';
import type { Scores } from './scores.ts';

/**
 * How much more choosing by prompt scores than the best single expert. Where all scores are there, the plain paired
 * difference; where some are missing, the prediction stands in, corrected by the scores that are there, weighted by how
 * rarely they are (doubly robust: Dudík, Langford & Li, ICML 2011).
 */
export function gainOf(
  { experts, values, prompts }: Scores,
  predicted: Float64Array,
  seen: (row: number, expert: number) => number,
  best: number,
  headStart: number,
): { readonly mean: number; readonly standardError: number } {
  const m = experts.length;
  const valueOfChoice = (row: number, expert: number): number => {
    const value = values[row * m + expert]!;
    const expected = predicted[row * m + expert]!;
    return Number.isNaN(value) ? expected : expected + (value - expected) / seen(row, expert);
  };
  let sum = 0;
  let squares = 0;
  for (let row = 0; row < prompts; row += 1) {
    const choice = chosen(predicted.subarray(row * m, (row + 1) * m), best, headStart);
    const difference = choice === best ? 0 : valueOfChoice(row, choice) - valueOfChoice(row, best);
    sum += difference;
    squares += difference * difference;
  }
  if (prompts < 2) return { mean: 0, standardError: Number.POSITIVE_INFINITY };
  const mean = sum / prompts;
  return { mean, standardError: Math.sqrt((squares / prompts - mean * mean) / (prompts - 1)) };
}

/** A score that is rarer than this counts as if it were not, lest a few decide all. */
const RAREST = 0.05;

/** The share of the prompts of a cluster for which an expert was scored. */
export function sharesSeen(
  { labels, clusters }: Partition,
  { experts, values }: Scores,
): (row: number, expert: number) => number {
  const m = experts.length;
  const seen = new Float64Array(clusters * m);
  const sizes = new Float64Array(clusters);
  labels.forEach((cluster, row) => {
    sizes[cluster]! += 1;
    for (let expert = 0; expert < m; expert += 1)
      if (!Number.isNaN(values[row * m + expert]!)) seen[cluster * m + expert]! += 1;
  });
  return (row, expert) => Math.max(RAREST, seen[labels[row]! * m + expert]! / sizes[labels[row]!]!);
}

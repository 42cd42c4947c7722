/**
 * How far below the highest expected score the best expert may lie: a conformal prediction set (Vovk, Gammerman & Shafer,
 * Algorithmic Learning in a Random World, 2005) whose scores are predictions across folds, as in cross-conformal prediction.
 */
import type { Scores } from './scores.ts';

/** Share of prompts whose best expert should be in the set. */
const COVERAGE = 0.9;

export interface Coverage {
  readonly share: number;
  /** In score: experts expected within this of the highest are in the set. */
  readonly gap: number;
}

/**
 * Of the prompts with all scores, where those differ.
 * @param predicted n × m, each prompt by what was learned without it
 * @returns null where there are too few to tell, fewer than nine
 */
export function coverageOf({ experts, prompts, values }: Scores, predicted: Float64Array): Coverage | null {
  const m = experts.length;
  const gaps: number[] = [];
  for (let row = 0; row < prompts; row += 1) {
    const scores = values.subarray(row * m, (row + 1) * m);
    const most = Math.max(...scores);
    // NaN where a score is missing.
    if (!(Math.min(...scores) < most)) continue;
    const expected = predicted.subarray(row * m, (row + 1) * m);
    const ofBest = expected.filter((_, expert) => scores[expert] === most);
    gaps.push(Math.max(...expected) - Math.max(...ofBest));
  }
  gaps.sort((a, b) => a - b);
  const rank = Math.ceil((gaps.length + 1) * COVERAGE);
  return rank > gaps.length ? null : { share: COVERAGE, gap: gaps[rank - 1]! };
}

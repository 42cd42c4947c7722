/**
 * From scored prompts to what each expert is good at: clusterings of several granularities and seeds, their shrunken
 * means, a ridge regression and what the experts' texts claim beside them, and cross-validation that says how much each
 * counts and whether any of it beats the best single expert.
 */
import type { TaskRunner } from '../../core/tasks.ts';
import type { Points } from '../../deciding/clustering/points.ts';
import type { Price, Quality, Ridge } from '../../deciding/quality/quality.ts';
import { fitChain } from './chain.ts';
import { claimed } from './claimed.ts';
import { crossValidated, indexOfLargest } from './cross-validate.ts';
import { type Design, designOf, foldsFor, type OnStage } from './design.ts';
import { fitRidge } from './ridge.ts';
import { type Effects, effectsOf, type Scores } from './scores.ts';

export interface LearnOptions {
  readonly seed: number;
  /** Prices of the experts, in their order. */
  readonly prices?: readonly Price[];
  /** n × m: each expert's share of what the experts' texts claim of a prompt; absent where they have none. */
  readonly shares?: Float64Array | null;
  readonly onStage?: OnStage;
}

/**
 * @param points unit vectors of the prompts, in the order of the scores
 * @returns quality that always chooses the best single expert where nothing beats it by a standard error
 */
export async function learnQuality(
  points: Points,
  scores: Scores,
  options: LearnOptions,
  tasks: TaskRunner,
): Promise<Quality> {
  const { seed, shares = null, onStage = () => {} } = options;
  const design = await designOf(points, seed, tasks, onStage);
  const folds = foldsFor(points, design, seed);
  const claims = shares && claimed(shares, scores.experts.length);
  const checked = crossValidated(design, scores, folds, claims, onStage);
  const all = Array.from({ length: scores.prompts }, (_, row) => row);
  const effects = effectsOf(scores, () => true);
  const best = indexOfLargest(effects.means);
  const { chains, ridge, claims: counted } = checked.evidence.blend;
  return {
    experts: scores.experts,
    dimensions: points.dimensions,
    means: Float32Array.from(effects.means),
    variances: Float32Array.from(effects.variances),
    chains: design.partitions.map((levels) => fitChain(levels, effects, all, chains)),
    ridge: ridge === 0 ? null : finalRidge(design, effects, all, checked.penalty, ridge),
    claims: claims && { weight: counted ?? 0, means: Array.from(claims.means) },
    best,
    headStart: checked.headStart,
    unit: checked.unit,
    prices: options.prices ?? scores.experts.map(() => ({ cost: null, latency: null })),
    evidence: { ...checked.evidence, prompts: scores.prompts, seed },
  };
}

function finalRidge(
  { ridge, rows, columns }: Design,
  { rest }: Effects,
  all: readonly number[],
  penalty: number,
  share: number,
): Ridge {
  const [weights] = fitRidge(rows, columns, rest, all, [penalty]);
  return { ...ridge, weights: weights!.map((weight) => weight * share) };
}

/** Scores predicted for each prompt by what was learned from prompts of other folds, so that they can be judged. */
export interface OutOfFold {
  /** n × m: to be compared within a prompt; whether the prompt is easy or hard is not in them. */
  readonly predicted: Float64Array;
  readonly best: number;
  readonly headStart: number;
}

export async function outOfFold(
  points: Points,
  scores: Scores,
  { seed, shares = null, onStage = () => {} }: LearnOptions,
  tasks: TaskRunner,
): Promise<OutOfFold> {
  const design = await designOf(points, seed, tasks, onStage);
  const folds = foldsFor(points, design, seed);
  const claims = shares && claimed(shares, scores.experts.length);
  const { predicted, headStart } = crossValidated(design, scores, folds, claims, onStage);
  return { predicted, headStart, best: indexOfLargest(effectsOf(scores, () => true).means) };
}

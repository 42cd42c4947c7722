/**
 * Every prompt is predicted by what was learned from the others, and that says how much clusterings, regression and the
 * experts' texts count, and whether choosing by prompt gains anything over the best single expert.
 */
import type { Evidence, Level } from '../../deciding/quality/quality.ts';
import { columnMeans } from '../outcomes/outcomes.ts';
import { fitChain } from './chain.ts';
import { type Claimed, centre } from './claimed.ts';
import { coverageOf } from './coverage.ts';
import { type Design, FOLDS, type OnStage } from './design.ts';
import { gainOf, sharesSeen } from './gain.ts';
import { nonNegativeWeights } from './non-negative.ts';
import { fitRidge } from './ridge.ts';
import { type Effects, effectsOf, type Scores } from './scores.ts';

/** The few dozen prompts of a beginning ask for the smaller ones, thousands of noisy scores for the larger. */
const PENALTIES = [0.3, 1, 3, 10, 30, 100, 300];
/** Leads of the best single expert that are tried. */
const HEAD_STARTS = [0, 0.005, 0.01, 0.02, 0.04, 0.08];

export interface Checked {
  readonly penalty: number;
  readonly headStart: number;
  readonly unit: number;
  readonly predicted: Float64Array;
  readonly evidence: Omit<Evidence, 'prompts' | 'seed'>;
}

/** Every prompt is predicted by what was learned from the other folds; the blend and the head start follow from that. */
export function crossValidated(
  design: Design,
  scores: Scores,
  folds: Uint32Array,
  claims: Claimed | null,
  onStage: OnStage,
): Checked {
  const { prompts, experts } = scores;
  const predictions = [0, ...PENALTIES].map(() => new Float64Array(prompts * experts.length));
  const means = new Float64Array(prompts * experts.length);
  for (let fold = 0; fold < FOLDS; fold += 1) {
    const rows: number[] = [];
    const judged: number[] = [];
    folds.forEach((own, row) => void (own === fold ? judged : rows).push(row));
    if (rows.length === 0) continue;
    const effects = effectsOf(scores, (row) => folds[row] !== fold);
    for (const row of judged) means.set(effects.means, row * experts.length);
    predictChains(design, effects, rows, judged, predictions[0]!);
    predictRidges(design, effects, rows, judged, predictions.slice(1));
    onStage('cross-validation', fold + 1, FOLDS);
  }
  return judge(scores, means, predictions, claims, sharesSeen(design.partitions[0]![0]!, scores));
}

function predictChains(
  { partitions }: Design,
  effects: Effects,
  rows: readonly number[],
  judged: readonly number[],
  into: Float64Array,
): void {
  const m = effects.means.length;
  for (const levels of partitions) {
    const fitted: readonly Level[] = fitChain(levels, effects, rows);
    levels.forEach(({ labels }, level) => {
      const { offsets } = fitted[level]!;
      for (const row of judged) {
        for (let expert = 0; expert < m; expert += 1)
          into[row * m + expert]! += offsets[labels[row]! * m + expert]! / partitions.length;
      }
    });
  }
  for (const row of judged) centre(into, row * m, m);
}

/** @param into one matrix per penalty */
function predictRidges(
  design: Design,
  { rest }: Effects,
  rows: readonly number[],
  judged: readonly number[],
  into: readonly Float64Array[],
): void {
  fitRidge(design.rows, design.columns, rest, rows, PENALTIES).forEach((weights, index) => {
    predictRidge(design, weights, judged, into[index]!);
  });
}

function predictRidge(
  { rows: design, columns }: Design,
  weights: Float32Array,
  judged: readonly number[],
  into: Float64Array,
): void {
  const m = weights.length / columns;
  for (const row of judged) {
    for (let column = 0; column < columns; column += 1) {
      const value = design[row * columns + column]!;
      for (let expert = 0; expert < m; expert += 1)
        into[row * m + expert]! += value * weights[column * m + expert]!;
    }
    centre(into, row * m, m);
  }
}

function judge(
  scores: Scores,
  means: Float64Array,
  predictions: readonly Float64Array[],
  claims: Claimed | null,
  seen: (row: number, expert: number) => number,
): Checked {
  const m = scores.experts.length;
  const effects = effectsOf(scores, () => true);
  const [chains, ...ridges] = predictions;
  const errors = ridges.map((ridge) => squaredError(ridge, effects.rest));
  const penalty = PENALTIES[indexOfSmallest(errors)]!;
  const ridge = ridges[indexOfSmallest(errors)]!;
  const blend = blendOf([chains!, ridge, ...(claims ? [claims.values] : [])], effects.rest);
  const predicted = means.map(
    (mean, at) =>
      mean +
      blend.chains * chains![at]! +
      blend.ridge * ridge[at]! +
      (claims ? (blend.claims ?? 0) * claims.values[at]! : 0),
  );
  const best = indexOfLargest(effects.means);
  const tried = HEAD_STARTS.map((headStart) => ({
    headStart,
    ...gainOf(scores, predicted, seen, best, headStart),
  }));
  const top = tried.reduce((a, b) => (b.mean > a.mean ? b : a));
  const significant = top.mean > top.standardError;
  return {
    penalty,
    headStart: significant ? top.headStart : Number.POSITIVE_INFINITY,
    unit: unitOf(predicted, m),
    predicted,
    evidence: {
      scores: scores.values.reduce((found, value) => found + Number(!Number.isNaN(value)), 0),
      bestSingle: columnMeans(scores.values, m)[best] ?? 0,
      gain: top.mean,
      standardError: top.standardError,
      significant,
      blend,
      deciding: decidingPrompts(scores),
      coverage: coverageOf(scores, predicted),
    },
  };
}

/**
 * Non-negative; clusterings and regression, which predict scores, not more than 1 together.
 * @param columns predictions by the clusterings, by the regression and, where there are texts, by what they claim
 */
function blendOf(columns: readonly Float64Array[], target: Float64Array): Evidence['blend'] {
  const [chains = 0, ridge = 0, claims] = nonNegativeWeights(columns, target);
  const sum = Math.max(1, chains + ridge);
  return { chains: chains / sum, ridge: ridge / sum, ...(claims === undefined ? {} : { claims }) };
}

function squaredError(predicted: Float64Array, target: Float64Array): number {
  let sum = 0;
  target.forEach((value, at) => {
    if (!Number.isNaN(value)) sum += (value - predicted[at]!) ** 2;
  });
  return sum;
}

/**
 * The score that the best expert for a prompt is expected to have above the average one: what choosing at random would
 * lose.
 */
function unitOf(predicted: Float64Array, experts: number): number {
  let sum = 0;
  const prompts = predicted.length / experts;
  for (let row = 0; row < prompts; row += 1) {
    const own = predicted.subarray(row * experts, (row + 1) * experts);
    let top = Number.NEGATIVE_INFINITY;
    let mean = 0;
    for (const value of own) {
      top = Math.max(top, value);
      mean += value / experts;
    }
    sum += top - mean;
  }
  return Math.max(sum / prompts, LEAST_UNIT);
}

const LEAST_UNIT = 1e-3;

function decidingPrompts({ experts, values, prompts }: Scores): number {
  const m = experts.length;
  let count = 0;
  for (let row = 0; row < prompts; row += 1) {
    const own = values.subarray(row * m, (row + 1) * m).filter((value) => !Number.isNaN(value));
    if (own.some((value) => value !== own[0])) count += 1;
  }
  return count;
}

export function indexOfLargest(values: ArrayLike<number>): number {
  let best = 0;
  for (let index = 1; index < values.length; index += 1) if (values[index]! > values[best]!) best = index;
  return best;
}

function indexOfSmallest(values: readonly number[]): number {
  return values.indexOf(Math.min(...values));
}

/**
 * From scored prompts to what each expert is good at: clusterings of several granularities and seeds, their shrunken
 * means, a ridge regression beside them, and cross-validation that says whether any of it beats the best single expert.
 */
import { seededRandom } from '../../core/random.ts';
import type { TaskRunner } from '../../core/tasks.ts';
import { kMeans } from '../../deciding/clustering/kmeans.ts';
import { distinctPoints, type Points } from '../../deciding/clustering/points.ts';
import {
  chosen,
  type Evidence,
  type Level,
  type Price,
  type Quality,
  type Ridge,
  ridgeRow,
} from '../../deciding/quality/quality.ts';
import { fitChain, type Partition } from './chain.ts';
import { coverageOf } from './coverage.ts';
import { foldsOf, groupsOf } from './folds.ts';
import { nonNegativeWeights } from './non-negative.ts';
import { fitRidge } from './ridge.ts';
import { type Effects, effectsOf, type Scores } from './scores.ts';

export interface LearnOptions {
  readonly seed: number;
  /** Prices of the experts, in their order. */
  readonly prices?: readonly Price[];
  readonly onStage?: (stage: string, done: number, total: number) => void;
}

/** Numbers of clusters, coarse to fine. A clustering has eight prompts a cluster at least. */
const GRANULARITIES = [8, 64];
const PROMPTS_A_CLUSTER = 8;
const SEEDS = 3;
const RESTARTS = 3;
const FOLDS = 4;
/** Width of a membership exp(−d² / width), for unit vectors. */
const WIDTH = 0.6;
const PENALTIES = [30, 100, 300];
/** Leads of the best single expert that are tried. */
const HEAD_STARTS = [0, 0.005, 0.01, 0.02, 0.04, 0.08];

/** What is learned from all prompts regardless of scores, so that folds need not repeat it. */
interface Design {
  readonly partitions: readonly (readonly Partition[])[];
  readonly ridge: Pick<Ridge, 'centroids' | 'width'>;
  /** n × columns. */
  readonly rows: Float32Array;
  readonly columns: number;
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
  const { seed, onStage = () => {} } = options;
  const design = await designOf(points, seed, tasks, onStage);
  const folds = foldsFor(points, design, seed);
  const checked = crossValidated(design, scores, folds, onStage);
  const all = Array.from({ length: scores.prompts }, (_, row) => row);
  const effects = effectsOf(scores, () => true);
  const best = indexOfLargest(effects.means);
  const ridge =
    checked.weights[1] === 0
      ? null
      : {
          ...design.ridge,
          weights: fitRidge(design.rows, design.columns, effects.rest, all, checked.penalty).map(
            (weight) => weight * checked.weights[1]!,
          ),
        };
  return {
    experts: scores.experts,
    dimensions: points.dimensions,
    means: Float32Array.from(effects.means),
    variances: Float32Array.from(effects.variances),
    chains: design.partitions.map((levels) => fitChain(levels, effects, all, checked.weights[0])),
    ridge,
    best,
    headStart: checked.headStart,
    unit: checked.unit,
    prices: options.prices ?? scores.experts.map(() => ({ cost: null, latency: null })),
    evidence: { ...checked.evidence, prompts: scores.prompts, seed },
  };
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
  { seed, onStage = () => {} }: LearnOptions,
  tasks: TaskRunner,
): Promise<OutOfFold> {
  const design = await designOf(points, seed, tasks, onStage);
  const { predicted, headStart } = crossValidated(design, scores, foldsFor(points, design, seed), onStage);
  return { predicted, headStart, best: indexOfLargest(effectsOf(scores, () => true).means) };
}

async function designOf(
  points: Points,
  seed: number,
  tasks: TaskRunner,
  onStage: NonNullable<LearnOptions['onStage']>,
): Promise<Design> {
  const random = seededRandom(seed);
  const most = distinctPoints(points, Math.max(...GRANULARITIES));
  const counts = GRANULARITIES.map((k) => Math.min(k, most)).filter(
    (k, level) => level === 0 || k * PROMPTS_A_CLUSTER <= points.count,
  );
  const partitions: Partition[][] = [];
  let done = 0;
  for (let run = 0; run < SEEDS; run += 1) {
    const levels: Partition[] = [];
    for (const clusters of counts) {
      const found = await kMeans(
        points,
        { clusters, restarts: RESTARTS },
        random.fork(`run ${run} of ${clusters}`),
        tasks,
      );
      levels.push({ centroids: found.centroids, clusters, labels: found.labels });
      done += 1;
      onStage('clusterings', done, SEEDS * counts.length);
    }
    partitions.push(levels);
  }
  const ridge = { centroids: partitions[0]!.at(-1)!.centroids, width: WIDTH };
  const columns = points.dimensions + ridge.centroids.length / points.dimensions + 1;
  const rows = new Float32Array(points.count * columns);
  const row = new Float64Array(columns);
  for (let index = 0; index < points.count; index += 1) {
    ridgeRow(ridge, points.values, index * points.dimensions, points.dimensions, row);
    rows.set(row, index * columns);
  }
  return { partitions, ridge, rows, columns };
}

function foldsFor(points: Points, { partitions }: Design, seed: number): Uint32Array {
  const groups = groupsOf(points, partitions[0]!.at(-1)!.labels);
  return foldsOf(groups, FOLDS, seededRandom(seed).fork('folds'));
}

interface Checked {
  /** Of the chains and of the ridge regression. */
  readonly weights: readonly number[];
  readonly penalty: number;
  readonly headStart: number;
  readonly unit: number;
  readonly predicted: Float64Array;
  readonly evidence: Omit<Evidence, 'prompts' | 'seed'>;
}

/** Every prompt is predicted by what was learned from the other folds; the blend and the head start follow from that. */
function crossValidated(
  design: Design,
  scores: Scores,
  folds: Uint32Array,
  onStage: NonNullable<LearnOptions['onStage']>,
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
    PENALTIES.forEach((penalty, index) => {
      predictRidge(design, effects, rows, judged, penalty, predictions[index + 1]!);
    });
    onStage('cross-validation', fold + 1, FOLDS);
  }
  return judge(scores, means, predictions, sharesSeen(design.partitions[0]![0]!, scores));
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

function predictRidge(
  { rows: design, columns }: Design,
  { rest, means }: Effects,
  rows: readonly number[],
  judged: readonly number[],
  penalty: number,
  into: Float64Array,
): void {
  const m = means.length;
  const weights = fitRidge(design, columns, rest, rows, penalty);
  for (const row of judged) {
    for (let column = 0; column < columns; column += 1) {
      const value = design[row * columns + column]!;
      for (let expert = 0; expert < m; expert += 1)
        into[row * m + expert]! += value * weights[column * m + expert]!;
    }
    centre(into, row * m, m);
  }
}

/** What is equal for all experts decides nothing. */
function centre(values: Float64Array, at: number, count: number): void {
  let mean = 0;
  for (let index = at; index < at + count; index += 1) mean += values[index]! / count;
  for (let index = at; index < at + count; index += 1) values[index]! -= mean;
}

function judge(
  scores: Scores,
  means: Float64Array,
  predictions: readonly Float64Array[],
  seen: (row: number, expert: number) => number,
): Checked {
  const { experts, values } = scores;
  const m = experts.length;
  const effects = effectsOf(scores, () => true);
  const [chains, ...ridges] = predictions;
  const errors = ridges.map((ridge) => squaredError(ridge, effects.rest));
  const penalty = PENALTIES[indexOfSmallest(errors)]!;
  const ridge = ridges[indexOfSmallest(errors)]!;
  const weights = blendOf(chains!, ridge, effects.rest);
  const predicted = means.map((mean, at) => mean + weights[0]! * chains![at]! + weights[1]! * ridge[at]!);
  const best = indexOfLargest(effects.means);
  const tried = HEAD_STARTS.map((headStart) => ({
    headStart,
    ...gainOf(scores, predicted, seen, best, headStart),
  }));
  const top = tried.reduce((a, b) => (b.mean > a.mean ? b : a));
  const significant = top.mean > top.standardError;
  let sum = 0;
  let count = 0;
  for (let at = best; at < values.length; at += m) {
    if (Number.isNaN(values[at]!)) continue;
    sum += values[at]!;
    count += 1;
  }
  return {
    weights,
    penalty,
    headStart: significant ? top.headStart : Number.POSITIVE_INFINITY,
    unit: unitOf(predicted, m),
    predicted,
    evidence: {
      scores: values.reduce((found, value) => found + Number(!Number.isNaN(value)), 0),
      bestSingle: count === 0 ? 0 : sum / count,
      gain: top.mean,
      standardError: top.standardError,
      significant,
      blend: { chains: weights[0]!, ridge: weights[1]! },
      deciding: decidingPrompts(scores),
      coverage: coverageOf(scores, predicted),
    },
  };
}

/** Non-negative, and not more than 1 together. */
function blendOf(chains: Float64Array, ridge: Float64Array, target: Float64Array): readonly [number, number] {
  const [a = 0, b = 0] = nonNegativeWeights([chains, ridge], target);
  const sum = Math.max(1, a + b);
  return [a / sum, b / sum];
}

function squaredError(predicted: Float64Array, target: Float64Array): number {
  let sum = 0;
  target.forEach((value, at) => {
    if (!Number.isNaN(value)) sum += (value - predicted[at]!) ** 2;
  });
  return sum;
}

/**
 * How much more choosing by prompt scores than the best single expert. Where all scores are there, the plain paired
 * difference; where some are missing, the prediction stands in, corrected by the scores that are there, weighted by how
 * rarely they are (doubly robust: Dudík, Langford & Li, ICML 2011).
 */
function gainOf(
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
function sharesSeen(
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

function indexOfLargest(values: ArrayLike<number>): number {
  let best = 0;
  for (let index = 1; index < values.length; index += 1) if (values[index]! > values[best]!) best = index;
  return best;
}

function indexOfSmallest(values: readonly number[]): number {
  return values.indexOf(Math.min(...values));
}

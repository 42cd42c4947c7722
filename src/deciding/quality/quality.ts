/**
 * How good each expert is at a prompt, as learned from scores: its mean score, corrected by where the prompt lies in
 * clusterings of several granularities and by a ridge regression on the vector. docs/learning.md has the method.
 */
import { nearestTo, squaredDistance } from '../clustering/distances.ts';

/** A clustering, and by how much every expert's score differs in each cluster from what the coarser ones say. */
export interface Level {
  /** k × dimensions. */
  readonly centroids: Float32Array;
  /** k × experts: added to the expected score, shrunk by how little is known. */
  readonly offsets: Float32Array;
  /** k × experts: the variance of each offset's error. */
  readonly variances: Float32Array;
}

/** Linear in the vector and in its memberships, exp(−d² / width), of a clustering. */
export interface Ridge {
  readonly centroids: Float32Array;
  readonly width: number;
  /** (dimensions + k + 1) × experts, the last row being the constant. */
  readonly weights: Float32Array;
}

/** What descriptions and samples claim of a prompt, as a part of the expected score. */
export interface ClaimsCount {
  /** Score that an expert gains which alone claims a prompt over one that does not; 0 where texts add nothing to the scores. */
  readonly weight: number;
  /** Each expert's mean share of the claims, over the prompts learned from. */
  readonly means: readonly number[];
}

/** What an expert asks for an answer, on average; null where the outcomes did not say. */
export interface Price {
  readonly cost: number | null;
  readonly latency: number | null;
}

export interface Quality {
  readonly experts: readonly string[];
  readonly dimensions: number;
  /** Expected score of each expert over all prompts, 0 to 1. */
  readonly means: Float32Array;
  /** Variance of each mean's error. */
  readonly variances: Float32Array;
  /** Clusterings by granularity, for each of several seeds; the seeds' estimates are averaged. */
  readonly chains: readonly (readonly Level[])[];
  readonly ridge: Ridge | null;
  /** How much the experts' texts count beside the scores; null or absent where they were not known in learning. */
  readonly claims?: ClaimsCount | null;
  /** The best single expert, and the lead that it is given over the others, in score. */
  readonly best: number;
  readonly headStart: number;
  /** The loss in score that counts as one unit of lost fit. */
  readonly unit: number;
  readonly prices: readonly Price[];
  readonly evidence: Evidence;
}

/** What cross-validation said, stored for the reader. */
export interface Evidence {
  readonly prompts: number;
  /** Scores over all prompts and experts. */
  readonly scores: number;
  /** Mean score of the best single expert, and what choosing by prompt adds to it, with its standard error. */
  readonly bestSingle: number;
  readonly gain: number;
  readonly standardError: number;
  /** Whether that is more than one standard error. If not, all prompts go to the best single expert. */
  readonly significant: boolean;
  /** How much of the correction comes from the clusterings, from the regression and, where they were known, from the experts' texts. */
  readonly blend: { readonly chains: number; readonly ridge: number; readonly claims?: number };
  /** Prompts whose experts' scores differ: all others say nothing about the choice. */
  readonly deciding: number;
  /**
   * Where experts' scores differ, the best expert is among those expected within `gap` of the highest on this share of
   * prompts; null for too few to tell, absent in older files.
   */
  readonly coverage?: { readonly share: number; readonly gap: number } | null;
  readonly seed: number;
}

/** Per expert, in the order of `experts`. */
export interface Fit {
  /** Expected score, 0 to 1 where scores are; not clipped. */
  readonly scores: Float64Array;
  /** Standard error of each expected score: how little is known about the expert here. */
  readonly standardErrors: Float64Array;
}

/**
 * @param vector unit vector of the router model's embedding; zeros give the plain means
 * @param shares each expert's share of what texts claim of the prompt; null for the mean share
 */
export function fitOf(
  { means, variances, chains, ridge, claims }: Quality,
  vector: Float32Array,
  shares: Float64Array | null = null,
): Fit {
  const scores = Float64Array.from(means);
  const errors = Float64Array.from(variances);
  if (vector.some((value) => value !== 0)) {
    for (const level of chains.flat()) addLevel(level, vector, 1 / chains.length, scores, errors);
    if (ridge !== null) addRidge(ridge, vector, scores);
  }
  if (claims && shares !== null) addClaims(claims, shares, scores);
  return { scores, standardErrors: errors.map(Math.sqrt) };
}

/**
 * The lead of the best single expert. Where nothing beats it in score, prices may still part experts by prompt: then
 * the shrunken scores alone are caution enough.
 */
export function leadOf(headStart: number, pricesCount: boolean): number {
  return pricesCount && !Number.isFinite(headStart) ? 0 : headStart;
}

/** The highest score, `headStart` added to that of `best`. */
export function chosen(scores: ArrayLike<number>, best: number, headStart: number): number {
  let choice = best;
  let top = scores[best]! + headStart;
  for (let expert = 0; expert < scores.length; expert += 1) {
    if (scores[expert]! > top) {
      top = scores[expert]!;
      choice = expert;
    }
  }
  return choice;
}

/** Errors of the seeds' chains are far from independent, so their variances are averaged like the offsets. */
function addLevel(
  { centroids, offsets, variances }: Level,
  vector: Float32Array,
  weight: number,
  scores: Float64Array,
  errors: Float64Array,
): void {
  const row = nearestTo(vector, centroids) * scores.length;
  for (let expert = 0; expert < scores.length; expert += 1) {
    scores[expert]! += weight * offsets[row + expert]!;
    errors[expert]! += weight * variances[row + expert]!;
  }
}

/** What is claimed of a prompt more than usual; what all gain alike decides nothing. */
function addClaims({ weight, means }: ClaimsCount, shares: Float64Array, scores: Float64Array): void {
  const more = shares.map((share, expert) => share - means[expert]!);
  const common = more.reduce((sum, value) => sum + value, 0) / more.length;
  for (let expert = 0; expert < scores.length; expert += 1)
    scores[expert]! += weight * (more[expert]! - common);
}

function addRidge(ridge: Ridge, vector: Float32Array, scores: Float64Array): void {
  const row = new Float64Array(ridge.weights.length / scores.length);
  ridgeRow(ridge, vector, 0, vector.length, row);
  const { weights } = ridge;
  for (let column = 0; column < row.length; column += 1) {
    const value = row[column]!;
    const at = column * scores.length;
    for (let expert = 0; expert < scores.length; expert += 1)
      scores[expert]! += value * weights[at + expert]!;
  }
}

/** The columns of the regression for the vector that starts at `at`: itself, its memberships, and 1. */
export function ridgeRow(
  { centroids, width }: Pick<Ridge, 'centroids' | 'width'>,
  values: Float32Array,
  at: number,
  dimensions: number,
  row: Float64Array,
): void {
  for (let j = 0; j < dimensions; j += 1) row[j] = values[at + j]!;
  const clusters = centroids.length / dimensions;
  for (let cluster = 0; cluster < clusters; cluster += 1) {
    const distance = squaredDistance(values, at, centroids, cluster * dimensions, dimensions);
    row[dimensions + cluster] = Math.exp(-distance / width);
  }
  row[dimensions + clusters] = 1;
}

/**
 * Classifies a text: nearest centroid, margin, confidence, and whether the text resembles the training prompts at all.
 */
import type { Embedded } from '../embedding/embedding.ts';
import type { RoutableText } from '../text/routable.ts';
import type { Calibration, RouterModel } from './router-model.ts';

export interface Classification {
  /** Of the text with its context: unit length, or zeros. */
  readonly vector: Float32Array;
  /** Of the turn by itself: the person's words and what they quote. */
  readonly own: Float32Array;
  /** How many the person's words are, or about half the characters where none are separated. */
  readonly words: number;
  readonly cluster: number;
  readonly name: string;
  /** To every centroid, Euclidean, from the text's unit vector. */
  readonly distances: Float32Array;
  /** Distance to the second nearest centroid minus that to the nearest; 0 with a single cluster. */
  readonly margin: number;
  /** 0..1: how often a model trained on other prompts of the same kind would agree (docs/router-model.md). */
  readonly confidence: number;
  /** The text is unlike the prompts the model was trained on; its cluster means little. */
  readonly outside: boolean;
  /** The measure behind `outside`: above 1 is outside, 0 is at a centroid. */
  readonly strangeness: number;
  /** Room for what routing finds of it. */
  found?: unknown;
}

/** Never throws for a synchronous embedding, whatever the text. @throws TypeError if the embedding is asynchronous */
export function classify(model: RouterModel, text: RoutableText): Classification {
  const { embedding } = model;
  if (embedding.asynchronous) throw new TypeError(`the embedding '${embedding.id}' is asynchronous`);
  return classifyEmbedded(model, embedding.embed(text));
}

/** For any model; returns a promise only if the embedding is asynchronous, rejected when it fails. */
export function classifyAll(
  model: RouterModel,
  texts: readonly RoutableText[],
): readonly Classification[] | Promise<readonly Classification[]> {
  const { embedding } = model;
  if (!embedding.asynchronous) return texts.map((text) => classifyEmbedded(model, embedding.embed(text)));
  return Promise.all(texts.map(async (text) => classifyEmbedded(model, await embedding.embed(text))));
}

export function classifyEmbedded(
  model: RouterModel,
  { vector, familiarity, own = vector, words = Number.POSITIVE_INFINITY }: Embedded,
): Classification {
  const distances = distancesTo(model, vector);
  const { cluster, nearest, second } = twoNearest(distances);
  const { calibration } = model;
  const empty = isZero(vector);
  const strangeness = empty
    ? Number.POSITIVE_INFINITY
    : strangenessOf(calibration, cluster, nearest, familiarity);
  return {
    vector,
    own,
    words,
    cluster,
    name: model.names[cluster] ?? '',
    distances,
    margin: model.clusters > 1 ? second - nearest : 0,
    confidence: empty ? 0 : interpolate(calibration, scoreOf(calibration, cluster, nearest, second)),
    outside: strangeness > 1,
    strangeness,
    found: undefined,
  };
}

/** Distances of a unit (or zero) vector to all centroids. */
function distancesTo(model: RouterModel, vector: Float32Array): Float32Array {
  const { squaredNorms, table } = model;
  const own = isZero(vector) ? 0 : 1;
  const distances = new Float32Array(model.clusters);
  const dots = table.dots(vector);
  for (let cluster = 0; cluster < distances.length; cluster += 1)
    distances[cluster] = Math.sqrt(Math.max(0, own + squaredNorms[cluster]! - 2 * dots[cluster]!));
  return distances;
}

export interface TwoNearest {
  readonly cluster: number;
  readonly runnerUp: number;
  readonly nearest: number;
  /** Infinity with a single cluster. */
  readonly second: number;
}

export function twoNearest(distances: Float32Array): TwoNearest {
  let cluster = 0;
  let runnerUp = 0;
  let nearest = Number.POSITIVE_INFINITY;
  let second = Number.POSITIVE_INFINITY;
  for (let index = 0; index < distances.length; index += 1) {
    const distance = distances[index]!;
    if (distance < nearest) {
      second = nearest;
      runnerUp = cluster;
      nearest = distance;
      cluster = index;
    } else if (distance < second) {
      second = distance;
      runnerUp = index;
    }
  }
  return { cluster, runnerUp, nearest, second };
}

/**
 * Distance over the cluster's radius, divided by the text's familiarity, relative to what ordinary texts reach: above 1
 * it is outside.
 */
export function strangenessOf(
  { radii, strangest }: Pick<Calibration, 'radii' | 'strangest'>,
  cluster: number,
  nearest: number,
  familiarity: number,
): number {
  const radius = Math.max(radii[cluster]!, LEAST_RADIUS);
  return familiarity === 0 ? Number.POSITIVE_INFINITY : nearest / radius / familiarity / strangest;
}

/** Avoids division by zero for clusters of identical texts. */
const LEAST_RADIUS = 1e-3;

/** The score that confidence is a function of: the margin on a logarithmic scale plus the cluster's offset. */
export function scoreOf(
  { offsets, slope }: Pick<Calibration, 'offsets' | 'slope'>,
  cluster: number,
  nearest: number,
  second: number,
): number {
  return slope * logMargin(nearest, second) + (offsets[cluster] ?? 0);
}

/** Logarithm of the relative margin, bounded below for points midway between two centroids. */
export function logMargin(nearest: number, second: number): number {
  return Math.log(marginScore(nearest, second) + LEAST_MARGIN);
}

const LEAST_MARGIN = 0.005;

/** The lead over the runner-up, relative to how far both are: 0 on the border, 1 on the centroid. */
export function marginScore(nearest: number, second: number): number {
  if (!Number.isFinite(second)) return 1;
  return second + nearest === 0 ? 0 : (second - nearest) / (second + nearest);
}

/** The confidence at a score. */
export function interpolate(
  { scores, confidences }: Pick<Calibration, 'scores' | 'confidences'>,
  score: number,
): number {
  const last = scores.length - 1;
  if (last < 0) return 0;
  if (score <= scores[0]!) return confidences[0]!;
  if (score >= scores[last]!) return confidences[last]!;
  let right = 1;
  while (scores[right]! < score) right += 1;
  const span = scores[right]! - scores[right - 1]!;
  const part = span === 0 ? 0 : (score - scores[right - 1]!) / span;
  return confidences[right - 1]! + part * (confidences[right]! - confidences[right - 1]!);
}

function isZero(vector: Float32Array): boolean {
  for (const value of vector) if (value !== 0) return false;
  return true;
}

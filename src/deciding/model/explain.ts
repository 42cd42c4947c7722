/**
 * Which words of a text spoke for the chosen cluster and which against it, compared with the runner-up. Exact: the
 * way from words to distances is linear but for one common length, so that the shares add up to the whole lead.
 */
import { TermCounts } from '../embedding/term-counts.ts';
import { termFrequency } from '../embedding/weighting.ts';
import { FeatureBuffer } from '../text/feature-buffer.ts';
import { extractFeatures, normalise } from '../text/features.ts';
import { budgetOf, type RoutableText, type Segment } from '../text/routable.ts';
import { sampleText } from '../text/sampling.ts';
import { wordsOf } from '../text/words.ts';
import { type Classification, twoNearest } from './classify.ts';
import { embed } from './embed.ts';
import type { RouterModel } from './router-model.ts';

export interface TermWeight {
  readonly term: string;
  /** Share of the lead (difference of squared distances) over the runner-up; negative when it spoke against. */
  readonly weight: number;
}

export interface Explanation {
  /** Falling by weight. */
  readonly for: readonly TermWeight[];
  /** Most negative first. */
  readonly against: readonly TermWeight[];
  /** Share of the lead that no word carries: the centroids' own lengths. All shares of all words and this add to 1. */
  readonly constant: number;
}

/** Words with their share of the lead; a feature of several characters is divided evenly among them. */
export function explain(
  model: RouterModel,
  text: RoutableText,
  classification: Classification,
  limit = 8,
): Explanation {
  const { cluster, runnerUp, nearest, second } = twoNearest(classification.distances);
  const nothing: Explanation = { for: [], against: [], constant: 1 };
  if (cluster === runnerUp || !Number.isFinite(second)) return nothing;
  const direction = directionBetween(model, cluster, runnerUp);
  const sums = new Map<string, number>();
  const length = rawLength(model, text, direction, sums);
  const lead = second * second - nearest * nearest;
  if (length === 0 || lead <= 0) return nothing;
  const all = [...sums].map(([term, value]) => ({ term, weight: (2 * value) / (length * lead) }));
  all.sort((a, b) => b.weight - a.weight || (a.term < b.term ? -1 : 1));
  const constant = (model.squaredNorms[runnerUp]! - model.squaredNorms[cluster]!) / lead;
  return {
    for: all.filter((one) => one.weight > 0).slice(0, limit),
    against: all
      .filter((one) => one.weight < 0)
      .reverse()
      .slice(0, limit),
    constant,
  };
}

/** Adds each word's part of (unnormalised vector)·direction to `sums`; returns that vector's length. */
function rawLength(
  model: RouterModel,
  text: RoutableText,
  direction: Float64Array,
  sums: Map<string, number>,
): number {
  let along = 0;
  for (const segment of text.segments) along += addSegment(model, segment, direction, sums);
  // The unit vector's part along the direction is known, so the common length follows without a second projection.
  const { vector } = embed(model, text);
  let unitAlong = 0;
  for (let j = 0; j < direction.length; j += 1) unitAlong += vector[j]! * direction[j]!;
  return unitAlong === 0 ? 0 : along / unitAlong;
}

function addSegment(
  model: RouterModel,
  segment: Segment,
  direction: Float64Array,
  sums: Map<string, number>,
): number {
  const text = normalise(sampleText(segment.text, budgetOf(segment)));
  const features = new FeatureBuffer(true);
  extractFeatures(text, features);
  const counted = new TermCounts(model.lookup);
  counted.count(features);
  const energy = energyOf(model, counted);
  if (energy === 0) return 0;
  const perUnit = new Float64Array(text.length);
  let total = 0;
  for (let index = 0; index < features.length; index += 1) {
    const term = model.lookup.find(features.hashes[index]!);
    if (term < 0) continue;
    const count = counted.counts[term]!;
    const weight = (termFrequency(count) * model.terms.weights[term]!) / count;
    const value = (segment.weight / Math.sqrt(energy)) * weight * alongOf(model, term, direction);
    total += value;
    spread(text, perUnit, features.starts[index]!, features.ends[index]!, value);
  }
  for (const word of wordsOf(text)) {
    let sum = 0;
    for (let at = word.start; at < word.end; at += 1) sum += perUnit[at]!;
    if (sum === 0) continue;
    const term = word.kind === 'space' ? '⏎ indentation' : text.slice(word.start, word.end).toLowerCase();
    sums.set(term, (sums.get(term) ?? 0) + sum);
  }
  return total;
}

/** Evenly over the characters of the feature; over its spaces only where it has nothing else, as indentation. */
function spread(text: string, perUnit: Float64Array, start: number, end: number, value: number): void {
  let visible = 0;
  for (let at = start; at < end; at += 1) if (text.charCodeAt(at) > SPACE_UNIT) visible += 1;
  for (let at = start; at < end; at += 1) {
    if (visible === 0) perUnit[at]! += value / (end - start);
    else if (text.charCodeAt(at) > SPACE_UNIT) perUnit[at]! += value / visible;
  }
}

const SPACE_UNIT = 0x20;

function energyOf(model: RouterModel, counted: TermCounts): number {
  let energy = 0;
  for (let index = 0; index < counted.length; index += 1) {
    const term = counted.terms[index]!;
    energy += (termFrequency(counted.counts[term]!) * model.terms.weights[term]!) ** 2;
  }
  return energy;
}

function alongOf(model: RouterModel, term: number, direction: Float64Array): number {
  const { rows, scales } = model.terms;
  let dot = 0;
  const at = term * direction.length;
  for (let j = 0; j < direction.length; j += 1) dot += rows[at + j]! * direction[j]!;
  return dot * scales[term]!;
}

function directionBetween(model: RouterModel, a: number, b: number): Float64Array {
  const { centroids, dimensions } = model;
  return Float64Array.from(
    { length: dimensions },
    (_, j) => centroids[a * dimensions + j]! - centroids[b * dimensions + j]!,
  );
}

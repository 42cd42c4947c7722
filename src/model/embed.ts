/**
 * A text's place in the model's space: every segment's tf-idf weights at unit length, added by segment weight,
 * projected, brought to unit length. It knows nothing of clusters.
 */
import { TermCounts } from '../embedding/term-counts.ts';
import { termFrequency } from '../embedding/weighting.ts';
import { extractFeatures, FeatureBuffer, KINDS, normalise } from '../text/features.ts';
import { budgetOf, type RoutableText } from '../text/routable.ts';
import { sampleText } from '../text/sampling.ts';
import type { RouterModel } from './router-model.ts';

export interface Embedded {
  /** Unit length, or all zero when nothing in the text is known. */
  readonly vector: Float32Array;
  /** Squared length of the main segment's projection over that of its weights, unknown features included: 0..1. */
  readonly share: number;
}

interface Scratch {
  readonly features: FeatureBuffer;
  readonly counts: TermCounts;
  readonly projection: Float64Array;
}

/** One model's working arrays; decisions are synchronous, so one set is enough. */
const scratches = new WeakMap<RouterModel, Scratch>();

function scratchOf(model: RouterModel): Scratch {
  let scratch = scratches.get(model);
  if (!scratch) {
    scratch = {
      features: new FeatureBuffer(),
      counts: new TermCounts(model.lookup),
      projection: new Float64Array(model.dimensions),
    };
    scratches.set(model, scratch);
  }
  return scratch;
}

/** Unit vector, or all zero if the model knows nothing of the text. */
export function embedText(model: RouterModel, text: RoutableText): Float32Array {
  return embed(model, text).vector;
}

export function embed(model: RouterModel, text: RoutableText): Embedded {
  const { features, counts, projection } = scratchOf(model);
  const total = new Float64Array(model.dimensions);
  let share = 0;
  for (const [index, segment] of text.segments.entries()) {
    extractFeatures(normalise(sampleText(segment.text, budgetOf(segment))), features);
    counts.count(features);
    const known = projectCounts(model, counts, projection);
    if (index === 0) share = shareOf(model, counts, projection, known);
    if (known === 0) continue;
    const factor = segment.weight / Math.sqrt(known);
    for (let j = 0; j < total.length; j += 1) total[j]! += factor * projection[j]!;
  }
  return { vector: unit(total), share };
}

/** Writes the projection of the counted terms; returns the squared length of their weights. */
function projectCounts(model: RouterModel, counted: TermCounts, projection: Float64Array): number {
  const { weights, rows, scales } = model.terms;
  const { counts, terms } = counted;
  const width = projection.length;
  projection.fill(0);
  let energy = 0;
  for (let index = 0; index < counted.length; index += 1) {
    const term = terms[index]!;
    const weight = termFrequency(counts[term]!) * weights[term]!;
    energy += weight * weight;
    const gain = weight * scales[term]!;
    const at = term * width;
    for (let j = 0; j < width; j += 1) projection[j]! += gain * rows[at + j]!;
  }
  return energy;
}

function shareOf(model: RouterModel, counted: TermCounts, projection: Float64Array, known: number): number {
  let energy = known;
  for (let kind = 0; kind < KINDS; kind += 1) {
    energy += counted.unknown[kind]! * model.terms.unknownWeights[kind]! ** 2;
  }
  if (energy === 0) return 0;
  let projected = 0;
  for (const value of projection) projected += value * value;
  return projected / energy;
}

function unit(vector: Float64Array): Float32Array {
  let sum = 0;
  for (const value of vector) sum += value * value;
  const length = Math.sqrt(sum);
  return length === 0
    ? new Float32Array(vector.length)
    : Float32Array.from(vector, (value) => value / length);
}

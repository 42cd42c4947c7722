/**
 * A text's place in the model's space: every segment's tf-idf weights at unit length, added by segment weight,
 * projected, brought to unit length. It knows nothing of clusters.
 */
import { addRows } from '../embedding/project.ts';
import { TermCounts } from '../embedding/term-counts.ts';
import { termFrequency } from '../embedding/weighting.ts';
import { FeatureBuffer } from '../text/feature-buffer.ts';
import { extractFeatures, KINDS, normalise } from '../text/features.ts';
import { budgetOf, type RoutableText } from '../text/routable.ts';
import { sampleText } from '../text/sampling.ts';
import type { RouterModel } from './router-model.ts';

export interface Embedded {
  /** Unit length, or all zero when nothing in the text is known. */
  readonly vector: Float32Array;
  /** How far the main segment's terms point the same way, unknown features pointing nowhere: 0..1. */
  readonly coherence: number;
}

interface Scratch {
  readonly features: FeatureBuffer;
  readonly counts: TermCounts;
  readonly projection: Float64Array;
  readonly gains: Float64Array;
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
      gains: new Float64Array(model.lookup.size),
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
  const scratch = scratchOf(model);
  const { features, counts, projection } = scratch;
  const total = new Float64Array(model.dimensions);
  let coherence = 0;
  for (const [index, segment] of text.segments.entries()) {
    extractFeatures(normalise(sampleText(segment.text, budgetOf(segment))), features);
    counts.count(features);
    const { energy, total: known } = projectCounts(model, counts, scratch);
    if (index === 0) coherence = coherenceOf(model, counts, projection, known);
    if (energy === 0) continue;
    const factor = segment.weight / Math.sqrt(energy);
    for (let j = 0; j < total.length; j += 1) total[j]! += factor * projection[j]!;
  }
  return { vector: unit(total), coherence };
}

interface Weighed {
  /** Sum of the squared weights of the known terms. */
  readonly energy: number;
  /** Sum of their weights. */
  readonly total: number;
}

/** Writes the projection of the counted terms. */
function projectCounts({ terms }: RouterModel, counted: TermCounts, { projection, gains }: Scratch): Weighed {
  projection.fill(0);
  let energy = 0;
  let total = 0;
  for (let index = 0; index < counted.length; index += 1) {
    const term = counted.terms[index]!;
    const weight = termFrequency(counted.counts[term]!) * terms.weights[term]!;
    energy += weight * weight;
    total += weight;
    gains[index] = weight * terms.scales[term]!;
  }
  addRows(terms.rows, counted.terms, gains, counted.length, projection);
  return { energy, total };
}

function coherenceOf(
  { terms }: RouterModel,
  counted: TermCounts,
  projection: Float64Array,
  known: number,
): number {
  let weight = known;
  for (let kind = 0; kind < KINDS; kind += 1) weight += counted.unknown[kind]! * terms.unknownWeights[kind]!;
  return weight === 0 ? 0 : lengthOf(projection) / weight;
}

function unit(vector: Float64Array): Float32Array {
  const length = lengthOf(vector);
  const scaled = new Float32Array(vector.length);
  if (length > 0) for (let j = 0; j < scaled.length; j += 1) scaled[j] = vector[j]! / length;
  return scaled;
}

/** A plain loop: Math.hypot over spread arguments costs several times as much. */
function lengthOf(vector: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < vector.length; j += 1) sum += vector[j]! * vector[j]!;
  return Math.sqrt(sum);
}

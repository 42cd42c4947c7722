/**
 * From a text to its vector: every segment's normalised tf-idf weights, added by segment weight, projected and
 * normalised. All but the last step is linear, so a vector can be traced back to words exactly.
 */
import { FeatureBuffer } from '../../text/feature-buffer.ts';
import { DENSE_TWO, DENSE_WEAK, extractFeatures, KINDS, normalise, WORD } from '../../text/features.ts';
import { budgetOf, type RoutableText, type Segment } from '../../text/routable.ts';
import { sampleText } from '../../text/sampling.ts';
import { wordsOf } from '../../text/words.ts';
import type { Embedded, Embedding, Sections, WordShare } from '../embedding.ts';
import { RowSums } from './rows.ts';
import { TermCounts } from './term-counts.ts';
import { TermLookup, type Terms } from './terms.ts';
import { termFrequency } from './weighting.ts';

export class LexicalEmbedding implements Embedding {
  readonly id: string;
  readonly dimensions: number;
  readonly sections: () => Sections;
  readonly #terms: Terms;
  readonly #lookup: TermLookup;
  // Reused for every text: `embed` is synchronous, so one set is enough.
  readonly #counts: TermCounts;
  readonly #sums: RowSums;
  /** By term its weight, and its weight times the scale of its row: side by side, so that one read fetches both. */
  readonly #gains: Float32Array;
  readonly #projection: Float64Array;
  readonly #total: Float64Array;

  constructor(id: string, terms: Terms, sections: () => Sections) {
    this.id = id;
    this.dimensions = terms.dimensions;
    this.sections = sections;
    this.#terms = terms;
    this.#lookup = new TermLookup(terms.hashes);
    this.#counts = new TermCounts(this.#lookup);
    this.#sums = new RowSums(terms.rows, terms.hashes.length, terms.dimensions);
    this.#projection = this.#sums.sum;
    this.#total = new Float64Array(terms.dimensions);
    this.#gains = Float32Array.from({ length: 2 * terms.hashes.length }, (_, at) => {
      const term = at >>> 1;
      return terms.weights[term]! * (at % 2 === 0 ? 1 : terms.scales[term]!);
    });
  }

  /** The familiarity measures how far the main segment's terms agree in direction; unknown features lower it. */
  embed(text: RoutableText): Embedded {
    const { total, familiarity, own, words } = this.#add(text);
    const vector = unit(total);
    return { vector, familiarity, own: own ?? vector, words };
  }

  /** The vector before it is normalised. */
  #add(text: RoutableText): Added {
    const projection = this.#projection;
    const total = this.#total.fill(0);
    let familiarity = 0;
    let own: Float32Array | null = null;
    let words = 0;
    const weights: number[] = [];
    for (let index = 0; index < text.segments.length; index += 1) {
      const segment = text.segments[index]!;
      extractFeatures(readable(segment), this.#counts);
      const { energy, known } = this.#project();
      if (index === 0) {
        familiarity = this.#coherence(known);
        words = wordsAmong(this.#counts.features);
      } else if (segment.fades) own ??= unit(total);
      const silence = Math.exp(-words / WORDS);
      const alone = text.segments.length === 1;
      weights.push(
        segment.weight * (index === 0 && !alone ? Math.max(LEAST, 1 - silence) : segment.fades ? silence : 1),
      );
      if (energy === 0) continue;
      const factor = weights[index]! / Math.sqrt(energy);
      for (let j = 0; j < total.length; j += 1) total[j]! += factor * projection[j]!;
    }
    return { total, familiarity, own, words, weights };
  }

  /** Projects the counted terms; returns the sum of their squared weights and the sum of their weights. */
  #project(): { energy: number; known: number } {
    const counted = this.#counts;
    const { counts, terms, length } = counted;
    const gains = this.#gains;
    const into = this.#sums.gains;
    let energy = 0;
    let known = 0;
    for (let index = 0; index < length; index += 1) {
      const term = terms[index]!;
      const frequency = termFrequency(counts[term]!);
      const weight = frequency * gains[2 * term]!;
      energy += weight * weight;
      known += weight;
      into[index] = frequency * gains[2 * term + 1]!;
    }
    this.#sums.add(terms, length);
    return { energy, known };
  }

  #coherence(known: number): number {
    const { unknownWeights } = this.#terms;
    const { unknown } = this.#counts;
    let weight = known;
    for (let kind = 0; kind < KINDS; kind += 1) weight += unknown[kind]! * unknownWeights[kind]!;
    return weight === 0 ? 0 : lengthOf(this.#projection) / weight;
  }

  /** A feature of several characters is divided evenly among them, and so among the words it covers. */
  explain(text: RoutableText, direction: Float64Array): readonly WordShare[] {
    const { total, weights } = this.#add(text);
    const length = lengthOf(total);
    const shares = new Map<string, number>();
    if (length === 0) return [];
    for (const [index, segment] of text.segments.entries())
      this.#explainSegment({ ...segment, weight: weights[index]! }, budgetOf(segment), direction, shares);
    return Array.from(shares, ([word, share]) => ({ word, share: share / length }));
  }

  #explainSegment(
    segment: Segment,
    budget: number,
    direction: Float64Array,
    shares: Map<string, number>,
  ): void {
    const text = normalise(sampleText(segment.text, budget));
    const features = new FeatureBuffer(true);
    const counted = this.#counts;
    extractFeatures(text, features);
    extractFeatures(text, counted);
    const { energy } = this.#project();
    if (energy === 0) return;
    const perUnit = new Float64Array(text.length);
    for (let index = 0; index < features.length; index += 1) {
      const term = this.#lookup.find(features.hashes[index]!);
      if (term < 0) continue;
      const count = counted.counts[term]!;
      const weight = (termFrequency(count) * this.#terms.weights[term]!) / count;
      const share = (segment.weight / Math.sqrt(energy)) * weight * this.#along(term, direction);
      spread(text, perUnit, features.starts[index]!, features.ends[index]!, share);
    }
    for (const { start, end, kind } of wordsOf(text)) {
      let sum = 0;
      for (let at = start; at < end; at += 1) sum += perUnit[at]!;
      if (sum === 0) continue;
      const word = kind === 'space' ? '⏎ indentation' : text.slice(start, end).toLowerCase();
      shares.set(word, (shares.get(word) ?? 0) + sum);
    }
  }

  #along(term: number, direction: Float64Array): number {
    const { rows, scales } = this.#terms;
    let dot = 0;
    const at = term * direction.length;
    for (let j = 0; j < direction.length; j += 1) dot += rows[at + j]! * direction[j]!;
    return dot * scales[term]!;
  }
}

/** A text's vector before it is normalised, in a buffer for one text at a time, and what is known of its first segment alone. */
interface Added {
  readonly total: Float64Array;
  readonly familiarity: number;
  /** Null where there is nothing but the turn itself. */
  readonly own: Float32Array | null;
  readonly words: number;
  /** By segment: its weight, less where the first segment says much by itself. */
  readonly weights: readonly number[];
}

/** Words after which a text says 63 % of what a long one does; the rest is left to its context. */
const WORDS = 4;
/** Weight that the first segment keeps although no word of it can be made out. */
const LEAST = 0.05;

/** Scripts without spaces have about two characters a word, fewer where they are grammar. */
function wordsAmong(features: Uint32Array): number {
  return features[WORD]! + 0.5 * features[DENSE_TWO]! + 0.1 * features[DENSE_WEAK]!;
}

function readable(segment: Segment): string {
  return normalise(sampleText(segment.text, budgetOf(segment)));
}

/**
 * Spreads the value evenly over the feature's characters; over white space only if it has nothing else, as in
 * indentation.
 */
function spread(text: string, perUnit: Float64Array, start: number, end: number, value: number): void {
  let visible = 0;
  for (let at = start; at < end; at += 1) if (text.charCodeAt(at) > SPACE_UNIT) visible += 1;
  for (let at = start; at < end; at += 1) {
    if (visible === 0) perUnit[at]! += value / (end - start);
    else if (text.charCodeAt(at) > SPACE_UNIT) perUnit[at]! += value / visible;
  }
}

const SPACE_UNIT = 0x20;

/** Zeros for a vector of zeros. */
function unit(total: Float64Array): Float32Array {
  const length = lengthOf(total);
  const vector = new Float32Array(total.length);
  if (length > 0) for (let j = 0; j < vector.length; j += 1) vector[j] = total[j]! / length;
  return vector;
}

/** A plain loop: Math.hypot over spread arguments costs several times as much. */
function lengthOf(vector: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < vector.length; j += 1) sum += vector[j]! * vector[j]!;
  return Math.sqrt(sum);
}

/**
 * How much a term weighs: sublinear term frequency, a power of the inverse document frequency and a factor per kind of
 * feature.
 */
import { CHARACTERS, KINDS, PAIR } from '../../text/features.ts';

/**
 * Powers of idf found by trial (docs/router-model.md). Similarity multiplies the weight twice, and still function
 * words, which no stop list removes here, would drown the topic. Fitting directions needs a higher power than using
 * them.
 */
const FITTING_POWER = 3;
const USING_POWER = 2;

/** Factor per kind: a word has many character n-grams, and pairs repeat their words. */
export function kindFactors(): Float64Array {
  const factors = new Float64Array(KINDS).fill(1);
  factors[PAIR] = 0.7;
  factors[CHARACTERS] = 0.5;
  return factors;
}

/** ln((1 + n) / (1 + df)) + 1, the smooth form of scikit-learn's TfidfTransformer. */
export function inverseDocumentFrequency(documents: number, frequency: number): number {
  return Math.log((1 + documents) / (1 + frequency)) + 1;
}

/** Weight of a term of this kind, before its frequency in a text. */
export function termWeight(kind: number, documents: number, frequency: number): number {
  return (kindFactors()[kind] ?? 1) * inverseDocumentFrequency(documents, frequency) ** USING_POWER;
}

/** The weight used while directions are fitted. */
export function fittingWeight(kind: number, documents: number, frequency: number): number {
  return (kindFactors()[kind] ?? 1) * inverseDocumentFrequency(documents, frequency) ** FITTING_POWER;
}

const FREQUENCIES = Float64Array.from({ length: 64 }, (_, count) =>
  count < 2 ? count : 1 + Math.log(count),
);

/** 1 + ln(count) for a term that occurs: the tenth mention says less than the first. */
export function termFrequency(count: number): number {
  return count < FREQUENCIES.length ? FREQUENCIES[count]! : 1 + Math.log(count);
}

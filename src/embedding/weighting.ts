/**
 * How much a term weighs: sublinear term frequency, a power of the inverse document frequency and a factor per kind of
 * feature. It knows nothing of texts or matrices.
 */
import { CHARACTERS, KINDS, PAIR } from '../text/features.ts';

/**
 * Found by trial (docs/router-model.md): tf-idf between two prompts multiplies idf twice, and even so the words of
 * grammar, which no stop list removes here, drown the topic. The third power does not let them.
 */
const IDF_POWER = 3;

/** Factor per kind: characters within words come many to a word, pairs repeat their words. */
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

/** Weight of a term of that kind before its frequency in the text. */
export function termWeight(kind: number, documents: number, frequency: number): number {
  return (kindFactors()[kind] ?? 1) * inverseDocumentFrequency(documents, frequency) ** IDF_POWER;
}

/** 1 + ln(count) for a term that occurs: the tenth mention says less than the first. */
export function termFrequency(count: number): number {
  return count > 1 ? 1 + Math.log(count) : count;
}

/**
 * How much a term weighs: sublinear term frequency, smooth inverse document frequency and a factor per kind of
 * feature. It knows nothing of texts or matrices.
 */
import {
  CHARACTERS,
  DENSE_ONE,
  DENSE_THREE,
  DENSE_TWO,
  KINDS,
  MARKS,
  PAIR,
  SHAPE,
  WORD,
} from '../text/features.ts';

/** Factor per kind, found by trial (docs/router-model.md): whole words speak loudest. */
export function kindWeights(): Float64Array {
  const weights = new Float64Array(KINDS);
  weights[WORD] = 1;
  weights[PAIR] = 0.7;
  weights[CHARACTERS] = 0.5;
  weights[DENSE_ONE] = 0.5;
  weights[DENSE_TWO] = 1;
  weights[DENSE_THREE] = 0.8;
  weights[MARKS] = 0.5;
  weights[SHAPE] = 0.5;
  return weights;
}

/** ln((1 + n) / (1 + df)) + 1, the smooth form of scikit-learn's TfidfTransformer. */
export function inverseDocumentFrequency(documents: number, frequency: number): number {
  return Math.log((1 + documents) / (1 + frequency)) + 1;
}

/** 1 + ln(count) for a term that occurs: the tenth mention says less than the first. */
export function termFrequency(count: number): number {
  return count > 1 ? 1 + Math.log(count) : count;
}

/** What the experts' texts claim of prompts, as a prediction of scores. */

/** Centred by prompt and by expert. */
export interface Claimed {
  /** n × m. */
  readonly values: Float64Array;
  /** Each expert's mean share. */
  readonly means: Float64Array;
}

/** @param shares n × m, of what is claimed of each prompt */
export function claimed(shares: Float64Array, experts: number): Claimed {
  const means = new Float64Array(experts);
  const prompts = shares.length / experts;
  shares.forEach((value, at) => {
    means[at % experts]! += value / prompts;
  });
  const values = shares.map((value, at) => value - means[at % experts]!);
  for (let at = 0; at < values.length; at += experts) centre(values, at, experts);
  return { values, means };
}

/** What is equal for all experts decides nothing. */
export function centre(values: Float64Array, at: number, count: number): void {
  let mean = 0;
  for (let index = at; index < at + count; index += 1) mean += values[index]! / count;
  for (let index = at; index < at + count; index += 1) values[index]! -= mean;
}

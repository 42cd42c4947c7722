/** An engine as its owner measured it: five constants instead of kernels and data sheets. */
import type { StepCost, StepLoad } from './step-load.ts';

/** Seconds. */
export interface MeasuredConstants {
  /** Until a first token, beside reading the prompt. */
  readonly firstToken: number;
  /** Of reading, for every token of the prompt. */
  readonly perPromptToken: number;
  /** Of a step, and more of it for every sequence in it. */
  readonly perStep: number;
  readonly perSequence: number;
  /** Mean error of the line on the measurements it went through, as a share. */
  readonly error: number;
}

/** One request of a measured engine. */
export interface MeasuredRequest {
  /** Requests that were running beside it, itself included. */
  readonly running: number;
  readonly promptTokens: number;
  /** Seconds to the first token, and from token to token after it. */
  readonly ttft: number;
  readonly tpot: number;
}

/** What a step costs by those constants. A lone request's first token comes after `firstToken` and its prompt's reading. */
export function measuredCost(m: MeasuredConstants): StepCost {
  const overhead = (load: StepLoad): number =>
    m.perStep + m.perSequence * (load.decodeSequences + load.prefillSequences);
  const reading = (load: StepLoad): number => m.perPromptToken * load.prefillTokens;
  return {
    perRequest: Math.max(0, m.firstToken - m.perStep - m.perSequence),
    seconds: (load) => overhead(load) + reading(load),
    breakdown: (load) => ({
      products: reading(load),
      attention: 0,
      elementwise: 0,
      communication: 0,
      overhead: overhead(load),
      productsBoundBy: load.prefillTokens > 0 ? 'compute' : 'memory',
    }),
  };
}

/**
 * The constants from measured requests: a line through times to first token of lone requests over their prompts, and one
 * through times per token over the requests running. Medians first, so that a hiccup of a machine does not tilt them.
 * @throws {RangeError} unless there are lone requests of two prompt lengths
 */
export function fitMeasured(requests: readonly MeasuredRequest[]): MeasuredConstants {
  const lone = unweighted(
    medians(
      requests.filter((r) => r.running === 1),
      (r) => r.promptTokens,
      (r) => r.ttft,
    ),
  );
  if (lone.length < 2) throw new RangeError('needs lone requests of at least two prompt lengths');
  const pace = unweighted(
    medians(
      requests,
      (r) => r.running,
      (r) => r.tpot,
    ),
  );
  return measuredLines(lone, pace);
}

/**
 * @param lone times to first token over tokens of the prompt @param pace times per token over requests running; at least
 *   one point each; a single one gives a line without slope
 */
export function measuredLines(lone: readonly Point[], pace: readonly Point[]): MeasuredConstants {
  const first = line(lone);
  const step = line(pace);
  const misses = [
    ...lone.map(({ x, y }) => Math.abs((first.at0 + first.slope * x) / y - 1)),
    ...pace.map(({ x, y }) => Math.abs((step.at0 + step.slope * x) / y - 1)),
  ];
  return {
    firstToken: first.at0,
    perPromptToken: first.slope,
    perStep: step.at0,
    perSequence: step.slope,
    error: misses.reduce((a, b) => a + b, 0) / misses.length,
  };
}

export interface Point {
  readonly x: number;
  /** Seconds, above 0. */
  readonly y: number;
  /** How many measurements it stands for; 1 when absent. */
  readonly weight?: number;
}

/** A point for each x: the median of its measurements. */
export function medians<T>(
  items: readonly T[],
  x: (item: T) => number,
  y: (item: T) => number,
): readonly (Point & { readonly weight: number })[] {
  const groups = new Map<number, number[]>();
  for (const item of items) groups.set(x(item), [...(groups.get(x(item)) ?? []), y(item)]);
  return [...groups].map(([key, values]) => {
    const sorted = values.toSorted((a, b) => a - b);
    return { x: key, y: sorted[Math.floor(sorted.length / 2)]!, weight: values.length };
  });
}

/** Measured on purpose, each setting counts alike, however often it was tried. */
function unweighted(points: readonly Point[]): readonly Point[] {
  return points.map(({ x, y }) => ({ x, y }));
}

/** Least squares of relative errors, with neither constant below zero: times do not shrink with work. */
export function line(points: readonly Point[]): { readonly at0: number; readonly slope: number } {
  let [w, wx, wxx, wy, wxy] = [0, 0, 0, 0, 0];
  for (const { x, y, weight: count = 1 } of points) {
    const weight = count / (y * y);
    w += weight;
    wx += weight * x;
    wxx += weight * x * x;
    wy += weight * y;
    wxy += weight * x * y;
  }
  const determinant = w * wxx - wx * wx;
  const slope = determinant > 0 ? (w * wxy - wx * wy) / determinant : 0;
  if (slope <= 0) return { at0: wy / w, slope: 0 };
  const at0 = (wy - slope * wx) / w;
  return at0 >= 0 ? { at0, slope } : { at0: 0, slope: wxy / wxx };
}

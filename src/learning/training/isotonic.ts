/** Monotonic curves from scores to probabilities: a logistic fit of two features and isotonic regression. */

export interface Curve {
  /** In ascending order. */
  readonly scores: Float32Array;
  readonly confidences: Float32Array;
}

interface Pool {
  score: number;
  value: number;
  weight: number;
}

const BINS = 20;

/**
 * Isotonic regression of values (0..1) on scores by pooling adjacent violators (Barlow et al. 1972), over bins of equal
 * count, so that a handful of prompts cannot form a step.
 */
export function isotonicCurve(scores: ArrayLike<number>, values: ArrayLike<number>): Curve {
  const order = Array.from({ length: scores.length }, (_, index) => index);
  order.sort((a, b) => scores[a]! - scores[b]! || a - b);
  const bins = Math.max(1, Math.min(BINS, Math.floor(order.length / 10)));
  const pools: Pool[] = [];
  for (let bin = 0; bin < bins && order.length > 0; bin += 1) {
    const part = order.slice(
      Math.floor((bin * order.length) / bins),
      Math.floor(((bin + 1) * order.length) / bins),
    );
    pools.push({
      score: part.reduce((sum, index) => sum + scores[index]!, 0) / part.length,
      value: part.reduce((sum, index) => sum + values[index]!, 0) / part.length,
      weight: part.length,
    });
    while (pools.length > 1 && pools.at(-2)!.value >= pools.at(-1)!.value)
      pools.push(merge(pools.pop()!, pools.pop()!));
  }
  return {
    scores: Float32Array.from(pools, (pool) => pool.score),
    // Laplace smoothing: no confidence is exactly 0 or 1.
    confidences: Float32Array.from(pools, (pool) => (pool.value * pool.weight + 1) / (pool.weight + 2)),
  };
}

function merge(a: Pool, b: Pool): Pool {
  const weight = a.weight + b.weight;
  return {
    score: (a.score * a.weight + b.score * b.weight) / weight,
    value: (a.value * a.weight + b.value * b.weight) / weight,
    weight,
  };
}

const STEPS = 25;
const RIDGE = 1e-3;

/**
 * Weights [a, b, c] of σ(a·x + b·y + c) ≈ values, by Newton's method with a small ridge. A step that would lower the
 * likelihood is halved until it does not: otherwise one bad step can diverge.
 */
export function logisticFit(
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  values: ArrayLike<number>,
): readonly [number, number, number] {
  let weights: Weights = [0, 0, 0];
  let loss = lossOf(weights, x, y, values);
  for (let step = 0; step < STEPS; step += 1) {
    const move = newtonStep(weights, x, y, values);
    if (!move.every(Number.isFinite)) break;
    let size = 1;
    let next = moved(weights, move, size);
    while (size > 1e-3 && lossOf(next, x, y, values) > loss) {
      size /= 2;
      next = moved(weights, move, size);
    }
    const nextLoss = lossOf(next, x, y, values);
    if (nextLoss >= loss) break;
    weights = next;
    loss = nextLoss;
  }
  return weights;
}

type Weights = readonly [number, number, number];

function moved([a, b, c]: Weights, move: readonly number[], size: number): Weights {
  return [a + size * move[0]!, b + size * move[1]!, c + size * move[2]!];
}

function lossOf(
  [a, b, c]: Weights,
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  values: ArrayLike<number>,
): number {
  let loss = (RIDGE / 2) * (a * a + b * b);
  for (let index = 0; index < values.length; index += 1) {
    const z = a * x[index]! + b * y[index]! + c;
    // ln(1 + eᶻ) − value·z, without overflow.
    loss += Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z))) - values[index]! * z;
  }
  return loss;
}

function newtonStep(
  [a, b, c]: Weights,
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  values: ArrayLike<number>,
): readonly number[] {
  const gradient = [-RIDGE * a, -RIDGE * b, 0];
  const hessian = [RIDGE, 0, 0, 0, RIDGE, 0, 0, 0, RIDGE];
  for (let index = 0; index < values.length; index += 1) {
    const features = [x[index]!, y[index]!, 1];
    const p = 1 / (1 + Math.exp(-(a * x[index]! + b * y[index]! + c)));
    const curve = Math.max(p * (1 - p), 1e-6);
    for (let i = 0; i < 3; i += 1) {
      gradient[i]! += (values[index]! - p) * features[i]!;
      for (let j = 0; j < 3; j += 1) hessian[3 * i + j]! += curve * features[i]! * features[j]!;
    }
  }
  return solve3(hessian, gradient);
}

/** Solves a 3 × 3 system by Cramer's rule. */
function solve3(m: readonly number[], v: readonly number[]): readonly number[] {
  const det = (n: readonly number[]): number =>
    n[0]! * (n[4]! * n[8]! - n[5]! * n[7]!) -
    n[1]! * (n[3]! * n[8]! - n[5]! * n[6]!) +
    n[2]! * (n[3]! * n[7]! - n[4]! * n[6]!);
  const whole = det(m);
  return [0, 1, 2].map(
    (column) => det(m.map((value, at) => (at % 3 === column ? v[Math.floor(at / 3)]! : value))) / whole,
  );
}

/**
 * Least absolute deviations over positive parameters, searched in logarithms: Gauss and Newton's steps on reweighted squares
 * (Schlossmacher, 1973), damped as by Levenberg and Marquardt. Deterministic.
 */

export interface Parameter {
  /** Where the search begins. */
  readonly start: number;
  /** Weight of the squared logarithm of how far it is from its start. */
  readonly pull: number;
}

/** Errors smaller than this weigh alike: they would dominate the squares otherwise. */
const SMALL = 0.01;
/** Logarithms by which a parameter is moved to see what it does. */
const NUDGE = 1e-3;
/** What a step must gain for another to be tried, and how many there are at most. */
const GAIN = 1e-4;
const STEPS = 12;
const TRIES = 5;

interface Point {
  readonly logs: readonly number[];
  readonly errors: readonly number[];
  /** Mean absolute error and pulls. */
  readonly value: number;
}

/** @param errorsOf errors at these values, always as many and in the same order; the mean of their sizes is minimised */
export function leastDeviations(
  errorsOf: (values: readonly number[]) => readonly number[],
  parameters: readonly Parameter[],
): readonly number[] {
  const starts = parameters.map(({ start }) => Math.log(start));
  const at = (logs: readonly number[]): Point => {
    const errors = errorsOf(logs.map(Math.exp));
    const sum = errors.reduce((total, e) => total + Math.abs(e), 0);
    const pulled = parameters.reduce((total, { pull }, j) => total + pull * (logs[j]! - starts[j]!) ** 2, 0);
    return { logs, errors, value: sum / Math.max(1, errors.length) + pulled };
  };
  let best = at(starts);
  let damping = 1e-3;
  for (let step = 0; step < STEPS; step++) {
    const before = best;
    const { curvature, slope } = squares(best, parameters, starts, at);
    for (let tries = 0; tries < TRIES && best === before; tries++) {
      const by = solve(curvature, slope, damping);
      const next = at(best.logs.map((log, j) => log - Math.max(-1, Math.min(1, by[j]!))));
      if (next.value < best.value) best = next;
      damping *= best === before ? 6 : 1 / 4;
    }
    if (before.value - best.value < GAIN) break;
  }
  return best.logs.map(Math.exp);
}

/** The weighted squares near a point: their curvature and slope by parameter. */
function squares(
  point: Point,
  parameters: readonly Parameter[],
  starts: readonly number[],
  at: (logs: readonly number[]) => Point,
) {
  const { logs, errors } = point;
  const changes = parameters.map((_, j) => {
    const moved = at(logs.map((log, k) => (k === j ? log + NUDGE : log))).errors;
    return moved.map((e, i) => (e - errors[i]!) / NUDGE);
  });
  const weights = errors.map((e) => 1 / Math.max(Math.abs(e), SMALL) / errors.length);
  const product = (a: readonly number[], b: readonly number[]): number =>
    weights.reduce((sum, w, i) => sum + w * a[i]! * b[i]!, 0);
  return {
    curvature: changes.map((a, j) =>
      changes.map((b, k) => product(a, b) + (j === k ? 2 * parameters[j]!.pull : 0)),
    ),
    slope: changes.map((a, j) => product(a, errors) + 2 * parameters[j]!.pull * (logs[j]! - starts[j]!)),
  };
}

/** Gauss's elimination with pivots; the damped matrix is positive definite. */
function solve(
  matrix: readonly (readonly number[])[],
  right: readonly number[],
  damping: number,
): readonly number[] {
  const rows = matrix.map((row, j) => [...row.map((v, k) => (j === k ? v + damping : v)), right[j]!]);
  const size = rows.length;
  for (let i = 0; i < size; i++) {
    for (let p = i + 1; p < size; p++)
      if (Math.abs(rows[p]![i]!) > Math.abs(rows[i]![i]!)) [rows[i], rows[p]] = [rows[p]!, rows[i]!];
    for (let r = i + 1; r < size; r++) {
      const factor = rows[r]![i]! / rows[i]![i]!;
      for (let c = i; c <= size; c++) rows[r]![c]! -= factor * rows[i]![c]!;
    }
  }
  const found = new Array<number>(size).fill(0);
  for (let i = size - 1; i >= 0; i--) {
    let sum = rows[i]![size]!;
    for (let c = i + 1; c < size; c++) sum -= rows[i]![c]! * found[c]!;
    found[i] = sum / rows[i]![i]!;
  }
  return found;
}

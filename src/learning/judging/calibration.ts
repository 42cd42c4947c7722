/** Whether stated numbers come true: expected scores against actual ones, and strangeness against true outsiders. */

export interface CalibrationBin {
  readonly expected: number;
  readonly actual: number;
  readonly standardError: number;
  readonly count: number;
}

export interface Calibrated {
  readonly bins: readonly CalibrationBin[];
  /** Mean |expected − actual| over the bins, weighted by their counts (expected calibration error). */
  readonly error: number;
}

const BINS = 10;
/** Prompts a bin should have at least. */
const BIN_LEAST = 20;

/** Bins of equal counts; null where nothing was expected of any prompt. */
export function calibrationOf(
  expected: readonly (number | null)[],
  actual: ArrayLike<number>,
): Calibrated | null {
  const pairs = expected
    .flatMap((value, row) =>
      value === null || Number.isNaN(actual[row]!) ? [] : [{ expected: value, actual: actual[row]! }],
    )
    .sort((a, b) => a.expected - b.expected);
  if (pairs.length < 2) return null;
  const count = Math.max(1, Math.min(BINS, Math.floor(pairs.length / BIN_LEAST)));
  const bins = Array.from({ length: count }, (_, bin) => {
    const own = pairs.slice(
      Math.floor((bin * pairs.length) / count),
      Math.floor(((bin + 1) * pairs.length) / count),
    );
    const average = (of: (pair: (typeof own)[number]) => number): number =>
      own.reduce((sum, pair) => sum + of(pair), 0) / own.length;
    const real = average((pair) => pair.actual);
    const variance = average((pair) => (pair.actual - real) ** 2);
    return {
      expected: average((pair) => pair.expected),
      actual: real,
      standardError: Math.sqrt(variance / Math.max(1, own.length - 1)),
      count: own.length,
    };
  });
  const error = bins.reduce(
    (sum, bin) => sum + (Math.abs(bin.expected - bin.actual) * bin.count) / pairs.length,
    0,
  );
  return { bins, error };
}

export interface Roc {
  /** False alarms (known prompts called outside) and hits (outsiders called so), from 0 to 1. */
  readonly points: readonly { readonly falseAlarms: number; readonly hits: number }[];
  readonly area: number;
  /** At the threshold in force: strangeness 1. */
  readonly inForce: { readonly falseAlarms: number; readonly hits: number };
}

/** Receiver operating characteristic of strangeness as a test for outsiders (Fawcett 2006). */
export function rocOf(known: readonly number[], outsiders: readonly number[]): Roc | null {
  if (known.length === 0 || outsiders.length === 0) return null;
  const all = [
    ...known.map((value) => ({ value, outside: false })),
    ...outsiders.map((value) => ({ value, outside: true })),
  ].sort((a, b) => (a.value === b.value ? 0 : b.value - a.value));
  const points = [{ falseAlarms: 0, hits: 0 }];
  let alarms = 0;
  let hits = 0;
  let area = 0;
  for (let at = 0; at < all.length; ) {
    const before = points.at(-1)!;
    const { value } = all[at]!;
    for (; at < all.length && all[at]!.value === value; at += 1) {
      if (all[at]!.outside) hits += 1;
      else alarms += 1;
    }
    const next = { falseAlarms: alarms / known.length, hits: hits / outsiders.length };
    area += ((next.falseAlarms - before.falseAlarms) * (next.hits + before.hits)) / 2;
    points.push(next);
  }
  const above = (values: readonly number[]): number =>
    values.filter((value) => value > 1).length / values.length;
  return { points, area, inForce: { falseAlarms: above(known), hits: above(outsiders) } };
}

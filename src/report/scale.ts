/** Maps values to positions on an axis, chooses round ticks, and formats numbers. */

export interface Scale {
  at(value: number): number;
  readonly ticks: readonly number[];
}

/** Linear from 0 (or below, for negative values) to a round number above the largest value. */
export function linearScale(values: readonly number[], from: number, to: number, wanted = 5): Scale {
  const high = Math.max(...values, 0);
  const low = Math.min(...values, 0);
  // A denormal span would make the step zero.
  const finest = roundStep((high - low > 1e-300 ? high - low : 1) / wanted);
  // Counts get ticks at whole numbers.
  const step =
    values.some((value) => value !== 0) && values.every(Number.isInteger) ? Math.max(1, finest) : finest;
  const top = Math.ceil(high / step - 1e-9) * step || step;
  const bottom = Math.floor(low / step + 1e-9) * step;
  const ticks: number[] = [];
  for (let i = Math.round(bottom / step); i <= Math.round(top / step); i++)
    ticks.push(Number((i * step).toPrecision(12)));
  return { at: (value) => from + ((value - bottom) / (top - bottom)) * (to - from), ticks };
}

/**
 * Logarithmic from tick to tick, at powers of ten, or also at their 2 and 5 where the span is short; values at or below
 * zero are drawn at the low end.
 */
export function logScale(values: readonly number[], from: number, to: number): Scale {
  const positive = values.filter((v) => v > 0);
  const low = Math.min(...positive, Number.POSITIVE_INFINITY);
  const high = Math.max(...positive, 0);
  if (positive.length === 0) return { at: () => from, ticks: [1] };
  const narrow = Math.log10(high / low) <= 2;
  const bottom = narrow ? below(low) : 10 ** Math.floor(Math.log10(low * 1.001));
  const top = narrow ? Math.max(above(high), bottom * 2) : 10 ** Math.ceil(Math.log10(high * 0.999));
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(bottom)); power <= Math.ceil(Math.log10(top)); power++)
    for (const lead of narrow ? [1, 2, 5] : [1]) {
      const tick = Number((lead * 10 ** power).toPrecision(6));
      if (tick >= bottom * 0.999 && tick <= top * 1.001) ticks.push(tick);
    }
  const span = Math.log(top / bottom);
  return { at: (value) => from + (Math.log(Math.max(value, bottom) / bottom) / span) * (to - from), ticks };
}

/** 1, 2 or 5 times a power of ten, at least `raw`. */
function roundStep(raw: number): number {
  const power = 10 ** Math.floor(Math.log10(raw));
  return [1, 2, 5, 10].map((lead) => lead * power).find((step) => step >= raw * 0.999)!;
}

const LEADS = [1, 2, 5, 10];

function below(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return LEADS.map((lead) => lead * power).findLast((step) => step <= value * 1.001)!;
}

function above(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return LEADS.map((lead) => lead * power).find((step) => step >= value * 0.999)!;
}

/** `12,000` → `12k`, `0.05` → `0.05`: short enough for an axis. */
export function shortNumber(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e6) return `${trim(value / 1e6)}M`;
  if (size >= 1e3) return `${trim(value / 1e3)}k`;
  return trim(value);
}

/** Milliseconds for a table: a decimal below 100. */
export function shortMs(value: number): string {
  return value < 100 ? value.toFixed(1) : Math.round(value).toLocaleString('en-US');
}

function trim(value: number): string {
  return String(Number(value.toPrecision(3)));
}

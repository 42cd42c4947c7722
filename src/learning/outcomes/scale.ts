/** On which scale scores are, found from their values, so that 4 of 5 stars and 80 % can be read as 0..1. */
import { UserError } from '../../core/errors.ts';

export interface Scale {
  readonly low: number;
  readonly high: number;
}

export interface ScaleFound {
  readonly scale: Scale;
  /** What the user should know. */
  readonly notice: string | null;
}

const UNIT: Scale = { low: 0, high: 1 };
/** Up to this share of values outside 0..1 are mistakes, such as −1 for "did not run"; more are another scale. */
const MISTAKES = 0.02;
/** Scores an expert needs before its range says anything. */
const ENOUGH = 12;

/**
 * @param byExpert the scores of each expert
 * @throws UserError when experts are on different scales, or on one that cannot be guessed
 */
export function scaleOf(byExpert: ReadonlyMap<string, readonly number[]>): ScaleFound {
  const all = [...byExpert.values()].flat();
  const outside = all.filter((value) => value < 0 || value > 1);
  if (outside.length === 0) return { scale: UNIT, notice: null };
  if (outside.length <= MISTAKES * all.length) {
    const some = [...new Set(outside)].slice(0, 5).join(', ');
    return {
      scale: UNIT,
      notice: `${outside.length} of ${all.length} scores are outside 0..1 (${some}) and were left out as mistakes; if they are none, give --scale`,
    };
  }
  const scale = smallest(all);
  if (scale === null) {
    const [low, high] = rangeOf(all);
    throw new UserError(
      `The scores range from ${low} to ${high}, which is no scale this program knows. Say how they are to be read, as in --scale ${Math.floor(low)}:${Math.ceil(high)}.`,
    );
  }
  refuseMixed(byExpert, scale);
  return {
    scale,
    notice: `scores are taken to be on a scale from ${scale.low} to ${scale.high}, and read as 0..1; if that is wrong, give --scale`,
  };
}

/** The smallest usual scale that holds all values. */
function smallest(values: readonly number[]): Scale | null {
  const [low, high] = rangeOf(values);
  if (low >= -1 && high <= 1) return { low: -1, high: 1 };
  if (low < 0) return null;
  const whole = values.every(Number.isInteger);
  for (const top of [5, 10]) if (high <= top) return { low: whole && low >= 1 ? 1 : 0, high: top };
  return high <= 100 ? { low: 0, high: 100 } : null;
}

/** An expert whose scores fill a tenth of the scale, from its lower end, was measured on another one. */
function refuseMixed(byExpert: ReadonlyMap<string, readonly number[]>, { low, high }: Scale): void {
  for (const [expert, values] of byExpert) {
    if (values.length < ENOUGH || high < 5) continue;
    const [least, most] = rangeOf(values);
    if (most > 1 || least < 0 || most - low > (high - low) / 4) continue;
    throw new UserError(
      `The scores of '${expert}' lie between ${least} and ${most}, those of others reach up to ${high}: they are on different scales and cannot be compared. Bring them to one scale in the file.`,
    );
  }
}

export function rangeOf(values: readonly number[]): readonly [low: number, high: number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

/** As 0..1; NaN for a value outside the scale. */
export function onUnit(value: number, { low, high }: Scale): number {
  const unit = (value - low) / (high - low);
  return unit >= 0 && unit <= 1 ? unit : Number.NaN;
}

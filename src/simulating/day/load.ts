/** What is asked in a day: how much at each hour, of which expert, and how long the requests are. */
import type { Random } from '../../core/random.ts';
import { drawLengths, type LengthModel, type Lengths } from '../workload/lengths.ts';

export const DAY_SECONDS = 86_400;
const HOUR = 3_600;
/** Busiest and quietest, as multiples of the mean; the busiest is at three in the afternoon. */
const SWING = 0.8;
const BUSIEST = 15;
const NOON = 12 * HOUR;
/** Lengths are drawn once and then from these. */
const DRAWN = 2 ** 16;

/** The rate at a time of the day, as a multiple of the day's mean. */
export function diurnal(seconds: number): number {
  return 1 + SWING * Math.cos((2 * Math.PI * (seconds / HOUR - BUSIEST)) / 24);
}

/** Until noon the first expert is asked most; from then on the last, and the first least. */
export function sharesAt(seconds: number, shares: readonly number[]): readonly number[] {
  return seconds < NOON ? shares : shares.toReversed();
}

/** How many requests come in the time before `seconds`, of a stream with this mean rate. Poisson; by its normal form where many. */
export function arrivalsIn(mean: number, random: Random): number {
  if (mean <= 0) return 0;
  if (mean > 50) return Math.max(0, Math.round(mean + Math.sqrt(mean) * random.normal()));
  const limit = Math.exp(-mean);
  let count = 0;
  for (let product = random.next(); product > limit; product *= random.next()) count += 1;
  return count;
}

export function drawnLengths(model: LengthModel, random: Random): readonly Lengths[] {
  return Array.from({ length: DRAWN }, () => drawLengths(model, random));
}

/** Of a recorded trace that is repeated until the day is over: how busy each second was, as a multiple of its mean. */
export function recordedRates(times: readonly number[]): (seconds: number) => number {
  const length = Math.floor(times.at(-1) ?? 0) + 1;
  const counts = new Float64Array(length);
  for (const time of times) counts[Math.floor(time)]! += 1;
  const mean = times.length / length;
  return (seconds) => counts[Math.floor(seconds) % length]! / mean;
}

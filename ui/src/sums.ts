/** Sums and percentiles over the seconds that the page keeps. */
import { addBins, type Bins, quantileOf } from '../../src/serving/board/bins.ts';
import { type PackedTally, type Second, TALLY, type Tally } from '../../src/serving/board/wire.ts';

const PLACE = Object.fromEntries(TALLY.map((name, place) => [name, place])) as Tally;

export function of(tally: PackedTally | undefined, name: keyof Tally): number {
  return tally?.[PLACE[name]] ?? 0;
}

/** The seconds of the last `length` before `now`, in milliseconds since 1970. */
export function last(seconds: readonly Second[], length: number, now: number): readonly Second[] {
  const from = Math.floor(now / 1000) - length;
  return seconds.filter(({ at }) => at >= from);
}

export function total(seconds: readonly Second[], name: keyof Tally, expert?: string): number {
  let sum = 0;
  for (const second of seconds) {
    if (expert !== undefined) sum += of(second.experts[expert], name);
    else for (const id in second.experts) sum += of(second.experts[id], name);
  }
  return sum;
}

export function quantiles(
  seconds: readonly Second[],
  which: 'first' | 'perToken',
  shares: readonly number[],
): readonly (number | null)[] {
  const bins: Bins = {};
  for (const second of seconds) addBins(bins, second[which]);
  return shares.map((share) => quantileOf(bins, share));
}

/** Requests by cluster. */
export function byCluster(seconds: readonly Second[]): Readonly<Record<number, number>> {
  const counts: Bins = {};
  for (const { clusters } of seconds) addBins(counts, clusters);
  return counts;
}

export interface Step {
  /** Seconds since 1970, of its end. */
  readonly at: number;
  readonly seconds: readonly Second[];
}

/** The time until `now` in equal steps, the empty ones too, so that a pause shows as one. */
export function steps(
  seconds: readonly Second[],
  now: number,
  length: number,
  step: number,
): readonly Step[] {
  const end = Math.floor(now / 1000 / step) * step;
  const all: Step[] = [];
  let next = 0;
  for (let at = end - length + step; at <= end; at += step) {
    const own: Second[] = [];
    while (next < seconds.length && seconds[next]!.at < at - step) next += 1;
    while (next < seconds.length && seconds[next]!.at < at) {
      own.push(seconds[next]!);
      next += 1;
    }
    all.push({ at, seconds: own });
  }
  return all;
}

/** Of all experts, in flight (0) or queued (1) at the end of a step. */
export function loadOf({ seconds }: Step, which: 0 | 1): number {
  return Object.values(seconds.at(-1)?.load ?? {}).reduce((sum, load) => sum + load[which], 0);
}

/** Those with most of it first. */
export function largest(
  seconds: readonly Second[],
  name: keyof Tally,
  experts: readonly string[],
): readonly string[] {
  const sums = new Map(experts.map((id) => [id, total(seconds, name, id)]));
  return [...experts].sort((a, b) => sums.get(b)! - sums.get(a)!);
}

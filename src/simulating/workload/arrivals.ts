/** When requests come: users who wait for their answers, or a stream that waits for nobody. */
import { UserError } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';

/** Users who ask, read the answer, think, and ask again. */
export interface ClosedLoop {
  readonly kind: 'closed';
  readonly users: number;
  /** Mean seconds between an answer's end and the next question, exponentially distributed; 0 for none. */
  readonly thinkSeconds: number;
}

/** Requests that come whatever the state of those before. */
export type OpenLoop =
  | { readonly kind: 'poisson'; readonly perSecond: number }
  /** Quiet and busy spells of exponential length alternate: a two-state Markov-modulated Poisson process. */
  | {
      readonly kind: 'bursts';
      readonly perSecond: number;
      /** How many times busier than quiet. */
      readonly factor: number;
      /** Mean seconds of a busy spell, and the share of time that is busy. */
      readonly busySeconds: number;
      readonly busyShare: number;
    }
  | { readonly kind: 'trace'; readonly times: readonly number[] };

export type Arrivals = ClosedLoop | OpenLoop;

/** The times, in seconds, at which an open loop's requests come, below `until`; ascending. */
export function* arrivalTimes(loop: OpenLoop, until: number, random: Random): Generator<number> {
  if (loop.kind === 'trace') {
    for (const time of loop.times) if (time < until) yield time;
    return;
  }
  if (loop.kind === 'poisson') {
    for (let time = gap(random, loop.perSecond); time < until; time += gap(random, loop.perSecond))
      yield time;
    return;
  }
  const { quiet, busy, quietSeconds } = burstRates(loop);
  let isBusy = random.next() < loop.busyShare;
  for (let start = 0; start < until; isBusy = !isBusy) {
    const end = start + gap(random, 1 / (isBusy ? loop.busySeconds : quietSeconds));
    const rate = isBusy ? busy : quiet;
    // The process has no memory: a gap that crosses the end of a spell is drawn anew at the next rate.
    for (let time = start + gap(random, rate); time < Math.min(end, until); time += gap(random, rate))
      yield time;
    start = end;
  }
}

/** Rates of the two states, chosen so that the mean over all time is `perSecond`. */
export function burstRates(loop: Extract<OpenLoop, { kind: 'bursts' }>): {
  readonly quiet: number;
  readonly busy: number;
  readonly quietSeconds: number;
} {
  const quiet = loop.perSecond / (loop.busyShare * loop.factor + 1 - loop.busyShare);
  const quietSeconds = (loop.busySeconds * (1 - loop.busyShare)) / loop.busyShare;
  return { quiet, busy: quiet * loop.factor, quietSeconds };
}

/** An exponential gap with the given mean rate. */
export function gap(random: Random, perSecond: number): number {
  return -Math.log(1 - random.next()) / perSecond;
}

/** @throws {UserError} for numbers that describe no load. */
export function checkArrivals(arrivals: Arrivals): void {
  const positive = (field: string, value: number): void => {
    if (!(value > 0 && Number.isFinite(value)))
      throw new UserError(`arrivals.${field}: must be above 0, is ${value}.`);
  };
  if (arrivals.kind === 'closed') {
    positive('users', arrivals.users);
    if (!Number.isInteger(arrivals.users))
      throw new UserError(`arrivals.users: must be whole, is ${arrivals.users}.`);
    if (!(arrivals.thinkSeconds >= 0))
      throw new UserError(`arrivals.think: must not be negative, is ${arrivals.thinkSeconds}.`);
  } else if (arrivals.kind !== 'trace') {
    positive('rate', arrivals.perSecond);
    if (arrivals.kind === 'bursts') {
      positive('factor', arrivals.factor);
      positive('busy', arrivals.busySeconds);
      if (!(arrivals.busyShare > 0 && arrivals.busyShare < 1))
        throw new UserError(`arrivals.share: must lie between 0 and 1, is ${arrivals.busyShare}.`);
    }
  }
}

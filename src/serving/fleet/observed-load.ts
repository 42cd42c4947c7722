/**
 * How loaded a replica is, from what its engine reported a moment ago and what we ourselves count now. Pure; the time
 * is passed in, in milliseconds. docs/load-signals.md derives the formula and shows what the alternatives do.
 *
 * A reading is old by the time it is used. A chooser that goes by it alone sends everything to the replica that was
 * the least loaded when it was read, until the next reading shows the herd. So a reading only ever tells of the
 * requests of *others*; our own are counted here, live:
 *
 *   present = own now + others now
 *   others now = max(0, E + (own now − own then) · (1 − s) / s) · w(age)
 *   E = max(0, running + waiting − own then)
 *
 * E is what others had there when it was read. The second term is for what they did since, as the choosers that saw
 * the same reading did what we did: with s our share of the expert's requests, for each of ours there were (1 − s) / s
 * of theirs. Without it G gateways each fill the same gap, G times over. Alone (s = 1) nothing is added. w is 1 while a
 * reading is fresh, then falls, then is 0: a replica nobody hears of is judged by our own count, as before.
 */
import type { ReportedLoad } from '../experts/expert.ts';

export interface Observation {
  readonly load: ReportedLoad;
  /** Requests we had with the replica, over all our processes, when it was read. */
  readonly own: number;
  /** When it was read. */
  readonly at: number;
  /** Milliseconds until the next is due. */
  readonly every: number;
}

/** Fresh for as many intervals as three: one missed reading and its delay change nothing. */
const FRESH_INTERVALS = 3;
const HALF_LIFE_INTERVALS = 3;
const IGNORED_AFTER_INTERVALS = 15;
/** For one of ours at most fifteen of theirs: beyond that a share is too small to be measured. */
const LEAST_SHARE = 1 / 16;
/** vLLM and TensorRT-LLM preempt or pause requests when the cache runs full; from here on one more may cost another its place. */
const FULL_CACHE = 0.95;

/** What a reading still counts for: 1 while fresh, halved every three intervals from then on, 0 after fifteen. */
export function weightOf({ at, every }: Observation, now: number): number {
  const age = Math.max(0, now - at) / every;
  if (age <= FRESH_INTERVALS) return 1;
  return age >= IGNORED_AFTER_INTERVALS ? 0 : 0.5 ** ((age - FRESH_INTERVALS) / HALF_LIFE_INTERVALS);
}

/**
 * Requests of others that a replica holds now; a fraction, being an estimate.
 * @param ownNow ours now, over all our processes
 * @param share ours among all requests of the expert, 0 to 1
 */
export function othersNow(seen: Observation, ownNow: number, share: number, now: number): number {
  const elsewhere = Math.max(0, total(seen.load) - seen.own);
  const s = Math.min(1, Math.max(LEAST_SHARE, share));
  return Math.max(0, elsewhere + ((ownNow - seen.own) * (1 - s)) / s) * weightOf(seen, now);
}

/**
 * Requests a replica runs at once before more have to wait: our limit, or, while its engine has requests waiting or no
 * room in its cache, what it held then without those that waited. At least 1.
 */
export function slotsNow(seen: Observation, limit: number, now: number): number {
  const waiting = seen.load.waiting ?? 0;
  if (weightOf(seen, now) < 1 || (waiting === 0 && !hasFullCache(seen, now))) return limit;
  return Math.max(1, Math.min(limit, Math.max(total(seen.load), seen.own) - waiting));
}

/** Whether its cache has no room for one more, as last read and while that is fresh. */
export function hasFullCache(seen: Observation, now: number): boolean {
  return weightOf(seen, now) === 1 && (seen.load.kvCacheUse ?? 0) >= FULL_CACHE;
}

/** How fast a share follows: the tenth reading before this one counts a third. */
const SHARE_STEP = 0.1;

/**
 * Our share of an expert's requests after one more reading.
 * @param seen the last reading of each of its replicas
 */
export function shareAfter(share: number, seen: readonly Observation[]): number {
  const ours = seen.reduce((sum, one) => sum + one.own, 0);
  const all = seen.reduce((sum, one) => sum + Math.max(one.own, total(one.load)), 0);
  return all > 0 ? share + (ours / all - share) * SHARE_STEP : share;
}

/** A lower bound where an engine tells only one of the two. */
function total({ running, waiting }: ReportedLoad): number {
  return (running ?? 0) + (waiting ?? 0);
}

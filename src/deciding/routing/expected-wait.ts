/** How long a request would queue at an expert, estimated from its load. */
import type { LoadSnapshot } from './policy.ts';

/**
 * Seconds until a request that arrives now would start. With n in flight, q queued and C slots, n + q + 1 − C requests
 * must leave first; they leave at the rate r / m, r being tokens per second and m the mean tokens of a request:
 *
 *   wait = max(0, n + q + 1 − C) · m / r
 *
 * (the queue of an M/M/C system seen at one instant; Little's law turns the backlog into time). 0 while there is a
 * free slot, and when the rate is not known yet. Of an expert that has to be started, its start.
 */
export function expectedWait(load: LoadSnapshot): number {
  if (load.startsIn !== undefined) return load.startsIn;
  const present = load.inFlight + load.queued;
  const before = present + 1 - load.capacity;
  if (before <= 0 || load.tokensPerSecond <= 0 || present === 0) return 0;
  return (before * (load.outstandingTokens / present)) / load.tokensPerSecond;
}

/** Requests in flight or queued per slot; if the capacity is unknown, just their number. */
export function occupancy(load: LoadSnapshot): number {
  const present = load.inFlight + load.queued;
  return Number.isFinite(load.capacity) && load.capacity > 0 ? present / load.capacity : present;
}

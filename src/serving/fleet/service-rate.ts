/**
 * An estimate of how many tokens a server finishes a second while it has work, fading with age. The time is passed
 * in, in milliseconds.
 */

import { Crowding } from './crowding.ts';

/** After this much busy time an old observation counts half. */
const HALF_LIFE_MS = 20_000;

export class ServiceRate {
  #tokens = 0;
  #busyMs = 0;
  /** Of all requests together. */
  #requestMs = 0;
  #running = 0;
  #since = 0;
  readonly #crowding = new Crowding();

  /** A request starts. */
  started(now: number): void {
    this.#advance(now);
    this.#running += 1;
  }

  /** A request ends, having used so many tokens of prompt and answer. */
  ended(now: number, tokens: number): void {
    this.#advance(now);
    this.#running -= 1;
    this.#tokens += tokens;
    this.#crowding.finished(tokens);
  }

  /** Tokens per second of busy time; 0 while nothing is known. */
  perSecond(now: number): number {
    this.#advance(now);
    return this.#busyMs > 0 ? (this.#tokens / this.#busyMs) * 1000 : 0;
  }

  /**
   * Tokens per second with so many requests at once; 0 while nothing is known. Each is taken to be as fast as requests are
   * now, less what each further one was seen to cost the others.
   */
  full(slots: number, now: number): number {
    this.#advance(now);
    if (this.#requestMs === 0 || this.#tokens === 0) return 0;
    const atOnce = this.#requestMs / this.#busyMs;
    const msPerToken = this.#requestMs / this.#tokens;
    // More than in proportion would be a server that finishes less, the more it is given.
    const slope = Math.min(this.#crowding.slope, msPerToken / atOnce);
    return (slots / (msPerToken + slope * Math.max(0, slots - atOnce))) * 1000;
  }

  #advance(now: number): void {
    const passed = Math.max(0, now - this.#since);
    this.#since = now;
    if (this.#running === 0) return;
    const kept = 0.5 ** (passed / HALF_LIFE_MS);
    this.#tokens *= kept;
    this.#busyMs = this.#busyMs * kept + passed;
    this.#requestMs = this.#requestMs * kept + passed * this.#running;
    this.#crowding.passed(passed, this.#running);
  }
}

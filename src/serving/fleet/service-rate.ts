/**
 * An estimate of how many tokens a server finishes a second while it has work, fading with age. The time is passed
 * in, in milliseconds.
 */

/** After this much busy time an old observation counts half. */
const HALF_LIFE_MS = 20_000;

export class ServiceRate {
  #tokens = 0;
  #busyMs = 0;
  /** Of all requests together. */
  #requestMs = 0;
  #running = 0;
  #since = 0;

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
  }

  /** Tokens per second of busy time; 0 while nothing is known. */
  perSecond(now: number): number {
    this.#advance(now);
    return this.#busyMs > 0 ? (this.#tokens / this.#busyMs) * 1000 : 0;
  }

  /** Tokens per second of one request, among as many as there were; 0 while nothing is known. */
  perRequest(now: number): number {
    this.#advance(now);
    return this.#requestMs > 0 ? (this.#tokens / this.#requestMs) * 1000 : 0;
  }

  #advance(now: number): void {
    const passed = Math.max(0, now - this.#since);
    this.#since = now;
    if (this.#running === 0) return;
    const kept = 0.5 ** (passed / HALF_LIFE_MS);
    this.#tokens *= kept;
    this.#busyMs = this.#busyMs * kept + passed;
    this.#requestMs = this.#requestMs * kept + passed * this.#running;
  }
}

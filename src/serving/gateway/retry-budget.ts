/**
 * How many retries the gateway affords: a share of its requests and some a second, so that an outage is not answered by
 * a storm, and a gateway with few requests can still retry.
 */

/** Retries per request in the long run, and a second besides (Finagle's RetryBudget has the same two). */
export const RETRY_SHARE = 0.2;
export const RETRIES_PER_SECOND = 10;
/** Second tries of slow streams per request: enough for the slowest in twenty. */
export const HEDGE_SHARE = 0.05;
const RESERVE = 10;
/** The budget that can pile up in quiet times. */
const MOST = 100;

export class RetryBudget {
  readonly #share: number;
  readonly #perSecond: number;
  readonly #now: () => number;
  #tokens = RESERVE;
  #since: number;

  /** @param now a monotonic clock, in milliseconds */
  constructor(share: number, perSecond: number, now: () => number) {
    this.#share = share;
    this.#perSecond = perSecond;
    this.#now = now;
    this.#since = now();
  }

  request(): void {
    this.#tokens = Math.min(MOST, this.#tokens + this.#share);
  }

  /** True if a retry may happen; it is then spent. */
  spend(): boolean {
    this.#refill();
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** Time fills it up to the reserve only. */
  #refill(): void {
    const now = this.#now();
    const earned = ((now - this.#since) / 1000) * this.#perSecond;
    this.#since = now;
    if (this.#tokens < RESERVE) this.#tokens = Math.min(RESERVE, this.#tokens + earned);
  }
}

/**
 * How many retries the gateway affords: a share of its requests and a few to begin with, so that an outage is not
 * answered by a storm. Each request adds to the budget, each retry takes from it.
 */

/** Retries per request in the long run (Finagle's RetryBudget uses the same). */
export const RETRY_SHARE = 0.2;
/** Second tries of slow streams per request: enough for the slowest in twenty. */
export const HEDGE_SHARE = 0.05;
const RESERVE = 10;
/** The budget that can pile up in quiet times. */
const MOST = 100;

export class RetryBudget {
  readonly #share: number;
  #tokens = RESERVE;

  constructor(share: number) {
    this.#share = share;
  }

  request(): void {
    this.#tokens = Math.min(MOST, this.#tokens + this.#share);
  }

  /** True if a retry may happen; it is then spent. */
  spend(): boolean {
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}

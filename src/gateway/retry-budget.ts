/**
 * How many retries the gateway affords: a share of its requests and a few to begin with, so that an outage is not
 * answered by a storm. Each request adds to the budget, each retry takes from it.
 */

/** Retries per request in the long run (Finagle's RetryBudget uses the same). */
const SHARE = 0.2;
const RESERVE = 10;
/** The budget that can pile up in quiet times. */
const MOST = 100;

export class RetryBudget {
  #tokens = RESERVE;

  request(): void {
    this.#tokens = Math.min(MOST, this.#tokens + SHARE);
  }

  /** True if a retry may happen; it is then spent. */
  spend(): boolean {
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}

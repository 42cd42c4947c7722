/** How long the answers of each cluster are, learned as they end: a quantile that moves with every one, in one number. */

/** Of ten answers nine are at most as long; what is longer is held step by step. */
const SHARE = 0.9;
/** Tokens, of a cluster that has answered nothing. */
const AT_FIRST = 512;
/** A step is this share of the estimate. */
const RATE = 0.05;

/**
 * Stochastic approximation of a quantile (H. Robbins and S. Monro, 1951): up by the share for what is longer, down by
 * the rest for what is not, so that it rests where nine of ten are below.
 */
export class AnswerLengths {
  readonly #byCluster: Float64Array;

  constructor(clusters: number) {
    this.#byCluster = new Float64Array(clusters).fill(AT_FIRST);
  }

  expected(cluster: number): number {
    return Math.ceil(this.#byCluster[cluster] ?? AT_FIRST);
  }

  ended(cluster: number, tokens: number): void {
    const now = this.#byCluster[cluster];
    if (now === undefined) return;
    const step = Math.max(1, now * RATE);
    this.#byCluster[cluster] = Math.max(1, now + (tokens > now ? step * SHARE : -step * (1 - SHARE)));
  }
}

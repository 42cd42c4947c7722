/**
 * Drift: how far the clusters that requests fall into are from those the router model was trained on. The measure is the
 * Jensen-Shannon distance with base 2: 0 for equal shares, 1 for shares that have nothing in common. It needs no cluster to
 * be filled, unlike the population stability index.
 */

export interface Drift {
  /** Requests that it is judged by. */
  readonly requests: number;
  /** 0 to 1; 0 of no requests. */
  readonly distance: number;
  /** What chance alone stays below in 999 of 1,000 samples of this size. */
  readonly bound: number;
  /** Share of requests unlike anything that the model knows; in training `TRAINED_OUTSIDE`. */
  readonly outside: number;
  /** Whether there are enough requests to say either of the following. */
  readonly judged: boolean;
  /** Shares have moved: beyond chance, and by enough to matter. */
  readonly moved: boolean;
  /** Far more is outside than in training: beyond chance, and at least twice as much. */
  readonly stranger: boolean;
}

/** Share of held-out prompts, the strangest ones, that training lets count as outside. */
export const TRAINED_OUTSIDE = 0.025;

/**
 * A distance that matters: that of a population stability index of 0.25, the customary sign to fit a scoring model anew.
 * For small differences that index is eight times the Jensen-Shannon divergence in nats.
 */
const MATTERS = Math.sqrt(0.25 / 8 / Math.LN2);

/** Fewer may be one conversation, or one person's morning. */
const LEAST = 200;

/** Of the standard normal distribution, at 0.999. */
const Z = 3.0902;

/**
 * @param counts requests by cluster
 * @param trained training prompts by cluster
 * @param outside requests outside, of those counted
 */
export function driftOf(counts: ArrayLike<number>, trained: ArrayLike<number>, outside: number): Drift {
  const [requests, prompts] = [sumOf(counts), sumOf(trained)];
  if (requests === 0 || prompts === 0)
    return { requests, distance: 0, bound: 1, outside: 0, judged: false, moved: false, stranger: false };
  let nats = 0;
  for (let cluster = 0; cluster < trained.length; cluster++) {
    const [p, q] = [(counts[cluster] ?? 0) / requests, trained[cluster]! / prompts];
    const mean = (p + q) / 2;
    nats += (term(p, mean) + term(q, mean)) / 2;
  }
  const distance = Math.sqrt(Math.max(0, nats) / Math.LN2);
  const bound = chanceOf(trained.length, requests, prompts);
  const judged = requests >= LEAST;
  const share = outside / requests;
  const spread = Math.sqrt((TRAINED_OUTSIDE * (1 - TRAINED_OUTSIDE)) / requests);
  return {
    requests,
    distance,
    bound,
    outside: share,
    judged,
    moved: judged && distance > Math.max(bound, MATTERS),
    stranger: judged && share > Math.max(2 * TRAINED_OUTSIDE, TRAINED_OUTSIDE + Z * spread),
  };
}

/**
 * Two samples of n and m from the same shares over k clusters: 8 × divergence / (1/n + 1/m) is distributed as chi-squared
 * with k − 1 degrees of freedom (second-order expansion; Menéndez et al., 1997). Its quantile by Wilson and Hilferty (1931).
 */
function chanceOf(clusters: number, n: number, m: number): number {
  const degrees = Math.max(1, clusters - 1);
  const part = 2 / (9 * degrees);
  const quantile = degrees * (1 - part + Z * Math.sqrt(part)) ** 3;
  return Math.min(1, Math.sqrt((quantile * (1 / n + 1 / m)) / 8 / Math.LN2));
}

function term(share: number, mean: number): number {
  return share === 0 ? 0 : share * Math.log(share / mean);
}

function sumOf(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum;
}

/** Requests after which older ones count half. */
const REMEMBERED = 10_000;

/** The latest requests by cluster, in memory that does not grow with them. */
export class RecentShares {
  readonly #trained: ArrayLike<number>;
  readonly #counts: Float64Array;
  #requests = 0;
  #outside = 0;

  /** @param trained training prompts by cluster */
  constructor(trained: ArrayLike<number>) {
    this.#trained = trained;
    this.#counts = new Float64Array(trained.length);
  }

  note(cluster: number, outside: boolean): void {
    this.#counts[cluster]! += 1;
    if (outside) this.#outside += 1;
    this.#requests += 1;
    if (this.#requests >= REMEMBERED) this.#halve();
  }

  drift(): Drift {
    return driftOf(this.#counts, this.#trained, this.#outside);
  }

  #halve(): void {
    for (let cluster = 0; cluster < this.#counts.length; cluster++) this.#counts[cluster]! /= 2;
    this.#requests /= 2;
    this.#outside /= 2;
  }
}

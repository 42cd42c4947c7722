/** How many tokens of prompts and expected answers come a second for each expert, whoever answers them. */

/** An arrival so long ago counts half. */
const HALF_LIFE_MS = 30_000;
const DECAY = Math.LN2 / HALF_LIFE_MS;

interface Seen {
  /** Tokens a millisecond, at `at`. */
  rate: number;
  at: number;
  count: number;
}

export class Arrivals {
  readonly #seen = new Map<string, Seen>();
  readonly #now: () => number;

  /** @param now milliseconds that never run backwards */
  constructor(now: () => number) {
    this.#now = now;
  }

  note(expert: string, tokens: number): void {
    const now = this.#now();
    const seen = this.#seen.get(expert);
    // An exponential mean: each arrival adds its tokens times the decay, so that a constant stream of λ reads as λ.
    if (seen) {
      seen.rate = seen.rate * Math.exp(-DECAY * (now - seen.at)) + tokens * DECAY;
      seen.at = now;
      seen.count += 1;
    } else this.#seen.set(expert, { rate: tokens * DECAY, at: now, count: 1 });
  }

  tokensPerSecond(expert: string): number {
    const seen = this.#seen.get(expert);
    return seen ? seen.rate * Math.exp(-DECAY * (this.#now() - seen.at)) * 1000 : 0;
  }

  /** Since the process began. */
  count(expert: string): number {
    return this.#seen.get(expert)?.count ?? 0;
  }

  /** Seconds since the last; Infinity for never. */
  since(expert: string): number {
    const seen = this.#seen.get(expert);
    return seen ? (this.#now() - seen.at) / 1000 : Number.POSITIVE_INFINITY;
  }
}

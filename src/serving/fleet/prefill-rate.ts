/**
 * How fast a server reads prompts, from the time to the first token of answers that also told how much of the prompt was
 * cached: without that, a prompt that was cached would look like one that was read in no time.
 */

/** Fewer tokens are read in a time that says more of the connection than of the reading. */
const FEWEST_TOKENS = 512;
/** Waiting inside of the engine makes a sample too slow, never too fast: the estimate rises quickly and falls slowly. */
const RISING = 0.3;
const FALLING = 0.05;

export class PrefillRate {
  /** Of other servers: until this one has been measured it is taken for one like them. */
  peers: PrefillRate | null = null;
  /** Of this one, as another gateway has measured it; 0 for unknown. */
  told = 0;
  #own = 0;

  /** Tokens per second; 0 while nothing is known. */
  get perSecond(): number {
    return this.#own || this.told || (this.peers?.perSecond ?? 0);
  }

  /** The same, as measured here. */
  get measured(): number {
    return this.#own;
  }

  /**
   * @param read tokens of the prompt that were not cached
   * @param firstMs from the beginning of the request to its first token
   */
  observe(read: number, firstMs: number): void {
    if (read < FEWEST_TOKENS || firstMs <= 0) return;
    const sample = (read / firstMs) * 1000;
    const step = sample > this.#own ? RISING : FALLING;
    this.#own += (sample - this.#own) * (this.#own === 0 ? 1 : step);
    this.peers?.observe(read, firstMs);
  }
}

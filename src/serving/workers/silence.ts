/**
 * How long a worker has said nothing. Counted in looks, not time: a machine that slept, or had no time for anybody, has looked
 * once.
 */
import { LOADS_EVERY_MS } from './messages.ts';

/** Looks without a word after which a worker that serves is taken to hang. */
export const HUNG_AFTER = 5_000 / LOADS_EVERY_MS;
/** Besides, for one that reads a config: it may have much to read, and says nothing meanwhile. */
export const READING = 25_000 / LOADS_EVERY_MS;

export class Silence {
  #looks = 0;

  heard(): void {
    this.#looks = 0;
  }

  /** @param reads whether it reads a config @returns whether it hangs; said once for every silence */
  look(reads: boolean): boolean {
    this.#looks += 1;
    if (this.#looks < HUNG_AFTER + (reads ? READING : 0)) return false;
    this.#looks = Number.NEGATIVE_INFINITY;
    return true;
  }
}

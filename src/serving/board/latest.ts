/**
 * The latest of something, kept for those who look: all of it while it comes slowly, a sample while it comes faster than
 * anybody reads. What is kept outlives its request and costs the garbage collector several times what it cost to make.
 */

/** Kept of a second; as many remarkable ones are kept besides. */
const MOST_A_SECOND = 25;

export class Latest<T> {
  readonly #most: number;
  readonly #kept: T[] = [];
  #second = 0;
  #ordinary = 0;
  #remarkable = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** The oldest first. */
  get kept(): readonly T[] {
    return this.#kept;
  }

  /** @param now milliseconds */
  add(now: number, one: T, remarkable = false): void {
    const second = Math.floor(now / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#ordinary = 0;
      this.#remarkable = 0;
    }
    const before = remarkable ? this.#remarkable++ : this.#ordinary++;
    if (before >= MOST_A_SECOND) return;
    this.#kept.push(one);
    if (this.#kept.length > this.#most) this.#kept.shift();
  }
}

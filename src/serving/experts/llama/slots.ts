/**
 * A fixed number of slots, lent one at a time; further requests are queued.
 */

interface Waiter<T> {
  readonly choose: (free: readonly T[]) => T;
  readonly grant: (slot: T) => void;
}

export class Slots<T> {
  readonly #free: T[];
  readonly #waiting: Waiter<T>[] = [];

  constructor(slots: readonly T[]) {
    this.#free = [...slots];
  }

  get free(): number {
    return this.#free.length;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Lends one, first come first served; `choose` picks among those free. Leaves the queue when aborted. */
  async take(signal: AbortSignal, choose: (free: readonly T[]) => T = (free) => free[0]!): Promise<T> {
    signal.throwIfAborted();
    if (this.#free.length > 0) return this.#pick(choose);
    return new Promise<T>((resolve, reject) => {
      const leave = () => {
        const at = this.#waiting.indexOf(waiter);
        if (at >= 0) this.#waiting.splice(at, 1);
        reject(signal.reason);
      };
      const waiter: Waiter<T> = {
        choose,
        grant: (slot) => {
          signal.removeEventListener('abort', leave);
          resolve(slot);
        },
      };
      this.#waiting.push(waiter);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  give(slot: T): void {
    this.#free.push(slot);
    const next = this.#waiting.shift();
    if (next) next.grant(this.#pick(next.choose));
  }

  #pick(choose: (free: readonly T[]) => T): T {
    const slot = choose(this.#free);
    this.#free.splice(this.#free.indexOf(slot), 1);
    return slot;
  }
}

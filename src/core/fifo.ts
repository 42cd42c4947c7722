/** A first-in-first-out queue in amortised constant time. An item can also be put back at the front. */
export class Fifo<T> {
  readonly #items: T[] = [];
  #head = 0;

  get size(): number {
    return this.#items.length - this.#head;
  }

  peek(): T | undefined {
    return this.#items[this.#head];
  }

  push(item: T): void {
    this.#items.push(item);
  }

  /** Puts an item at the front. */
  unshift(item: T): void {
    if (this.#head > 0) this.#items[--this.#head] = item;
    else this.#items.unshift(item);
  }

  shift(): T | undefined {
    const item = this.#items[this.#head];
    if (this.size === 0) return undefined;
    this.#head += 1;
    // Removed items are dropped once they are more than half of the array.
    if (this.#head > 64 && this.#head * 2 > this.#items.length) {
      this.#items.splice(0, this.#head);
      this.#head = 0;
    }
    return item;
  }

  *[Symbol.iterator](): Generator<T> {
    for (let at = this.#head; at < this.#items.length; at++) yield this.#items[at]!;
  }

  /** Removes the first item that matches; false when none does. */
  remove(matches: (item: T) => boolean): boolean {
    const at = this.#items.findIndex((item, i) => i >= this.#head && matches(item));
    if (at < 0) return false;
    this.#items.splice(at, 1);
    return true;
  }
}

/**
 * A first-in-first-out queue in constant time, in a ring that grows and keeps its memory. An item can also be put back at
 * the front.
 */
export class Fifo<T> {
  /** A power of two of places. */
  readonly #ring: (T | undefined)[] = [undefined];
  /** Place of the first item. */
  #head = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  peek(): T | undefined {
    return this.#ring[this.#head];
  }

  push(item: T): void {
    this.#makeRoom();
    this.#ring[this.#place(this.#size++)] = item;
  }

  /** Puts an item at the front. */
  unshift(item: T): void {
    this.#makeRoom();
    this.#head = this.#place(-1);
    this.#ring[this.#head] = item;
    this.#size += 1;
  }

  shift(): T | undefined {
    if (this.#size === 0) return undefined;
    const item = this.#ring[this.#head];
    this.#ring[this.#head] = undefined;
    this.#head = this.#place(1);
    this.#size -= 1;
    return item;
  }

  *[Symbol.iterator](): Generator<T> {
    for (let at = 0; at < this.#size; at++) yield this.#ring[this.#place(at)]!;
  }

  /** Removes the first item that matches; false when none does. */
  remove(matches: (item: T) => boolean): boolean {
    let at = 0;
    while (at < this.#size && !matches(this.#ring[this.#place(at)]!)) at += 1;
    if (at === this.#size) return false;
    for (; at < this.#size - 1; at++) this.#ring[this.#place(at)] = this.#ring[this.#place(at + 1)];
    this.#size -= 1;
    this.#ring[this.#place(this.#size)] = undefined;
    return true;
  }

  #place(offset: number): number {
    return (this.#head + offset) & (this.#ring.length - 1);
  }

  /** Twice the places when all are taken: what lies before the head comes after what lies behind it. */
  #makeRoom(): void {
    const places = this.#ring.length;
    if (this.#size < places) return;
    for (let at = 0; at < places; at++) this.#ring.push(at < this.#head ? this.#ring[at] : undefined);
    this.#ring.fill(undefined, 0, this.#head);
  }
}

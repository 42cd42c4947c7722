/**
 * A binary min-heap of values with numeric keys, ties broken by insertion order so that replays are exact. Keys, orders
 * and values lie in three arrays: an entry is no object of its own, because simulations push millions.
 */
export class MinHeap<T> {
  readonly #keys: number[] = [];
  readonly #orders: number[] = [];
  readonly #values: T[] = [];
  #inserted = 0;

  get size(): number {
    return this.#values.length;
  }

  /** The smallest key, or Infinity when empty. */
  get minKey(): number {
    return this.#keys.length > 0 ? this.#keys[0]! : Number.POSITIVE_INFINITY;
  }

  peek(): T | undefined {
    return this.#values[0];
  }

  push(key: number, value: T): void {
    const order = this.#inserted++;
    let at = this.#values.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      // Whoever was there before comes first among equals.
      if (this.#keys[parent]! <= key) break;
      this.#copy(parent, at);
      at = parent;
    }
    this.#put(at, key, order, value);
  }

  pop(): T | undefined {
    const top = this.#values[0];
    const key = this.#keys.pop();
    const order = this.#orders.pop();
    const value = this.#values.pop();
    const size = this.#values.length;
    if (size === 0 || key === undefined) return top;
    let at = 0;
    for (let child = 1; child < size; child = 2 * at + 1) {
      if (child + 1 < size && this.#precedes(child + 1, this.#keys[child]!, this.#orders[child]!)) child += 1;
      if (!this.#precedes(child, key, order!)) break;
      this.#copy(child, at);
      at = child;
    }
    this.#put(at, key, order!, value!);
    return top;
  }

  #precedes(at: number, key: number, order: number): boolean {
    const own = this.#keys[at]!;
    return own < key || (own === key && this.#orders[at]! < order);
  }

  #copy(from: number, to: number): void {
    this.#put(to, this.#keys[from]!, this.#orders[from]!, this.#values[from]!);
  }

  #put(at: number, key: number, order: number, value: T): void {
    this.#keys[at] = key;
    this.#orders[at] = order;
    this.#values[at] = value;
  }
}

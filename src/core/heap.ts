/** A binary min-heap of values with numeric keys, ties broken by insertion order so that replays are exact. */
export class MinHeap<T> {
  readonly #entries: { key: number; order: number; value: T }[] = [];
  #inserted = 0;

  get size(): number {
    return this.#entries.length;
  }

  /** The smallest key, or Infinity when empty. */
  get minKey(): number {
    return this.#entries[0]?.key ?? Number.POSITIVE_INFINITY;
  }

  peek(): T | undefined {
    return this.#entries[0]?.value;
  }

  push(key: number, value: T): void {
    const entries = this.#entries;
    const entry = { key, order: this.#inserted++, value };
    let at = entries.length;
    entries.push(entry);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (before(entries[parent]!, entry)) break;
      entries[at] = entries[parent]!;
      at = parent;
    }
    entries[at] = entry;
  }

  pop(): T | undefined {
    const entries = this.#entries;
    const top = entries[0];
    const last = entries.pop();
    if (!top || !last || top === last) return top?.value;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= entries.length) break;
      if (child + 1 < entries.length && before(entries[child + 1]!, entries[child]!)) child += 1;
      if (before(last, entries[child]!)) break;
      entries[at] = entries[child]!;
      at = child;
    }
    entries[at] = last;
    return top.value;
  }
}

function before(a: { key: number; order: number }, b: { key: number; order: number }): boolean {
  return a.key < b.key || (a.key === b.key && a.order < b.order);
}

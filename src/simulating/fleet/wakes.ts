/**
 * When each replica is looked at next: a binary heap of replica numbers, in typed arrays and with one entry a replica,
 * because most events only move one replica's next time. Ties go to the lower number.
 */
export class Wakes {
  /** By replica. */
  readonly #times: Float64Array;
  readonly #places: Int32Array;
  /** By place in the heap. */
  readonly #heap: Int32Array;

  constructor(replicas: number) {
    this.#times = new Float64Array(replicas).fill(Number.POSITIVE_INFINITY);
    this.#heap = Int32Array.from({ length: replicas }, (_, replica) => replica);
    this.#places = this.#heap.slice();
  }

  /** The replica that is due first. */
  get first(): number {
    return this.#heap[0]!;
  }

  /** When it is due; Infinity when all are idle. */
  get firstTime(): number {
    return this.#times[this.first]!;
  }

  /** @param time Infinity for never */
  set(replica: number, time: number): void {
    const before = this.#times[replica]!;
    if (time === before) return;
    this.#times[replica] = time;
    if (time < before) this.#rise(replica, time);
    else this.#sink(replica, time);
  }

  #rise(replica: number, time: number): void {
    let at = this.#places[replica]!;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const other = this.#heap[parent]!;
      if (!this.#precedes(replica, time, other)) break;
      this.#put(at, other);
      at = parent;
    }
    this.#put(at, replica);
  }

  #sink(replica: number, time: number): void {
    const size = this.#heap.length;
    let at = this.#places[replica]!;
    for (let child = 2 * at + 1; child < size; child = 2 * at + 1) {
      let other = this.#heap[child]!;
      const right = child + 1 < size ? this.#heap[child + 1]! : other;
      if (right !== other && this.#precedes(right, this.#times[right]!, other)) {
        other = right;
        child += 1;
      }
      if (this.#precedes(replica, time, other)) break;
      this.#put(at, other);
      at = child;
    }
    this.#put(at, replica);
  }

  #precedes(replica: number, time: number, other: number): boolean {
    const theirs = this.#times[other]!;
    return time < theirs || (time === theirs && replica < other);
  }

  #put(at: number, replica: number): void {
    this.#heap[at] = replica;
    this.#places[replica] = at;
  }
}

/**
 * Counts in how many prompts each feature occurs: an open-addressed table that drops the rarest features when it is
 * full (Manku & Motwani, VLDB 2002).
 */

const FULLEST = 0.6;

export class FrequencyTable {
  /** Features forgotten so far were each in at most this many prompts. */
  forgotten = 0;
  #keys: Uint32Array;
  #counts: Uint32Array;
  /** Prompt that last counted the feature, so that one prompt counts once. */
  #stamps: Uint32Array;
  #used = 0;
  readonly #most: number;

  /** @param most maximum number of slots; a power of two, as is `slots` */
  constructor(slots = 1 << 16, most = 1 << 24) {
    this.#keys = new Uint32Array(slots);
    this.#counts = new Uint32Array(slots);
    this.#stamps = new Uint32Array(slots);
    this.#most = most;
  }

  get size(): number {
    return this.#used;
  }

  /** Counts the feature once for a prompt, however often it is called in a row with the same stamp (from 1). */
  see(hash: number, stamp: number): void {
    const slot = this.#slotOf(hash);
    if (this.#counts[slot] !== 0 && this.#stamps[slot] === stamp) return;
    this.#stamps[slot] = stamp;
    this.#raise(slot, hash, 1);
  }

  add(hash: number, count: number): void {
    this.#raise(this.#slotOf(hash), hash, count);
  }

  #raise(slot: number, hash: number, count: number): void {
    if (this.#counts[slot] === 0) {
      this.#keys[slot] = hash;
      this.#used += 1;
    }
    this.#counts[slot]! += count;
    if (this.#used > this.#keys.length * FULLEST) this.#makeRoom();
  }

  #slotOf(hash: number): number {
    const mask = this.#keys.length - 1;
    let slot = (hash >>> 3) & mask;
    while (this.#counts[slot] !== 0 && this.#keys[slot] !== hash) slot = (slot + 1) & mask;
    return slot;
  }

  #makeRoom(): void {
    if (this.#keys.length < this.#most) {
      this.#rebuild(this.#keys.length * 2, 0);
      return;
    }
    while (this.#used > (this.#keys.length * FULLEST) / 2) {
      this.forgotten += 1;
      this.#rebuild(this.#keys.length, this.forgotten);
    }
  }

  #rebuild(slots: number, forget: number): void {
    const keys = this.#keys;
    const counts = this.#counts;
    const stamps = this.#stamps;
    this.#keys = new Uint32Array(slots);
    this.#counts = new Uint32Array(slots);
    this.#stamps = new Uint32Array(slots);
    this.#used = 0;
    for (let old = 0; old < keys.length; old += 1) {
      if (counts[old]! <= forget) continue;
      const slot = this.#slotOf(keys[old]!);
      this.#keys[slot] = keys[old]!;
      this.#counts[slot] = counts[old]!;
      this.#stamps[slot] = stamps[old]!;
      this.#used += 1;
    }
  }

  /** All features in at least `least` prompts, in ascending order of hash. */
  entries(least: number): { readonly hashes: Uint32Array; readonly counts: Uint32Array } {
    const slots: number[] = [];
    for (let slot = 0; slot < this.#keys.length; slot += 1)
      if (this.#counts[slot]! >= least) slots.push(slot);
    slots.sort((a, b) => this.#keys[a]! - this.#keys[b]!);
    return {
      hashes: Uint32Array.from(slots, (slot) => this.#keys[slot]!),
      counts: Uint32Array.from(slots, (slot) => this.#counts[slot]!),
    };
  }
}

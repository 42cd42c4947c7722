/** The vocabulary of the lexical embedding, and where a term stands in it. */

/** The vocabulary, one row per term. */
export interface Terms {
  readonly dimensions: number;
  readonly hashes: Uint32Array;
  /** idf times the factor of the term's kind. */
  readonly weights: Float32Array;
  /** terms × dimensions; multiplied by the row's scale, a term's direction. */
  readonly rows: Int8Array;
  readonly scales: Float32Array;
  /** Weight of features outside of the vocabulary, by kind; they only lower the familiarity. */
  readonly unknownWeights: Float32Array;
}

/** Slots per term, at least: sparse enough that a miss ends after about one probe. */
const SLOTS_PER_TERM = 3;

const PRESENT_BITS = 1 << 19;

/** Finds a term's number from its 32-bit hash, by open addressing in one typed array. */
export class TermLookup {
  readonly size: number;
  readonly #mask: number;
  /** Pairs of hash and term number plus one (0: empty slot). */
  readonly #slots: Uint32Array;
  /**
   * One bit per hash residue: most features are not terms, which this small array, kept in the CPU cache, tells
   * quickly.
   */
  readonly #present = new Uint32Array(PRESENT_BITS >>> 5);

  /** `hashes[i]` is the hash of term `i`; a hash that appears twice keeps its first term. */
  constructor(hashes: Uint32Array) {
    this.size = hashes.length;
    let capacity = 16;
    while (capacity < hashes.length * SLOTS_PER_TERM) capacity *= 2;
    this.#mask = capacity - 1;
    this.#slots = new Uint32Array(capacity * 2);
    for (let term = 0; term < hashes.length; term += 1) this.#insert(hashes[term]!, term);
  }

  #insert(hash: number, term: number): void {
    const slots = this.#slots;
    this.#present[(hash >>> 18) & ((PRESENT_BITS >>> 5) - 1)]! |= 1 << ((hash >>> 13) & 31);
    let slot = (hash >>> 3) & this.#mask;
    while (slots[2 * slot + 1] !== 0) {
      if (slots[2 * slot] === hash) return;
      slot = (slot + 1) & this.#mask;
    }
    slots[2 * slot] = hash;
    slots[2 * slot + 1] = term + 1;
  }

  /** The term's number, or -1. */
  find(hash: number): number {
    const present = this.#present[(hash >>> 18) & ((PRESENT_BITS >>> 5) - 1)]!;
    if ((present & (1 << ((hash >>> 13) & 31))) === 0) return -1;
    const slots = this.#slots;
    const mask = this.#mask;
    let slot = (hash >>> 3) & mask;
    for (;;) {
      const entry = slots[2 * slot + 1]!;
      if (entry === 0) return -1;
      if (slots[2 * slot] === hash) return entry - 1;
      slot = (slot + 1) & mask;
    }
  }
}

/**
 * Finds a term's number from its 32-bit hash, by open addressing in one typed array. It knows nothing of what the
 * terms are or weigh.
 */

/** Slots per term, at least: sparse enough that a miss ends after about one probe. */
const SLOTS_PER_TERM = 3;

const PRESENT_BITS = 1 << 19;

export class TermLookup {
  readonly size: number;
  private readonly mask: number;
  /** Pairs of hash and term number plus one (0: empty slot). */
  private readonly slots: Uint32Array;
  /** One bit per hash residue: most features of a text are no terms, and this small array says so from the cache. */
  private readonly present = new Uint32Array(PRESENT_BITS >>> 5);

  /** `hashes[i]` is the hash of term `i`; a hash that stands twice keeps its first term. */
  constructor(hashes: Uint32Array) {
    this.size = hashes.length;
    let capacity = 16;
    while (capacity < hashes.length * SLOTS_PER_TERM) capacity *= 2;
    this.mask = capacity - 1;
    this.slots = new Uint32Array(capacity * 2);
    for (let term = 0; term < hashes.length; term += 1) this.insert(hashes[term]!, term);
  }

  private insert(hash: number, term: number): void {
    this.present[(hash >>> 18) & ((PRESENT_BITS >>> 5) - 1)]! |= 1 << ((hash >>> 13) & 31);
    let slot = (hash >>> 3) & this.mask;
    while (this.slots[2 * slot + 1] !== 0) {
      if (this.slots[2 * slot] === hash) return;
      slot = (slot + 1) & this.mask;
    }
    this.slots[2 * slot] = hash;
    this.slots[2 * slot + 1] = term + 1;
  }

  /** The term's number, or -1. */
  find(hash: number): number {
    const { slots, mask, present } = this;
    if ((present[(hash >>> 18) & ((PRESENT_BITS >>> 5) - 1)]! & (1 << ((hash >>> 13) & 31))) === 0) return -1;
    let slot = (hash >>> 3) & mask;
    for (;;) {
      const entry = slots[2 * slot + 1]!;
      if (entry === 0) return -1;
      if (slots[2 * slot] === hash) return entry - 1;
      slot = (slot + 1) & mask;
    }
  }
}

/** Remembers which texts have been seen, in 64 bits each: ten million take a few hundred megabytes. */

const FULLEST = 0.6;

export class Fingerprints {
  #words = new Uint32Array(2 << 16);
  #used = 0;

  /** True the first time a text appears. Any two of n texts collide with probability n²/2⁶⁵. */
  isNew(text: string): boolean {
    let a = 0x811c9dc5 | 0;
    let b = 0x9e3779b9 | 0;
    for (let index = 0; index < text.length; index += 1) {
      const unit = text.charCodeAt(index);
      a = Math.imul(a ^ unit, 0x01000193);
      b = Math.imul(b + unit, 0x85ebca6b);
      b ^= b >>> 15;
    }
    a ^= a >>> 16;
    // Zero marks an empty slot, so no fingerprint may be zero in its second word.
    return this.#insert(a >>> 0, (b | 1) >>> 0);
  }

  #insert(a: number, b: number): boolean {
    const mask = this.#words.length / 2 - 1;
    let slot = Math.imul(a ^ (b >>> 7), 0x9e3779b1) & mask;
    while (this.#words[2 * slot + 1] !== 0) {
      if (this.#words[2 * slot] === a && this.#words[2 * slot + 1] === b) return false;
      slot = (slot + 1) & mask;
    }
    this.#words[2 * slot] = a;
    this.#words[2 * slot + 1] = b;
    this.#used += 1;
    if (this.#used > (mask + 1) * FULLEST) this.#grow();
    return true;
  }

  #grow(): void {
    const old = this.#words;
    this.#words = new Uint32Array(old.length * 2);
    this.#used = 0;
    for (let slot = 0; slot < old.length / 2; slot += 1) {
      if (old[2 * slot + 1] !== 0) this.#insert(old[2 * slot]!, old[2 * slot + 1]!);
    }
  }
}

/**
 * The terms among the characters of words, remembered for words that were met before: language repeats its words, and each
 * has a dozen n-grams to hash and to look up.
 */
import { charactersOf, MOST_CHARACTERS } from '../../text/features.ts';
import type { TermLookup } from './terms.ts';

/** Words remembered, each at the place that its hash says, where the latest replaces the one before. */
const SLOTS = 4_096;
/** Units of a remembered word, its edges included: longer ones are rare. */
const UNITS = 16;
/** n-grams of so many units. */
const TERMS = 3 * (UNITS - 3);

export class WordTerms {
  /** Terms of the word last read: `known` of them from `from` on, one for each n-gram that is a term. */
  terms: Uint32Array;
  from = 0;
  known = 0;
  /** n-grams of the word last read that are no terms. */
  unknown = 0;
  readonly #lookup: Pick<TermLookup, 'find'>;
  readonly #hashes = new Uint32Array(MOST_CHARACTERS);
  /** Of a word that is too long to be remembered. */
  readonly #once = new Uint32Array(MOST_CHARACTERS);
  readonly #slots = new Uint32Array(SLOTS * TERMS);
  /** By slot: the length of its word (0: none), its terms and its other n-grams. */
  readonly #lengths = new Uint8Array(SLOTS);
  readonly #known = new Uint8Array(SLOTS);
  readonly #unknown = new Uint8Array(SLOTS);
  readonly #units = new Uint16Array(SLOTS * UNITS);

  constructor(lookup: Pick<TermLookup, 'find'>) {
    this.#lookup = lookup;
    this.terms = this.#slots;
  }

  /**
   * @param units the word between its edges, `length` of them
   * @param hash of the word
   * @returns itself, with the word's terms
   */
  read(units: Uint16Array, length: number, hash: number): this {
    if (length > UNITS) {
      this.terms = this.#once;
      this.from = 0;
      this.#find(units, length);
      return this;
    }
    const slot = (hash >>> 3) % SLOTS;
    this.terms = this.#slots;
    this.from = slot * TERMS;
    if (this.#remembers(slot, units, length)) {
      this.known = this.#known[slot]!;
      this.unknown = this.#unknown[slot]!;
    } else {
      this.#find(units, length);
      this.#remember(slot, units, length);
    }
    return this;
  }

  /** Words are compared by their units: two that share a hash are two words. */
  #remembers(slot: number, units: Uint16Array, length: number): boolean {
    if (this.#lengths[slot] !== length) return false;
    const known = this.#units;
    for (let index = 0, at = slot * UNITS; index < length; index += 1, at += 1)
      if (known[at] !== units[index]) return false;
    return true;
  }

  #remember(slot: number, units: Uint16Array, length: number): void {
    this.#lengths[slot] = length;
    this.#known[slot] = this.known;
    this.#unknown[slot] = this.unknown;
    for (let index = 0, at = slot * UNITS; index < length; index += 1, at += 1)
      this.#units[at] = units[index]!;
  }

  #find(units: Uint16Array, length: number): void {
    const { terms, from } = this;
    const count = charactersOf(units, length, this.#hashes);
    let known = 0;
    for (let index = 0; index < count; index += 1) {
      const term = this.#lookup.find(this.#hashes[index]!);
      if (term >= 0) terms[from + known++] = term;
    }
    this.known = known;
    this.unknown = count - known;
  }
}

/** How often the terms of the vocabulary occur in a text. */
import { CHARACTERS, type FeatureSink, KINDS } from '../../text/features.ts';
import type { TermLookup } from './terms.ts';
import { WordTerms } from './word-terms.ts';

/** Counts the terms among a text's features, in arrays that are reused for the next text. */
export class TermCounts implements FeatureSink {
  /** Occurrences per term; zero except for those in `terms`. */
  readonly counts: Uint32Array;
  /** Terms that occur, in order of first occurrence; only the first `length` entries are valid. */
  readonly terms: Uint32Array;
  length = 0;
  /** Features outside of the vocabulary, by kind, repetitions included. */
  readonly unknown = new Uint32Array(KINDS);
  /** All features by kind, but for the characters of words. */
  readonly features = new Uint32Array(KINDS);
  readonly #lookup: TermLookup;
  readonly #words: WordTerms;

  constructor(lookup: TermLookup) {
    this.#lookup = lookup;
    this.#words = new WordTerms(lookup);
    this.counts = new Uint32Array(lookup.size);
    this.terms = new Uint32Array(lookup.size);
  }

  clear(): void {
    const { counts, terms, length } = this;
    for (let index = 0; index < length; index += 1) counts[terms[index]!] = 0;
    this.length = 0;
    this.unknown.fill(0);
    this.features.fill(0);
  }

  push(hash: number): void {
    const kind = hash & 7;
    this.features[kind]! += 1;
    const term = this.#lookup.find(hash);
    if (term < 0) this.unknown[kind]! += 1;
    else this.see(term);
  }

  pushCharacters(units: Uint16Array, length: number, hash: number): void {
    const { terms, from, known, unknown } = this.#words.read(units, length, hash);
    this.unknown[CHARACTERS]! += unknown;
    for (let index = from; index < from + known; index += 1) this.see(terms[index]!);
  }

  see(term: number): void {
    const before = this.counts[term]!;
    this.counts[term] = before + 1;
    if (before === 0) {
      this.terms[this.length] = term;
      this.length += 1;
    }
  }
}

/**
 * Counts the known terms among a text's features, and the unknown ones by kind, in arrays that are used again for
 * the next text. It knows nothing of weights or projections.
 */
import type { FeatureBuffer } from '../text/feature-buffer.ts';
import { KINDS } from '../text/features.ts';
import type { TermLookup } from './term-lookup.ts';

export class TermCounts {
  /** Occurrences per term; zero but for the touched ones. */
  readonly counts: Uint32Array;
  /** Terms that occur, in order of first occurrence; the first `length` entries hold. */
  readonly terms: Uint32Array;
  length = 0;
  /** Features without a term, by kind, repetitions included. */
  readonly unknown = new Uint32Array(KINDS);
  private readonly lookup: TermLookup;

  constructor(lookup: TermLookup) {
    this.lookup = lookup;
    this.counts = new Uint32Array(lookup.size);
    this.terms = new Uint32Array(lookup.size);
  }

  /** Replaces what was counted before by the features in the buffer. */
  count(features: FeatureBuffer): void {
    this.clear();
    const { lookup, unknown } = this;
    const { hashes, length } = features;
    for (let index = 0; index < length; index += 1) {
      const term = lookup.find(hashes[index]!);
      if (term < 0) unknown[hashes[index]! & 7]! += 1;
      else this.see(term);
    }
  }

  clear(): void {
    for (let index = 0; index < this.length; index += 1) this.counts[this.terms[index]!] = 0;
    this.length = 0;
    this.unknown.fill(0);
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

/**
 * Counts the known terms among a text's features, and the unknown ones by kind, in arrays that are used again for
 * the next text. It knows nothing of weights or projections.
 */
import { type FeatureBuffer, KINDS } from '../text/features.ts';
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
    const { counts, terms, unknown, lookup } = this;
    for (let index = 0; index < this.length; index += 1) counts[terms[index]!] = 0;
    unknown.fill(0);
    let length = 0;
    const { hashes } = features;
    for (let index = 0; index < features.length; index += 1) {
      const hash = hashes[index]!;
      const term = lookup.find(hash);
      if (term < 0) unknown[hash & 7]! += 1;
      else {
        const before = counts[term]!;
        counts[term] = before + 1;
        if (before === 0) {
          terms[length] = term;
          length += 1;
        }
      }
    }
    this.length = length;
  }
}

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FeatureBuffer } from '../../text/feature-buffer.ts';
import { extractFeatures, KINDS, normalise } from '../../text/features.ts';
import { TermCounts } from './term-counts.ts';
import { TermLookup } from './terms.ts';

/** Words that recur, long ones, and any text. */
const texts = fc.array(
  fc.oneof(
    fc
      .array(
        fc.constantFrom('python', 'Python', 'cat', 'rat', 'extraordinarily', 'a', '東京', 'f();', 'zwölf'),
        {
          maxLength: 12,
        },
      )
      .map((words) => words.join(' ')),
    fc
      .array(fc.string({ minLength: 1, maxLength: 45, unit: fc.constantFrom('a', 'b', 'ä') }))
      .map((words) => words.join(' ')),
    fc.string({ unit: 'binary' }),
  ),
  { maxLength: 6 },
);

/** Every third feature of the texts is a term. */
function lookupFor(all: readonly string[]): TermLookup {
  const buffer = new FeatureBuffer();
  const hashes = new Set<number>();
  for (const text of all) {
    extractFeatures(normalise(text), buffer);
    for (let index = 0; index < buffer.length; index += 3) hashes.add(buffer.hashes[index]!);
  }
  return new TermLookup(Uint32Array.from(hashes));
}

it('counts terms of words met before as it counts each feature by itself, in the same order', () => {
  fc.assert(
    fc.property(texts, (all) => {
      const lookup = lookupFor(all);
      const counted = new TermCounts(lookup);
      const buffer = new FeatureBuffer();
      for (const text of [...all, ...all]) {
        const read = normalise(text);
        extractFeatures(read, counted);
        extractFeatures(read, buffer);
        const unknown = new Uint32Array(KINDS);
        const terms = new Map<number, number>();
        for (const hash of buffer.hashes.subarray(0, buffer.length)) {
          const term = lookup.find(hash);
          if (term < 0) unknown[hash & 7]! += 1;
          else terms.set(term, (terms.get(term) ?? 0) + 1);
        }
        expect([...counted.unknown]).toEqual([...unknown]);
        const found = [...counted.terms.subarray(0, counted.length)];
        expect(found.map((term) => [term, counted.counts[term]])).toEqual([...terms]);
      }
    }),
  );
});

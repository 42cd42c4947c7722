import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { relevances } from './relevance.ts';

/** Prompts of three terms: 0 is in all of them, 1 only in the first cluster's, 2 in every other one. */
function chunkOf(labels: Uint32Array) {
  const rows = [...labels].map((label, row) => [
    0,
    ...(label === 0 ? [1] : []),
    ...(row % 2 === 0 ? [2] : []),
  ]);
  const offsets = Uint32Array.from([0, ...rows.map((_, row) => rows.slice(0, row + 1).flat().length)]);
  return {
    rows: rows.length,
    offsets,
    terms: Uint32Array.from(rows.flat()),
    counts: new Uint8Array(rows.flat().length).fill(1),
  };
}

describe('relevances', () => {
  it('are numbers between the least and one, also for a term that is everywhere alike, whatever the clusters', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(7), { minLength: 1, maxLength: 200 }), (list) => {
        const labels = Uint32Array.from(list);
        const chunks = [chunkOf(labels)] as unknown as Parameters<typeof relevances>[0];
        for (const value of relevances(chunks, labels, 8, 3)) {
          expect(value).toBeGreaterThanOrEqual(0.05 - 1e-7);
          expect(value).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  it('are largest for the term that gathers', () => {
    const labels = Uint32Array.from({ length: 80 }, (_, row) => (row < 20 ? 0 : 1 + (row % 3)));
    const chunks = [chunkOf(labels)] as unknown as Parameters<typeof relevances>[0];
    const [everywhere, gathered] = relevances(chunks, labels, 4, 3);
    expect(gathered!).toBeGreaterThan(everywhere! * 3);
  });
});

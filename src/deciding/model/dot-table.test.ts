import fc from 'fast-check';
import { expect, it } from 'vitest';
import { DotTable } from './dot-table.ts';

/** One row after the other, one number after the other, in single precision. */
function plainDots(rows: readonly Float32Array[], vector: Float32Array): number[] {
  return rows.map((row) =>
    row.reduce((sum, value, j) => Math.fround(sum + Math.fround(value * vector[j]!)), 0),
  );
}

it('gives the dot products of the plain loop to the bit, with SIMD and without', () => {
  const vectors = (dimensions: number, most: number) =>
    fc.array(
      fc.float32Array({
        minLength: dimensions,
        maxLength: dimensions,
        noNaN: true,
        noDefaultInfinity: true,
      }),
      { minLength: 1, maxLength: most },
    );
  const tables = fc
    .integer({ min: 1, max: 20 })
    .chain((dimensions) => fc.record({ rows: vectors(dimensions, 40), asked: vectors(dimensions, 3) }));
  fc.assert(
    fc.property(tables, fc.boolean(), ({ rows, asked }, plain) => {
      const table = new DotTable(rows, rows[0]!.length, plain);
      for (const vector of [...asked, asked[0]!, asked[0]!])
        expect([...table.dots(vector)].slice(0, rows.length)).toEqual(plainDots(rows, vector));
    }),
  );
});

it('may be empty', () => {
  expect(new DotTable([], 3).dots(Float32Array.of(1, 2, 3))).toHaveLength(0);
});

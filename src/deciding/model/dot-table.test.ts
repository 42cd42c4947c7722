import fc from 'fast-check';
import { expect, it } from 'vitest';
import { DotTable } from './dot-table.ts';

const ONE = 1 << 14;

/** One row after the other, of numbers rounded to so many parts of one; whole numbers are added exactly. */
function roundedDots(rows: readonly Float32Array[], vector: Float32Array): number[] {
  const whole = (value: number): number => Math.floor(value * ONE + 0.5);
  return rows.map((row) =>
    Math.fround(row.reduce((sum, value, j) => sum + whole(value) * whole(vector[j]!), 0) / (ONE * ONE)),
  );
}

function dot(one: Float32Array, other: Float32Array): number {
  return one.reduce((sum, value, j) => sum + value * other[j]!, 0);
}

/** Vectors of unit length, with some numbers that are most of it, and of zeros. */
function unitVectors(dimensions: number, most: number): fc.Arbitrary<Float32Array[]> {
  const number = fc.oneof(fc.constant(0), fc.double({ min: -1, max: 1, noNaN: true }));
  const vector = fc.array(number, { minLength: dimensions, maxLength: dimensions }).map((values) => {
    const length = Math.hypot(...values);
    return Float32Array.from(values, (value) => (length === 0 ? 0 : value / length));
  });
  return fc.array(vector, { minLength: 1, maxLength: most });
}

it('gives the dot products of the plain loop to the bit, with SIMD and without, and those of the vectors to four digits', () => {
  const tables = fc
    .integer({ min: 1, max: 20 })
    .chain((dimensions) =>
      fc.record({ rows: unitVectors(dimensions, 40), asked: unitVectors(dimensions, 3) }),
    );
  fc.assert(
    fc.property(tables, fc.boolean(), ({ rows, asked }, plain) => {
      const table = new DotTable(rows, rows[0]!.length, plain);
      for (const vector of [...asked, asked[0]!, asked[0]!]) {
        const dots = [...table.dots(vector)].slice(0, rows.length);
        expect(dots).toEqual(roundedDots(rows, vector));
        for (const [index, row] of rows.entries())
          expect(Math.abs(dots[index]! - dot(row, vector))).toBeLessThan(5e-4);
      }
    }),
  );
});

it('may be empty', () => {
  expect(new DotTable([], 3).dots(Float32Array.of(1, 2, 3))).toHaveLength(0);
});

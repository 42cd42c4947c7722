import fc from 'fast-check';
import { expect, it } from 'vitest';
import { RowSums } from './rows.ts';

const WIDTHS = [1, 7, 16, 24, 96];

it('sums rows with SIMD to the same bits as one by one, whatever was summed before', () => {
  const gain = fc.double({ min: -1e9, max: 1e9, noNaN: true });
  const table = fc
    .tuple(fc.constantFrom(...WIDTHS), fc.integer({ min: 1, max: 12 }))
    .chain(([width, count]) =>
      fc.record({
        width: fc.constant(width),
        count: fc.constant(count),
        rows: fc.int8Array({ minLength: width * count, maxLength: width * count }),
        sums: fc.array(fc.array(fc.tuple(fc.nat(count - 1), gain), { maxLength: count }), { maxLength: 4 }),
      }),
    );
  fc.assert(
    fc.property(table, ({ width, count, rows, sums }) => {
      const [simd, plain] = [new RowSums(rows, count, width), new RowSums(rows, count, width, true)];
      for (const list of sums) {
        const terms = Uint32Array.from(list, ([term]) => term);
        for (const one of [simd, plain]) {
          list.forEach(([, value], index) => {
            one.gains[index] = value;
          });
          one.add(terms, terms.length);
        }
        expect([...simd.sum]).toEqual([...plain.sum]);
      }
    }),
  );
});

it('multiplies rows by their gains, rounded to a share of the largest', () => {
  const sums = new RowSums(Int8Array.from([1, -2, 3, 4, 5, -128]), 3, 2);
  sums.gains.set([10, 0.5]);
  sums.add(Uint32Array.of(2, 0), 2);
  expect(sums.sum[0]).toBeCloseTo(50.5, 3);
  expect(sums.sum[1]).toBeCloseTo(-1281, 3);
});

it('never overflows, however many the rows and however large their numbers', () => {
  const count = 5_000;
  const sums = new RowSums(new Int8Array(16 * count).fill(-128), count, 16);
  sums.gains.fill(3);
  sums.add(
    Uint32Array.from({ length: count }, (_, term) => term),
    count,
  );
  expect(sums.sum[15]! / (-128 * 3 * count)).toBeCloseTo(1, 3);
});

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { seededRandom } from '../../../../core/random.ts';
import { GramSum, RowProducts } from './row-products.ts';

const shapes = fc.record({
  seed: fc.nat(),
  rows: fc.integer({ min: 1, max: 40 }),
  width: fc.integer({ min: 1, max: 21 }),
});

function normals(seed: number, count: number): Float32Array {
  const random = seededRandom(seed);
  return Float32Array.from({ length: count }, () => random.normal());
}

it('gathers and scatters rows to the bit as the plain loops do', () => {
  fc.assert(
    fc.property(shapes, ({ seed, rows, width }) => {
      const matrix = normals(seed, rows * width);
      const run = (plain: boolean): readonly Float32Array[] => {
        const random = seededRandom(seed);
        const products = new RowProducts(matrix, width, 9, true, plain);
        const sums: Float32Array[] = [];
        for (let length = 0; length <= 9; length += 1) {
          for (let entry = 0; entry < length; entry += 1) {
            products.terms[entry] = random.below(rows);
            products.weights[entry] = random.normal();
          }
          sums.push(products.gather(length).slice(0, width));
          products.scatter(length);
        }
        return [...sums, products.added()];
      };
      expect(run(false)).toEqual(run(true));
    }),
  );
});

it('sums outer products to the bit as the plain loop does', () => {
  fc.assert(
    fc.property(shapes, ({ seed, rows, width }) => {
      const matrix = normals(seed, rows * width);
      const run = (plain: boolean): Float64Array => {
        const gram = new GramSum(width, plain);
        for (let row = 0; row < rows; row += 1) gram.add(matrix, row * width);
        return gram.total().map((value, at) => (at % width < Math.floor(at / width) ? 0 : value));
      };
      expect(run(false)).toEqual(run(true));
    }),
  );
});

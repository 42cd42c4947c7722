import fc from 'fast-check';
import { expect, it } from 'vitest';
import { seededRandom } from '../../core/random.ts';
import { DistanceTable } from './nearest.ts';

const shapes = fc.record({
  seed: fc.nat(),
  rows: fc.integer({ min: 1, max: 40 }),
  width: fc.integer({ min: 1, max: 21 }),
});

function normals(seed: number, count: number): Float32Array {
  const random = seededRandom(seed);
  return Float32Array.from({ length: count }, () => random.normal());
}

it('measures distances to the bit as the plain loop does, whatever table was used in between', () => {
  fc.assert(
    fc.property(shapes, ({ seed, rows, width }) => {
      const table = normals(seed, rows * width);
      const points = normals(seed + 1, 3 * width);
      const fast = new DistanceTable(table, width);
      const plain = new DistanceTable(table, width, true);
      for (let point = 0; point < 3; point += 1) {
        const expected = plain.from(points, point * width).slice(0, rows);
        expect(fast.from(points, point * width).slice(0, rows)).toEqual(expected);
        new DistanceTable(points, width).from(table, 0);
      }
      expect(fast.from(table, 0)[0]).toBe(0);
    }),
  );
});

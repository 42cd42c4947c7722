import { describe, expect, it } from 'vitest';
import { seededRandom } from '../core/random.ts';
import { orthonormalise, symmetricEigen } from './dense.ts';
import { CountMatrixBuilder, rowLengths } from './sparse.ts';
import { multiplyHere, truncatedSvd } from './svd.ts';

describe('the eigenproblem', () => {
  it('has the known answer for a matrix worked by hand', () => {
    const { values, vectors } = symmetricEigen(Float64Array.from([2, 1, 1, 2]), 2);
    expect([...values]).toEqual([expect.closeTo(3, 12), expect.closeTo(1, 12)]);
    expect(Math.abs(vectors[0]!)).toBeCloseTo(Math.SQRT1_2, 12);
  });
});

describe('orthonormal columns', () => {
  it('come out orthonormal, and zero where there was no direction left', () => {
    const random = seededRandom(3);
    const x = Float64Array.from({ length: 50 * 3 }, () => random.normal());
    for (let row = 0; row < 50; row += 1) x[row * 3 + 2] = x[row * 3]! + x[row * 3 + 1]!;
    orthonormalise(x, 3);
    const dot = (a: number, b: number): number =>
      Array.from({ length: 50 }, (_, row) => x[row * 3 + a]! * x[row * 3 + b]!).reduce((s, v) => s + v, 0);
    expect(dot(0, 0)).toBeCloseTo(1, 10);
    expect(dot(0, 1)).toBeCloseTo(0, 10);
    expect(dot(2, 2)).toBe(0);
  });
});

describe('the truncated SVD', () => {
  it('finds the singular values that the dense eigenproblem of AᵀA has', async () => {
    const random = seededRandom(5);
    const columns = 30;
    const builder = new CountMatrixBuilder(columns);
    for (let row = 0; row < 200; row += 1) {
      const counts = new Uint32Array(columns);
      for (let draw = 0; draw < 12; draw += 1) counts[(random.below(6) * (1 + (row % 5))) % columns]! += 1;
      const terms = Uint32Array.from([...counts.keys()].filter((term) => counts[term]! > 0));
      builder.add(terms, terms.length, counts);
    }
    const counts = builder.build();
    const weights = Float32Array.from({ length: columns }, () => 1 + random.next());
    const matrix = { counts, weights, lengths: rowLengths(counts, weights) };
    const svd = await truncatedSvd(columns, 6, random, multiplyHere(matrix));
    const exact = symmetricEigen(denseGram(matrix), columns);
    for (let j = 0; j < 6; j += 1) expect(svd.values[j]).toBeCloseTo(Math.sqrt(exact.values[j]!), 3);
  });
});

function denseGram(matrix: Parameters<typeof multiplyHere>[0]): Float64Array {
  const { counts, weights, lengths } = matrix;
  const gram = new Float64Array(counts.columns ** 2);
  for (let row = 0; row < counts.rows; row += 1) {
    const dense = new Float64Array(counts.columns);
    for (let entry = counts.offsets[row]!; entry < counts.offsets[row + 1]!; entry += 1) {
      const count = counts.counts[entry]!;
      dense[counts.terms[entry]!] = ((1 + Math.log(count)) * weights[counts.terms[entry]!]!) / lengths[row]!;
    }
    dense.forEach((a, i) => {
      dense.forEach((b, j) => {
        gram[i * counts.columns + j]! += a * b;
      });
    });
  }
  return gram;
}

import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../../core/random.ts';
import { TermCounts } from '../term-counts.ts';
import { TermLookup } from '../terms.ts';
import { type CountChunk, CountChunkBuilder } from './counts.ts';
import { orthonormalise, symmetricEigen } from './dense.ts';
import { blocksOf, multiplyBlock, truncatedSvd } from './svd.ts';

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
    const x = Float32Array.from({ length: 50 * 3 }, () => random.normal());
    for (let row = 0; row < 50; row += 1) x[row * 3 + 2] = x[row * 3]! + x[row * 3 + 1]!;
    orthonormalise(x, 3);
    const dot = (a: number, b: number): number =>
      Array.from({ length: 50 }, (_, row) => x[row * 3 + a]! * x[row * 3 + b]!).reduce((s, v) => s + v, 0);
    expect(dot(0, 0)).toBeCloseTo(1, 6);
    expect(dot(0, 1)).toBeCloseTo(0, 6);
    expect(dot(2, 2)).toBe(0);
  });
});

describe('the truncated SVD', () => {
  it('finds the singular values that the dense eigenproblem of AᵀA has', async () => {
    const random = seededRandom(5);
    const columns = 30;
    const weights = Float32Array.from({ length: columns }, () => 1 + random.next());
    const counted = new TermCounts(new TermLookup(Uint32Array.from({ length: columns }, (_, term) => term)));
    const chunks: CountChunk[] = [];
    for (let part = 0; part < 5; part += 1) {
      const builder = new CountChunkBuilder(columns);
      for (let row = 0; row < 40; row += 1) {
        counted.clear();
        for (let draw = 0; draw < 12; draw += 1) counted.see((random.below(6) * (1 + (row % 5))) % columns);
        builder.add(counted);
      }
      chunks.push(builder.build(weights));
    }
    const svd = await truncatedSvd(columns, 6, random, async (q, width, last) =>
      blocksOf(chunks).map((block) => multiplyBlock(block, weights, q, width, last)),
    );
    const exact = symmetricEigen(denseGram(chunks, weights), columns);
    for (let j = 0; j < 6; j += 1) expect(svd.values[j]).toBeCloseTo(Math.sqrt(exact.values[j]!), 3);
  });
});

function denseGram(chunks: readonly CountChunk[], weights: Float32Array): Float64Array {
  const columns = weights.length;
  const gram = new Float64Array(columns ** 2);
  for (const { rows, offsets, terms, counts, lengths } of chunks) {
    for (let row = 0; row < rows; row += 1) {
      const dense = new Float64Array(columns);
      for (let entry = offsets[row]!; entry < offsets[row + 1]!; entry += 1) {
        dense[terms[entry]!] = ((1 + Math.log(counts[entry]!)) * weights[terms[entry]!]!) / lengths[row]!;
      }
      dense.forEach((a, i) => {
        dense.forEach((b, j) => {
          gram[i * columns + j]! += a * b;
        });
      });
    }
  }
  return gram;
}

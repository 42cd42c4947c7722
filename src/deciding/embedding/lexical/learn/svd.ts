/**
 * Truncated singular value decomposition of a sparse tf-idf matrix by randomised subspace iteration. Only the right
 * singular vectors are computed: they project a text.
 */
import type { Random } from '../../../../core/random.ts';
import { type CountChunk, frequencyTable } from './counts.ts';
import { multiplied, orthonormalise, symmetricEigen } from './dense.ts';
import { GramSum, RowProducts } from './row-products.ts';

export interface Svd {
  /** In descending order. */
  readonly values: Float64Array;
  /** columns × rank, row-major: row t is term t in the space of the right singular vectors. */
  readonly vectors: Float32Array;
  readonly rank: number;
}

/**
 * Extra directions that make the requested ones accurate (Halko, Martinsson & Tropp 2011, section 4.2 suggests 5–10).
 */
const OVERSAMPLING = 12;
/** Passes over the matrix; the last is for the Rayleigh–Ritz step. */
const ITERATIONS = 4;
/** Rows are summed in this many blocks, whatever the number of threads, so that sums round identically. */
const BLOCKS = 4;

/** What one block of rows contributes: AᵀA·Q, or, in the last pass, (A·Q)ᵀ(A·Q) for the Rayleigh–Ritz step. */
export interface BlockProduct {
  /** Empty in the last pass. */
  readonly z: Float32Array;
  readonly gram: Float64Array;
}

/** Multiplies all blocks by q; training runs this on several threads. */
export type Multiply = (q: Float32Array, width: number, last: boolean) => Promise<readonly BlockProduct[]>;

/** The chunks of each block: consecutive runs of about equal length. */
export function blocksOf(chunks: readonly CountChunk[]): readonly (readonly CountChunk[])[] {
  return Array.from({ length: BLOCKS }, (_, block) =>
    chunks.slice(
      Math.floor((chunks.length * block) / BLOCKS),
      Math.floor((chunks.length * (block + 1)) / BLOCKS),
    ),
  ).filter((block) => block.length > 0);
}

/** `weights[t]` is a term's weight before its frequency in a row; rows are normalised. */
export function multiplyBlock(
  chunks: readonly CountChunk[],
  weights: Float32Array,
  q: Float32Array,
  width: number,
  last: boolean,
): BlockProduct {
  const products = new RowProducts(q, width, longestRow(chunks), !last);
  const gram = new GramSum(width);
  for (const chunk of chunks) {
    for (let row = 0; row < chunk.rows; row += 1) {
      const length = load(chunk, row, weights, products);
      if (length === 0) continue;
      const y = products.gather(length);
      if (last) gram.add(y, 0);
      else products.scatter(length);
    }
  }
  return { z: products.added(), gram: gram.total() };
}

function longestRow(chunks: readonly CountChunk[]): number {
  let longest = 0;
  for (const { rows, offsets } of chunks)
    for (let row = 0; row < rows; row += 1) longest = Math.max(longest, offsets[row + 1]! - offsets[row]!);
  return longest;
}

/** Puts a row's terms and weights where they are multiplied. @returns how many */
function load(
  { offsets, terms, counts, lengths }: CountChunk,
  row: number,
  weights: Float32Array,
  into: RowProducts,
): number {
  const length = lengths[row]!;
  if (length === 0) return 0;
  const first = offsets[row]!;
  const entries = offsets[row + 1]! - first;
  for (let entry = 0; entry < entries; entry += 1) {
    const term = terms[first + entry]!;
    into.terms[entry] = term;
    into.weights[entry] = (FREQUENCY[counts[first + entry]!]! * weights[term]!) / length;
  }
  return entries;
}

const FREQUENCY = frequencyTable();

/**
 * The leading `rank` right singular vectors (fewer when the matrix has fewer), by subspace iteration on AᵀA from a
 * Gaussian start with a Rayleigh–Ritz step at the end (Halko et al. 2011, algorithms 4.4 and 5.1).
 */
export async function truncatedSvd(
  columns: number,
  rank: number,
  random: Random,
  multiply: Multiply,
  onPass: (done: number, total: number) => void = () => {},
): Promise<Svd> {
  const width = Math.max(1, Math.min(rank + OVERSAMPLING, columns));
  const q = Float32Array.from({ length: columns * width }, () => random.normal());
  orthonormalise(q, width, 1);
  let gram: Float64Array = new Float64Array(width * width);
  for (let pass = 0; pass < ITERATIONS; pass += 1) {
    const products = await multiply(q, width, pass === ITERATIONS - 1);
    onPass(pass + 1, ITERATIONS);
    if (pass === ITERATIONS - 1) gram = summed(products.map((product) => product.gram));
    else {
      q.fill(0);
      for (const { z } of products) for (let i = 0; i < q.length; i += 1) q[i]! += z[i]!;
      // The last one feeds the Rayleigh–Ritz step, which assumes orthonormal columns.
      orthonormalise(q, width, pass === ITERATIONS - 2 ? 2 : 1);
    }
  }
  return rayleighRitz(q, gram, width, Math.min(rank, width));
}

function summed(grams: readonly Float64Array[]): Float64Array {
  const sum = new Float64Array(grams[0]!.length);
  for (const gram of grams) for (let i = 0; i < sum.length; i += 1) sum[i]! += gram[i]!;
  return sum;
}

function rayleighRitz(q: Float32Array, gram: Float64Array, width: number, rank: number): Svd {
  for (let i = 0; i < width; i += 1)
    for (let j = 0; j < i; j += 1) gram[i * width + j] = gram[j * width + i]!;
  const eigen = symmetricEigen(gram, width);
  let kept = 0;
  while (kept < rank && eigen.values[kept]! > eigen.values[0]! * 1e-9) kept += 1;
  const leading = new Float32Array(width * kept);
  for (let m = 0; m < width; m += 1)
    for (let j = 0; j < kept; j += 1) leading[m * kept + j] = eigen.vectors[m * width + j]!;
  const vectors = multiplied(q, width, leading, kept);
  return { values: eigen.values.slice(0, kept).map(Math.sqrt), vectors, rank: kept };
}

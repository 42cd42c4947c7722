/** Vectors to compare others with: all dot products at once, of numbers rounded to 16 bits. */
import { ROWS_OF_A_BLOCK as BLOCK, type VectorKernels, vectorKernels } from '../../core/vector-kernels.ts';

/** What 1 is rounded to. Of vectors of at most unit length all sums of products stay below the square of it: 28 bits. */
const ONE = 1 << 14;

export class DotTable {
  /** Of a row, half of its numbers, the last filled up with a zero. */
  readonly #pairs: number;
  /**
   * By blocks of rows: the first two numbers of each, then the next two of each, and so on; the last block is filled up
   * with rows of zeros.
   */
  readonly #blocks: Int16Array;
  readonly #vector: Int16Array;
  readonly #sums: Int32Array;
  readonly #dots: Float32Array;
  /** What `#dots` are with: one prompt is asked about several times in a row. */
  #with: Float32Array | null = null;
  readonly #kernels: VectorKernels | null;

  /** @param rows of `dimensions` numbers each, at most of unit length @param plain without SIMD */
  constructor(rows: readonly Float32Array[], dimensions: number, plain = false) {
    const padded = Math.ceil(rows.length / BLOCK) * BLOCK;
    this.#pairs = Math.ceil(dimensions / 2);
    const values = 2 * padded * this.#pairs;
    const bytes = 4 * padded + 2 * values + 4 * this.#pairs;
    this.#kernels = plain || values === 0 ? null : vectorKernels(bytes);
    const memory = this.#kernels?.memory ?? new ArrayBuffer(bytes);
    this.#sums = new Int32Array(memory, 0, padded);
    this.#blocks = new Int16Array(memory, 4 * padded, values);
    this.#vector = new Int16Array(memory, 4 * padded + 2 * values, 2 * this.#pairs);
    this.#dots = new Float32Array(padded);
    for (const [row, vector] of rows.entries()) {
      const lane = row % BLOCK;
      const from = 2 * ((row - lane) * this.#pairs + lane);
      for (let j = 0; j < dimensions; j++)
        this.#blocks[from + (j >> 1) * 2 * BLOCK + (j & 1)] = rounded(vector[j]!);
    }
  }

  /**
   * The dot product of each row with a vector of at most unit length that does not change, to about four digits after the
   * point. Valid until the next call; entries behind the last row are zero.
   */
  dots(vector: Float32Array): Float32Array {
    if (this.#with === vector) return this.#dots;
    this.#with = vector;
    for (let j = 0; j < vector.length; j++) this.#vector[j] = rounded(vector[j]!);
    const sums = this.#sums;
    if (this.#kernels)
      this.#kernels.run.dots(
        this.#blocks.byteOffset,
        sums.length / BLOCK,
        this.#vector.byteOffset,
        this.#pairs,
        sums.byteOffset,
      );
    else for (let row = 0; row < sums.length; row += BLOCK) this.#block(row);
    for (let row = 0; row < sums.length; row++) this.#dots[row] = sums[row]! / (ONE * ONE);
    return this.#dots;
  }

  /** Adds a row times a factor to a vector of as many numbers. */
  addRow(row: number, factor: number, into: Float64Array): void {
    const lane = row % BLOCK;
    const from = 2 * ((row - lane) * this.#pairs + lane);
    for (let j = 0; j < into.length; j++)
      into[j]! += (factor * this.#blocks[from + (j >> 1) * 2 * BLOCK + (j & 1)]!) / ONE;
  }

  #block(row: number): void {
    const sums = this.#sums.subarray(row, row + BLOCK).fill(0);
    let at = 2 * row * this.#pairs;
    for (let j = 0; j < this.#vector.length; j += 2)
      for (let lane = 0; lane < BLOCK; lane++, at += 2)
        sums[lane]! += this.#blocks[at]! * this.#vector[j]! + this.#blocks[at + 1]! * this.#vector[j + 1]!;
  }
}

function rounded(value: number): number {
  return Math.floor(value * ONE + 0.5);
}

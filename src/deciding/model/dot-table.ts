/** Vectors to compare others with: all dot products at once, in single precision. */
import { ROWS_OF_A_BLOCK as BLOCK, type VectorKernels, vectorKernels } from '../../core/vector-kernels.ts';

export class DotTable {
  readonly #dimensions: number;
  /**
   * By blocks of rows: the first number of each, then the second of each, and so on; the last block is filled up with rows
   * of zeros.
   */
  readonly #blocks: Float32Array;
  readonly #vector: Float32Array;
  readonly #dots: Float32Array;
  /** What `#dots` are with: one prompt is asked about several times in a row. */
  #with: Float32Array | null = null;
  readonly #kernels: VectorKernels | null;

  /** @param rows of `dimensions` numbers each @param plain without SIMD */
  constructor(rows: readonly Float32Array[], dimensions: number, plain = false) {
    const padded = Math.ceil(rows.length / BLOCK) * BLOCK;
    const values = padded * dimensions;
    const bytes = 4 * (values + dimensions + padded);
    this.#kernels = plain || values === 0 ? null : vectorKernels(bytes);
    const memory = this.#kernels?.memory ?? new ArrayBuffer(bytes);
    this.#dimensions = dimensions;
    this.#blocks = new Float32Array(memory, 0, values);
    this.#vector = new Float32Array(memory, 4 * values, dimensions);
    this.#dots = new Float32Array(memory, 4 * (values + dimensions), padded);
    for (const [row, vector] of rows.entries()) {
      const lane = row % BLOCK;
      for (let j = 0; j < dimensions; j++)
        this.#blocks[(row - lane) * dimensions + j * BLOCK + lane] = vector[j]!;
    }
  }

  /**
   * The dot product of each row with a vector that does not change, summed in the order of its numbers. Valid until the
   * next call; entries behind the last row are zero.
   */
  dots(vector: Float32Array): Float32Array {
    if (this.#with === vector) return this.#dots;
    this.#with = vector;
    this.#vector.set(vector);
    const { length, byteOffset } = this.#dots;
    if (this.#kernels)
      this.#kernels.run.dots(0, length / BLOCK, this.#vector.byteOffset, this.#dimensions, byteOffset);
    else for (let row = 0; row < length; row += BLOCK) this.#block(row);
    return this.#dots;
  }

  /** Every product and every sum is rounded to single precision: products here, sums as they are stored. */
  #block(row: number): void {
    const dots = this.#dots.subarray(row, row + BLOCK).fill(0);
    let at = row * this.#dimensions;
    for (const value of this.#vector)
      for (let lane = 0; lane < BLOCK; lane++, at++)
        dots[lane] = dots[lane]! + Math.fround(this.#blocks[at]! * value);
  }
}

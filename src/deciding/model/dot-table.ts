/** Vectors to compare others with: all dot products at once. */
import { type VectorKernels, vectorKernels } from '../../core/vector-kernels.ts';

/** Rows that are summed side by side. Their sums do not depend on each other, so none waits for another's addition. */
const SIDE_BY_SIDE = 8;

export class DotTable {
  readonly #dimensions: number;
  /**
   * By blocks of eight rows: the first number of each, then the second of each, and so on; the last block is filled up
   * with rows of zeros. Doubles, because converting costs more than reading twice the bytes.
   */
  readonly #blocks: Float64Array;
  readonly #vector: Float64Array;
  readonly #dots: Float64Array;
  /** What `#dots` are with: one prompt is asked about several times in a row. */
  #with: Float32Array | null = null;
  readonly #kernels: VectorKernels | null;

  /** @param rows of `dimensions` numbers each @param plain without SIMD */
  constructor(rows: readonly Float32Array[], dimensions: number, plain = false) {
    const padded = Math.ceil(rows.length / SIDE_BY_SIDE) * SIDE_BY_SIDE;
    const values = padded * dimensions;
    const bytes = 8 * (values + dimensions + padded);
    this.#kernels = plain || values === 0 ? null : vectorKernels(bytes);
    const memory = this.#kernels?.memory ?? new ArrayBuffer(bytes);
    this.#dimensions = dimensions;
    this.#blocks = new Float64Array(memory, 0, values);
    this.#vector = new Float64Array(memory, 8 * values, dimensions);
    this.#dots = new Float64Array(memory, 8 * (values + dimensions), padded);
    for (const [row, vector] of rows.entries()) {
      const lane = row % SIDE_BY_SIDE;
      for (let j = 0; j < dimensions; j++)
        this.#blocks[(row - lane) * dimensions + j * SIDE_BY_SIDE + lane] = vector[j]!;
    }
  }

  /**
   * The dot product of each row with a vector that does not change, summed in the order of its numbers. Valid until the
   * next call; entries behind the last row are zero.
   */
  dots(vector: Float32Array): Float64Array {
    if (this.#with === vector) return this.#dots;
    this.#with = vector;
    this.#vector.set(vector);
    const { length, byteOffset } = this.#dots;
    if (this.#kernels)
      this.#kernels.run.dots(0, length / SIDE_BY_SIDE, this.#vector.byteOffset, this.#dimensions, byteOffset);
    else for (let row = 0; row < length; row += SIDE_BY_SIDE) this.#block(row);
    return this.#dots;
  }

  #block(row: number): void {
    const blocks = this.#blocks;
    const vector = this.#vector;
    const dots = this.#dots;
    let [a, b, c, d, e, f, g, h] = [0, 0, 0, 0, 0, 0, 0, 0];
    let at = row * this.#dimensions;
    for (let j = 0; j < vector.length; j++, at += SIDE_BY_SIDE) {
      const value = vector[j]!;
      a += blocks[at]! * value;
      b += blocks[at + 1]! * value;
      c += blocks[at + 2]! * value;
      d += blocks[at + 3]! * value;
      e += blocks[at + 4]! * value;
      f += blocks[at + 5]! * value;
      g += blocks[at + 6]! * value;
      h += blocks[at + 7]! * value;
    }
    dots[row] = a;
    dots[row + 1] = b;
    dots[row + 2] = c;
    dots[row + 3] = d;
    dots[row + 4] = e;
    dots[row + 5] = f;
    dots[row + 6] = g;
    dots[row + 7] = h;
  }
}

/** Rows quantised to bytes with one scale per row: building them and summing them. */
import { type VectorKernels, vectorKernels } from '../../../core/vector-kernels.ts';

export interface QuantisedRows {
  /** rows × width, each in [−127, 127]. */
  readonly values: Int8Array;
  /** What a row's values are multiplied by. */
  readonly scales: Float32Array;
}

/** Symmetric rounding to 8 bits; a row's error is at most half its scale per entry. */
export function quantiseRows(rows: Float32Array, width: number): QuantisedRows {
  const count = width === 0 ? 0 : rows.length / width;
  const values = new Int8Array(rows.length);
  const scales = new Float32Array(count);
  for (let row = 0; row < count; row += 1) {
    let largest = 0;
    for (let j = row * width; j < (row + 1) * width; j += 1) largest = Math.max(largest, Math.abs(rows[j]!));
    if (largest === 0) continue;
    const scale = Math.fround(largest / 127);
    scales[row] = scale;
    for (let j = row * width; j < (row + 1) * width; j += 1) values[j] = Math.round(rows[j]! / scale);
  }
  return { values, scales };
}

/** Rows to sum, with the room for it: reused for every sum. */
export class RowSums {
  /** What each row of `terms` is multiplied by. */
  readonly gains: Float64Array;
  /** The result, one number per column. */
  readonly sum: Float64Array;
  readonly #terms: Uint32Array;
  readonly #rows: Int8Array;
  readonly #kernels: VectorKernels | null;

  /** @param rows count × width @param plain without SIMD */
  constructor(rows: Int8Array, count: number, width: number, plain = false) {
    const bytes = 8 * width + 12 * count;
    const simd = !plain && rows.length > 0 && width % 8 === 0;
    this.#kernels = simd ? vectorKernels(bytes + rows.length) : null;
    const memory = this.#kernels?.memory ?? new ArrayBuffer(bytes);
    this.sum = new Float64Array(memory, 0, width);
    this.gains = new Float64Array(memory, 8 * width, count);
    this.#terms = new Uint32Array(memory, 8 * (width + count), count);
    this.#rows = this.#kernels ? new Int8Array(memory, bytes, rows.length) : rows;
    if (this.#kernels) this.#rows.set(rows);
  }

  /** Sets `sum` to the sum of `gains[i]` times row `terms[i]`, for the first `length` of them. */
  add(terms: Uint32Array, length: number): void {
    this.sum.fill(0);
    const fours = this.#kernels ? length >>> 2 : 0;
    if (this.#kernels && fours > 0) this.#addFours(this.#kernels, terms.subarray(0, 4 * fours));
    addRows(this.#rows, terms, this.gains, 4 * fours, length, this.sum);
  }

  #addFours({ run }: VectorKernels, terms: Uint32Array): void {
    this.#terms.set(terms);
    const { length: width, byteOffset: sum } = this.sum;
    run.addRows(
      this.#terms.byteOffset,
      this.gains.byteOffset,
      terms.length / 4,
      this.#rows.byteOffset,
      width,
      sum,
    );
  }
}

/**
 * Adds `gains[i]` times row `terms[i]` of `rows` (width numbers each) to `sum`, for those from `from` up to,
 * not including, `to`. Four rows at a time, because reading and writing the sum costs more than multiplying.
 */
export function addRows(
  rows: Int8Array,
  terms: ArrayLike<number>,
  gains: Float64Array,
  from: number,
  to: number,
  sum: Float64Array,
): void {
  const width = sum.length;
  let index = from;
  for (; index + 4 <= to; index += 4) {
    const a = terms[index]! * width;
    const b = terms[index + 1]! * width;
    const c = terms[index + 2]! * width;
    const d = terms[index + 3]! * width;
    const p = gains[index]!;
    const q = gains[index + 1]!;
    const r = gains[index + 2]!;
    const s = gains[index + 3]!;
    for (let j = 0; j < width; j += 1) {
      sum[j]! += p * rows[a + j]! + q * rows[b + j]! + r * rows[c + j]! + s * rows[d + j]!;
    }
  }
  for (; index < to; index += 1) {
    const a = terms[index]! * width;
    const p = gains[index]!;
    for (let j = 0; j < width; j += 1) sum[j]! += p * rows[a + j]!;
  }
}

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

/** What a gain of the largest magnitude is rounded to: 16 bits hold it. */
const LARGEST_GAIN = 32_767;
/** Sum of the rounded gains' magnitudes: times a byte's 128, 32 bits hold it. */
const MOST_GAINS = 2 ** 24;

/** Rows to sum, with the room for it: reused for every sum. */
export class RowSums {
  /** What each row of `terms` is multiplied by. */
  readonly gains: Float64Array;
  /** The result, one number per column. */
  readonly sum: Float64Array;
  readonly #width: number;
  readonly #rows: Int8Array;
  /** Gains in whole numbers, those behind the last up to a multiple of four zero. */
  readonly #whole: Int16Array;
  readonly #addresses: Uint32Array;
  readonly #sums: Int32Array;
  readonly #kernels: VectorKernels | null;

  /** @param rows count × width @param plain without SIMD */
  constructor(rows: Int8Array, count: number, width: number, plain = false) {
    const room = Math.ceil(count / 4) * 4;
    const bytes = 4 * width + 6 * room;
    const simd = !plain && rows.length > 0 && width % 16 === 0;
    this.#kernels = simd ? vectorKernels(bytes + rows.length) : null;
    const memory = this.#kernels?.memory ?? new ArrayBuffer(bytes);
    this.gains = new Float64Array(count);
    this.sum = new Float64Array(width);
    this.#width = width;
    this.#sums = new Int32Array(memory, 0, width);
    this.#addresses = new Uint32Array(memory, 4 * width, room);
    this.#whole = new Int16Array(memory, 4 * (width + room), room);
    this.#rows = this.#kernels ? new Int8Array(memory, bytes, rows.length) : rows;
    if (this.#kernels) this.#rows.set(rows);
  }

  /**
   * Sets `sum` to the sum of `gains[i]` times row `terms[i]`, for the first `length` of them. Gains are rounded to 1 /
   * 32,767 of the largest, or more coarsely where their sum is large: what bytes in rows lose is a hundred times as much.
   */
  add(terms: Uint32Array, length: number): void {
    const unit = this.#round(length);
    const sums = this.#sums.fill(0);
    const fours = this.#kernels ? Math.ceil(length / 4) : 0;
    if (this.#kernels && fours > 0) this.#addFours(this.#kernels, terms, length, fours);
    else addRows(this.#rows, terms, this.#whole, length, sums);
    for (let j = 0; j < this.#width; j += 1) this.sum[j] = sums[j]! * unit;
  }

  /** Rounds the gains. @returns what 1 stands for */
  #round(length: number): number {
    const { gains } = this;
    let largest = 0;
    let all = 0;
    for (let index = 0; index < length; index += 1) {
      const size = Math.abs(gains[index]!);
      all += size;
      if (size > largest) largest = size;
    }
    const unit = largest === 0 ? 1 : Math.max(largest / LARGEST_GAIN, all / (MOST_GAINS - length));
    const whole = this.#whole;
    for (let index = 0; index < length; index += 1) whole[index] = Math.floor(gains[index]! / unit + 0.5);
    return unit;
  }

  #addFours({ run }: VectorKernels, terms: Uint32Array, length: number, fours: number): void {
    const addresses = this.#addresses;
    const base = this.#rows.byteOffset;
    const width = this.#width;
    for (let index = 0; index < length; index += 1) addresses[index] = base + terms[index]! * width;
    for (let index = length; index < 4 * fours; index += 1) {
      addresses[index] = base;
      this.#whole[index] = 0;
    }
    run.addRows(addresses.byteOffset, this.#whole.byteOffset, fours, width, this.#sums.byteOffset);
  }
}

/** Adds `gains[i]` times row `terms[i]` of `rows` (as wide as `sums`) to `sums`, for the first `length` of them. */
function addRows(
  rows: Int8Array,
  terms: Uint32Array,
  gains: Int16Array,
  length: number,
  sums: Int32Array,
): void {
  const width = sums.length;
  for (let index = 0; index < length; index += 1) {
    const at = terms[index]! * width;
    const gain = gains[index]!;
    for (let j = 0; j < width; j += 1) sums[j]! += gain * rows[at + j]!;
  }
}

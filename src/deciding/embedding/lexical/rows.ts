/** Rows quantised to bytes with one scale per row: building them and summing them. */

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

/**
 * Adds `gains[i]` times row `terms[i]` of `rows` (width numbers each) to `sum`, for the first `length` of them. Four
 * rows at a time, because reading and writing the sum costs more than multiplying.
 */
export function addRows(
  rows: Int8Array,
  terms: ArrayLike<number>,
  gains: Float64Array,
  length: number,
  sum: Float64Array,
): void {
  const width = sum.length;
  let index = 0;
  for (; index + 4 <= length; index += 4) {
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
  for (; index < length; index += 1) {
    const a = terms[index]! * width;
    const p = gains[index]!;
    for (let j = 0; j < width; j += 1) sum[j]! += p * rows[a + j]!;
  }
}

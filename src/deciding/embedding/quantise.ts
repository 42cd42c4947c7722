/**
 * Rows of numbers as bytes with one scale a row, and back. It knows nothing of what the rows mean.
 */

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

/**
 * The innermost loop of every decision: adds weighted rows of bytes. It knows nothing of terms or texts.
 */

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

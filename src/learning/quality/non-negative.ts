/** Least squares with weights of 0 or more, for a handful of columns: every subset of them is tried. */

/**
 * @param all predictions, each as long as the target
 * @param whole the target; places where it is NaN do not count
 * @returns one weight per column
 */
export function nonNegativeWeights(all: readonly Float64Array[], whole: Float64Array): number[] {
  const known = (_: number, at: number): boolean => !Number.isNaN(whole[at]!);
  const columns = all.map((column) => column.filter(known));
  const target = whole.filter(known);
  let best = { weights: columns.map(() => 0), gain: 0 };
  for (let subset = 1; subset < 1 << columns.length; subset += 1) {
    const used = columns.map((_, index) => index).filter((index) => subset & (1 << index));
    const solved = leastSquares(
      used.map((index) => columns[index]!),
      target,
    );
    if (solved === null || solved.some((weight) => weight < 0)) continue;
    const gain = used.reduce((sum, index, at) => sum + solved[at]! * product(columns[index]!, target), 0);
    if (gain <= best.gain) continue;
    const weights = columns.map(() => 0);
    used.forEach((index, at) => {
      weights[index] = solved[at]!;
    });
    best = { weights, gain };
  }
  return best.weights;
}

/** Gaussian elimination on the normal equations; null where the columns depend on each other. */
function leastSquares(columns: readonly Float64Array[], target: Float64Array): number[] | null {
  const size = columns.length;
  const rows = columns.map((column) => [
    ...columns.map((other) => product(column, other)),
    product(column, target),
  ]);
  for (let pivot = 0; pivot < size; pivot += 1) {
    if (rows[pivot]![pivot]! < 1e-12) return null;
    for (let row = 0; row < size; row += 1) {
      if (row === pivot) continue;
      const factor = rows[row]![pivot]! / rows[pivot]![pivot]!;
      for (let column = pivot; column <= size; column += 1)
        rows[row]![column]! -= factor * rows[pivot]![column]!;
    }
  }
  return rows.map((row, index) => row[size]! / row[index]!);
}

function product(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let index = 0; index < a.length; index += 1) sum += a[index]! * b[index]!;
  return sum;
}

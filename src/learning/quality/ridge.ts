/** Ridge regression by normal equations and Cholesky's decomposition. */

/**
 * Weights (columns × targets) that minimise |XW − Y|² + penalty·|W|² over the given rows, for each penalty; the last
 * column, the constant, is not penalised. Targets that are missing (NaN) count as 0, which shrinks them.
 *
 * @param design rows × columns
 */
export function fitRidge(
  design: Float32Array,
  columns: number,
  targets: Float64Array,
  rows: readonly number[],
  penalties: readonly number[],
): readonly Float32Array[] {
  const outputs = rows.length === 0 ? 0 : targets.length / (design.length / columns);
  const gram = new Float64Array(columns * columns);
  const right = new Float64Array(columns * outputs);
  for (const row of rows) {
    const at = row * columns;
    for (let i = 0; i < columns; i += 1) {
      const value = design[at + i]!;
      const line = i * columns;
      for (let j = 0; j <= i; j += 1) gram[line + j]! += value * design[at + j]!;
      for (let output = 0; output < outputs; output += 1) {
        const target = targets[row * outputs + output]!;
        if (!Number.isNaN(target)) right[i * outputs + output]! += value * target;
      }
    }
  }
  return penalties.map((penalty) => {
    const lower = gram.slice();
    const solution = right.slice();
    for (let i = 0; i < columns; i += 1) lower[i * columns + i]! += i === columns - 1 ? TINY : penalty;
    decompose(lower, columns);
    solve(lower, columns, solution, outputs);
    return Float32Array.from(solution);
  });
}

const TINY = 1e-9;

/** The lower triangle of A becomes L with LLᵀ = A. */
function decompose(matrix: Float64Array, size: number): void {
  for (let i = 0; i < size; i += 1) {
    for (let j = 0; j <= i; j += 1) {
      let sum = matrix[i * size + j]!;
      for (let k = 0; k < j; k += 1) sum -= matrix[i * size + k]! * matrix[j * size + k]!;
      matrix[i * size + j] = i === j ? Math.sqrt(Math.max(sum, TINY)) : sum / matrix[j * size + j]!;
    }
  }
}

/** Solves LLᵀX = B in place of B (size × outputs). */
function solve(lower: Float64Array, size: number, right: Float64Array, outputs: number): void {
  for (let output = 0; output < outputs; output += 1) {
    for (let i = 0; i < size; i += 1) {
      let sum = right[i * outputs + output]!;
      for (let k = 0; k < i; k += 1) sum -= lower[i * size + k]! * right[k * outputs + output]!;
      right[i * outputs + output] = sum / lower[i * size + i]!;
    }
    for (let i = size - 1; i >= 0; i -= 1) {
      let sum = right[i * outputs + output]!;
      for (let k = i + 1; k < size; k += 1) sum -= lower[k * size + i]! * right[k * outputs + output]!;
      right[i * outputs + output] = sum / lower[i * size + i]!;
    }
  }
}

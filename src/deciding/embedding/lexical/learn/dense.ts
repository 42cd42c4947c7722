/**
 * The little dense linear algebra that the SVD needs, row-major: products, Cholesky, triangular inverse and the
 * symmetric eigenproblem.
 */
import { GramSum, RowProducts } from './row-products.ts';

/**
 * Upper-triangular R with RᵀR = gram (its upper triangle is read). A direction without energy gets a zero row, marked
 * by a zero on the diagonal.
 */
export function cholesky(gram: Float64Array, width: number): Float64Array {
  const r = new Float64Array(width * width);
  let largest = 0;
  for (let i = 0; i < width; i += 1) largest = Math.max(largest, gram[i * width + i]!);
  for (let i = 0; i < width; i += 1) {
    let pivot = gram[i * width + i]!;
    for (let m = 0; m < i; m += 1) pivot -= r[m * width + i]! ** 2;
    if (pivot <= largest * 1e-12) continue;
    const root = Math.sqrt(pivot);
    r[i * width + i] = root;
    for (let j = i + 1; j < width; j += 1) {
      let sum = gram[i * width + j]!;
      for (let m = 0; m < i; m += 1) sum -= r[m * width + i]! * r[m * width + j]!;
      r[i * width + j] = sum / root;
    }
  }
  return r;
}

/** R⁻¹ of an upper-triangular R; columns of directions without energy are zero. */
export function invertUpper(r: Float64Array, width: number): Float64Array {
  const inverse = new Float64Array(width * width);
  for (let j = 0; j < width; j += 1) {
    if (r[j * width + j] === 0) continue;
    inverse[j * width + j] = 1 / r[j * width + j]!;
    for (let i = j - 1; i >= 0; i -= 1) {
      if (r[i * width + i] === 0) continue;
      let sum = 0;
      for (let m = i + 1; m <= j; m += 1) sum += r[i * width + m]! * inverse[m * width + j]!;
      inverse[i * width + j] = -sum / r[i * width + i]!;
    }
  }
  return inverse;
}

/** x·m of the tall matrix x (rows × width) and the matrix m (width × columns), in single precision. */
export function multiplied(
  x: Float32Array,
  width: number,
  m: Float32Array,
  columns: number,
): Float32Array<ArrayBuffer> {
  const rows = x.length / width;
  const product = new Float32Array(rows * columns);
  const products = new RowProducts(m, columns, width, false);
  for (let j = 0; j < width; j += 1) products.terms[j] = j;
  for (let row = 0; row < rows; row += 1) {
    products.weights.set(x.subarray(row * width, (row + 1) * width));
    product.set(products.gather(width).subarray(0, columns), row * columns);
  }
  return product;
}

/**
 * Orthonormal columns by Cholesky QR, in place; twice for accuracy to the last bits (Yamamoto et al., ETNA 2015),
 * once where the columns only have to stay independent.
 */
export function orthonormalise(x: Float32Array, width: number, passes = 2): void {
  for (let pass = 0; pass < passes; pass += 1) {
    const gram = new GramSum(width);
    for (let at = 0; at < x.length; at += width) gram.add(x, at);
    const inverse = invertUpper(cholesky(gram.total(), width), width);
    x.set(multiplied(x, width, Float32Array.from(inverse), width));
  }
}

export interface Eigen {
  /** In descending order. */
  readonly values: Float64Array;
  /** Column j of this width × width matrix belongs to value j. */
  readonly vectors: Float64Array;
}

const MAX_SWEEPS = 60;

/** Eigenvalues and vectors of a symmetric matrix (both triangles given), by cyclic Jacobi (Golub & Van Loan, 8.5). */
export function symmetricEigen(matrix: Float64Array, width: number): Eigen {
  const a = Float64Array.from(matrix);
  const v = new Float64Array(width * width);
  for (let i = 0; i < width; i += 1) v[i * width + i] = 1;
  for (let sweep = 0; sweep < MAX_SWEEPS; sweep += 1) {
    if (offDiagonal(a, width) <= 1e-22 * trace2(a, width)) break;
    for (let p = 0; p < width - 1; p += 1) {
      for (let q = p + 1; q < width; q += 1) rotate(a, v, width, p, q);
    }
  }
  return sorted(a, v, width);
}

function offDiagonal(a: Float64Array, width: number): number {
  let sum = 0;
  for (let i = 0; i < width; i += 1) for (let j = i + 1; j < width; j += 1) sum += a[i * width + j]! ** 2;
  return sum;
}

function trace2(a: Float64Array, width: number): number {
  let sum = 0;
  for (let i = 0; i < width; i += 1) sum += a[i * width + i]! ** 2;
  return sum;
}

function rotate(a: Float64Array, v: Float64Array, width: number, p: number, q: number): void {
  const apq = a[p * width + q]!;
  if (apq === 0) return;
  const theta = (a[q * width + q]! - a[p * width + p]!) / (2 * apq);
  const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const c = 1 / Math.sqrt(t * t + 1);
  const s = t * c;
  for (let i = 0; i < width; i += 1) turn(a, i * width + p, i * width + q, c, s);
  for (let i = 0; i < width; i += 1) turn(a, p * width + i, q * width + i, c, s);
  for (let i = 0; i < width; i += 1) turn(v, i * width + p, i * width + q, c, s);
}

function turn(x: Float64Array, i: number, j: number, c: number, s: number): void {
  const xi = x[i]!;
  const xj = x[j]!;
  x[i] = c * xi - s * xj;
  x[j] = s * xi + c * xj;
}

function sorted(a: Float64Array, v: Float64Array, width: number): Eigen {
  const order = Array.from({ length: width }, (_, i) => i);
  order.sort((x, y) => a[y * width + y]! - a[x * width + x]!);
  const vectors = new Float64Array(width * width);
  order.forEach((from, to) => {
    for (let i = 0; i < width; i += 1) vectors[i * width + to] = v[i * width + from]!;
  });
  return { values: Float64Array.from(order, (i) => a[i * width + i]!), vectors };
}

/** Sums of weighted rows, and their transpose: what multiplying by a sparse or a small matrix comes down to. */
import { type MatrixKernels, matrixKernels } from '../../../../core/matrix-kernels.ts';

/**
 * A matrix of rows and room for one sparse row: some terms (numbers of rows) with a weight each. All in single precision,
 * rounded after every step, in an order that does not depend on whether there is SIMD. While one is in use on a thread,
 * nothing else may use the kernels there.
 */
export class RowProducts {
  /** To be filled by the caller before `gather` and `scatter`. */
  readonly terms: Uint32Array;
  readonly weights: Float32Array;
  /** What `gather` sums into and `scatter` reads; `width` numbers and padding. */
  readonly sum: Float32Array;
  readonly #width: number;
  /** The width, padded to whole vectors of four. */
  readonly #stride: number;
  readonly #rows: Float32Array;
  readonly #added: Float32Array;
  readonly #kernels: MatrixKernels | null;

  /** @param rows count × width @param most terms at once @param adds whether `scatter` will be used @param plain without SIMD */
  constructor(rows: Float32Array, width: number, most: number, adds: boolean, plain = false) {
    const stride = Math.ceil(width / 4) * 4;
    const count = rows.length / width;
    const entries = Math.ceil(most / 4) * 4;
    const added = adds ? count * stride : 0;
    const bytes = 4 * (2 * entries + stride + count * stride + added);
    const kernels = plain ? null : matrixKernels('rows');
    const claimed = kernels?.claim(this, bytes) ?? null;
    const memory = claimed ?? new ArrayBuffer(bytes);
    let at = 0;
    const floats = (length: number): Float32Array => {
      const part = new Float32Array(memory, at, length);
      at += part.byteLength;
      return part.fill(0);
    };
    this.terms = new Uint32Array(memory, 0, entries).fill(0);
    at += this.terms.byteLength;
    this.weights = floats(entries);
    this.sum = floats(stride);
    this.#rows = floats(count * stride);
    this.#added = floats(added);
    this.#kernels = claimed && kernels;
    this.#width = width;
    this.#stride = stride;
    for (let row = 0; row < count; row += 1)
      this.#rows.set(rows.subarray(row * width, (row + 1) * width), row * stride);
  }

  /** Sets `sum` to the first `length` terms' rows, each times its weight. */
  gather(length: number): Float32Array {
    this.sum.fill(0);
    const fours = this.#padded(length);
    if (this.#kernels === null) this.#gatherPlain(fours);
    else if (fours > 0) {
      const { terms, weights, sum } = this;
      this.#kernels.run.gather(...this.#addresses(terms, weights, fours, this.#rows, sum));
    }
    return this.sum;
  }

  /** Adds `sum`, times each term's weight, to that term's row of the result. */
  scatter(length: number): void {
    const fours = this.#padded(length);
    if (this.#kernels === null) this.#scatterPlain(fours);
    else if (fours > 0) {
      const { terms, weights, sum } = this;
      this.#kernels.run.scatter(...this.#addresses(terms, weights, fours, this.#added, sum));
    }
  }

  /** All that was scattered: count × width, a copy. */
  added(): Float32Array<ArrayBuffer> {
    const width = this.#width;
    const stride = this.#stride;
    const count = this.#added.length / stride;
    const copy = new Float32Array(count * width);
    for (let row = 0; row < count; row += 1)
      copy.set(this.#added.subarray(row * stride, row * stride + width), row * width);
    return copy;
  }

  /** Groups of four terms, the last filled up with weights of 0. */
  #padded(length: number): number {
    const fours = Math.ceil(length / 4);
    for (let entry = length; entry < 4 * fours; entry += 1) {
      this.terms[entry] = 0;
      this.weights[entry] = 0;
    }
    return fours;
  }

  #addresses(
    terms: Uint32Array,
    weights: Float32Array,
    fours: number,
    rows: Float32Array,
    sum: Float32Array,
  ): [number, number, number, number, number, number] {
    return [terms.byteOffset, weights.byteOffset, fours, rows.byteOffset, this.#stride, sum.byteOffset];
  }

  #gatherPlain(fours: number): void {
    const { fround } = Math;
    const rows = this.#rows;
    for (let entry = 0; entry < 4 * fours; entry += 4) {
      const [a, b, c, d] = this.#starts(entry);
      const [p, q, r, s] = this.weights.subarray(entry, entry + 4) as unknown as Four;
      for (let j = 0; j < this.#stride; j += 1) {
        const two = fround(fround(rows[a + j]! * p) + fround(rows[b + j]! * q));
        const four = fround(fround(two + fround(rows[c + j]! * r)) + fround(rows[d + j]! * s));
        this.sum[j] = this.sum[j]! + four;
      }
    }
  }

  #scatterPlain(fours: number): void {
    const added = this.#added;
    for (let entry = 0; entry < 4 * fours; entry += 1) {
      const start = this.terms[entry]! * this.#stride;
      const weight = this.weights[entry]!;
      for (let j = 0; j < this.#stride; j += 1)
        added[start + j] = added[start + j]! + Math.fround(this.sum[j]! * weight);
    }
  }

  #starts(entry: number): Four {
    const start = (index: number): number => this.terms[entry + index]! * this.#stride;
    return [start(0), start(1), start(2), start(3)];
  }
}

type Four = [number, number, number, number];

/** XᵀX of rows that come one at a time, in double precision. */
export class GramSum {
  readonly #width: number;
  /** Padded to an even number. */
  readonly #stride: number;
  readonly #rows: Float64Array;
  readonly #gram: Float64Array;
  readonly #kernels: MatrixKernels | null;
  #held = 0;

  /** @param plain without SIMD */
  constructor(width: number, plain = false) {
    this.#width = width;
    this.#stride = width + (width % 2);
    const bytes = 8 * (4 * this.#stride + this.#stride ** 2);
    const kernels = plain ? null : matrixKernels('gram');
    const claimed = kernels?.claim(this, bytes) ?? null;
    const memory = claimed ?? new ArrayBuffer(bytes);
    this.#rows = new Float64Array(memory, 0, 4 * this.#stride).fill(0);
    this.#gram = new Float64Array(memory, 8 * 4 * this.#stride, this.#stride ** 2).fill(0);
    this.#kernels = claimed && kernels;
  }

  /** Adds the row of `width` numbers that starts at `at`. */
  add(values: Float32Array, at: number): void {
    this.#rows.set(values.subarray(at, at + this.#width), this.#held * this.#stride);
    this.#held += 1;
    if (this.#held === 4) this.#addFour();
  }

  /** width × width; only the upper triangle is meaningful. */
  total(): Float64Array<ArrayBuffer> {
    if (this.#held > 0) this.#addFour();
    const width = this.#width;
    const gram = new Float64Array(width * width);
    for (let row = 0; row < width; row += 1)
      gram.set(this.#gram.subarray(row * this.#stride, row * this.#stride + width), row * width);
    return gram;
  }

  #addFour(): void {
    this.#rows.fill(0, this.#held * this.#stride);
    this.#held = 0;
    const { byteOffset } = this.#rows;
    if (this.#kernels) this.#kernels.run.addGram(byteOffset, this.#stride, this.#gram.byteOffset);
    else this.#addPlain();
  }

  #addPlain(): void {
    const x = this.#rows;
    const stride = this.#stride;
    for (let i = 0; i < stride; i += 1) {
      const p = x[i]!;
      const q = x[stride + i]!;
      const r = x[2 * stride + i]!;
      const s = x[3 * stride + i]!;
      for (let j = i; j < stride; j += 1) {
        const four = p * x[j]! + q * x[stride + j]! + r * x[2 * stride + j]! + s * x[3 * stride + j]!;
        this.#gram[i * stride + j]! += four;
      }
    }
  }
}

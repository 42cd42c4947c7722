/**
 * A sparse matrix of term counts, row by row, three bytes an entry, whose entries become tf-idf weights when read.
 * It knows nothing of texts.
 */
import { termFrequency } from './weighting.ts';

const MAX_COUNT = 255;

export interface CountMatrix {
  readonly rows: number;
  readonly columns: number;
  /** Entry range of row i: [offsets[i], offsets[i + 1]). */
  readonly offsets: Float64Array;
  readonly terms: Uint16Array | Uint32Array;
  readonly counts: Uint8Array;
}

/** `termFrequency` of every count that fits a byte. */
export function frequencyTable(): Float64Array {
  return Float64Array.from({ length: MAX_COUNT + 1 }, (_, count) => termFrequency(count));
}

/** Euclidean length of every row's tf-idf weights; `weights[t]` is the term's idf times its kind's factor. */
export function rowLengths(matrix: CountMatrix, weights: Float32Array): Float32Array {
  const lengths = new Float32Array(matrix.rows);
  const frequency = frequencyTable();
  for (let row = 0; row < matrix.rows; row += 1) {
    let sum = 0;
    for (let entry = matrix.offsets[row]!; entry < matrix.offsets[row + 1]!; entry += 1) {
      const weight = frequency[matrix.counts[entry]!]! * weights[matrix.terms[entry]!]!;
      sum += weight * weight;
    }
    lengths[row] = Math.sqrt(sum);
  }
  return lengths;
}

/** Grows row by row; `build` hands out the matrix. */
export class CountMatrixBuilder {
  private readonly columns: number;
  private readonly offsets: number[] = [0];
  private terms: Uint16Array | Uint32Array;
  private counts = new Uint8Array(1 << 16);
  private length = 0;

  constructor(columns: number) {
    this.columns = columns;
    this.terms = columns <= 0x10000 ? new Uint16Array(1 << 16) : new Uint32Array(1 << 16);
  }

  /** `terms[0..length)` with their counts, which are capped at 255. */
  add(terms: Uint32Array, length: number, countOf: Uint32Array): void {
    while (this.length + length > this.counts.length) this.grow();
    for (let index = 0; index < length; index += 1) {
      const term = terms[index]!;
      this.terms[this.length] = term;
      this.counts[this.length] = Math.min(countOf[term]!, MAX_COUNT);
      this.length += 1;
    }
    this.offsets.push(this.length);
  }

  private grow(): void {
    const capacity = Math.ceil(this.counts.length * 1.6);
    const terms = this.columns <= 0x10000 ? new Uint16Array(capacity) : new Uint32Array(capacity);
    terms.set(this.terms);
    this.terms = terms;
    const counts = new Uint8Array(capacity);
    counts.set(this.counts);
    this.counts = counts;
  }

  build(): CountMatrix {
    return {
      rows: this.offsets.length - 1,
      columns: this.columns,
      offsets: Float64Array.from(this.offsets),
      terms: this.terms.subarray(0, this.length),
      counts: this.counts.subarray(0, this.length),
    };
  }
}

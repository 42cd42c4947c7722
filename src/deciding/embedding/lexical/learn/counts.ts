/** Term counts of many texts as sparse rows of three bytes per entry, in chunks that threads share. */
import { sharedFloats } from '../../../../core/tasks.ts';
import type { TermCounts } from '../term-counts.ts';
import { termFrequency } from '../weighting.ts';

const MAX_COUNT = 255;

export interface CountChunk {
  readonly rows: number;
  /** Entry range of row i: [offsets[i], offsets[i + 1]). */
  readonly offsets: Uint32Array;
  readonly terms: Uint16Array | Uint32Array;
  readonly counts: Uint8Array;
  /** Euclidean length of each row's weights while directions are fitted. */
  readonly lengths: Float32Array;
}

/** `termFrequency` of every count that fits a byte. */
export function frequencyTable(): Float64Array {
  return Float64Array.from({ length: MAX_COUNT + 1 }, (_, count) => termFrequency(count));
}

/** Grows row by row; `build` returns the chunk in memory that threads share. */
export class CountChunkBuilder {
  readonly #columns: number;
  readonly #offsets: number[] = [0];
  #terms = new Uint32Array(1 << 16);
  #counts = new Uint8Array(1 << 16);
  #length = 0;

  constructor(columns: number) {
    this.#columns = columns;
  }

  /** Counts above 255 are stored as 255. */
  add(counted: TermCounts): void {
    while (this.#length + counted.length > this.#counts.length) this.#grow();
    for (let index = 0; index < counted.length; index += 1) {
      const term = counted.terms[index]!;
      this.#terms[this.#length] = term;
      this.#counts[this.#length] = Math.min(counted.counts[term]!, MAX_COUNT);
      this.#length += 1;
    }
    this.#offsets.push(this.#length);
  }

  #grow(): void {
    const terms = new Uint32Array(this.#terms.length * 2);
    terms.set(this.#terms);
    this.#terms = terms;
    const counts = new Uint8Array(this.#counts.length * 2);
    counts.set(this.#counts);
    this.#counts = counts;
  }

  build(weights: Float32Array): CountChunk {
    const rows = this.#offsets.length - 1;
    const length = this.#length;
    const terms =
      this.#columns <= 0x10000
        ? new Uint16Array(new SharedArrayBuffer(2 * length))
        : new Uint32Array(new SharedArrayBuffer(4 * length));
    terms.set(this.#terms.subarray(0, length));
    const counts = new Uint8Array(new SharedArrayBuffer(length));
    counts.set(this.#counts.subarray(0, length));
    const offsets = new Uint32Array(new SharedArrayBuffer(4 * (rows + 1)));
    offsets.set(this.#offsets);
    const chunk = { rows, offsets, terms, counts, lengths: sharedFloats(rows) };
    measureRows(chunk, weights);
    return chunk;
  }
}

function measureRows({ rows, offsets, terms, counts, lengths }: CountChunk, weights: Float32Array): void {
  const frequency = frequencyTable();
  for (let row = 0; row < rows; row += 1) {
    let sum = 0;
    for (let entry = offsets[row]!; entry < offsets[row + 1]!; entry += 1) {
      sum += (frequency[counts[entry]!]! * weights[terms[entry]!]!) ** 2;
    }
    lengths[row] = Math.sqrt(sum);
  }
}

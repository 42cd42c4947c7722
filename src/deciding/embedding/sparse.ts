/**
 * Term counts of many texts as sparse rows, three bytes an entry, in chunks that threads share; and their projection.
 * It knows nothing of texts.
 */
import { addRows } from './project.ts';
import type { TermCounts } from './term-counts.ts';
import { termFrequency } from './weighting.ts';

const MAX_COUNT = 255;

export interface CountChunk {
  readonly rows: number;
  readonly columns: number;
  /** Entry range of row i: [offsets[i], offsets[i + 1]). */
  readonly offsets: Uint32Array;
  readonly terms: Uint16Array | Uint32Array;
  readonly counts: Uint8Array;
  /** Euclidean length of each row's weights while directions are fitted. */
  readonly lengths: Float32Array;
  /** Weight of what each row's text has outside of the vocabulary. */
  readonly unknown: Float32Array;
}

/** Terms' weights and directions, the latter as the artefact stores them. */
export interface Projection {
  readonly weights: Float32Array;
  readonly rows: Int8Array;
  readonly scales: Float32Array;
  readonly dimensions: number;
}

/** `termFrequency` of every count that fits a byte. */
export function frequencyTable(): Float64Array {
  return Float64Array.from({ length: MAX_COUNT + 1 }, (_, count) => termFrequency(count));
}

/** Grows row by row; `build` hands out the chunk in memory that threads share. */
export class CountChunkBuilder {
  private readonly columns: number;
  private readonly offsets: number[] = [0];
  private readonly unknown: number[] = [];
  private terms = new Uint32Array(1 << 16);
  private counts = new Uint8Array(1 << 16);
  private length = 0;

  constructor(columns: number) {
    this.columns = columns;
  }

  /** Counts beyond 255 are taken for 255. */
  add(counted: TermCounts, unknown: number): void {
    while (this.length + counted.length > this.counts.length) this.grow();
    for (let index = 0; index < counted.length; index += 1) {
      const term = counted.terms[index]!;
      this.terms[this.length] = term;
      this.counts[this.length] = Math.min(counted.counts[term]!, MAX_COUNT);
      this.length += 1;
    }
    this.offsets.push(this.length);
    this.unknown.push(unknown);
  }

  private grow(): void {
    const terms = new Uint32Array(this.terms.length * 2);
    terms.set(this.terms);
    this.terms = terms;
    const counts = new Uint8Array(this.counts.length * 2);
    counts.set(this.counts);
    this.counts = counts;
  }

  build(weights: Float32Array): CountChunk {
    const rows = this.unknown.length;
    const narrow = this.columns <= 0x10000;
    const terms = narrow
      ? new Uint16Array(new SharedArrayBuffer(2 * this.length))
      : new Uint32Array(new SharedArrayBuffer(4 * this.length));
    terms.set(this.terms.subarray(0, this.length));
    const counts = new Uint8Array(new SharedArrayBuffer(this.length));
    counts.set(this.counts.subarray(0, this.length));
    const offsets = new Uint32Array(new SharedArrayBuffer(4 * (rows + 1)));
    offsets.set(this.offsets);
    const unknown = sharedFloats(rows);
    unknown.set(this.unknown);
    const lengths = sharedFloats(rows);
    const chunk = { rows, columns: this.columns, offsets, terms, counts, lengths, unknown };
    measureRows(chunk, weights);
    return chunk;
  }
}

/** Floats that threads see without copying. */
export function sharedFloats(length: number): Float32Array {
  return new Float32Array(new SharedArrayBuffer(4 * length));
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

/** Every row's unit vector, and how far its terms point the same way: 0..1, unknown ones pointing nowhere. */
export function projectChunk(
  chunk: CountChunk,
  { weights, rows, scales, dimensions }: Projection,
): { vectors: Float32Array; coherences: Float32Array } {
  const { offsets, terms, counts, unknown } = chunk;
  const frequency = frequencyTable();
  const vectors = sharedFloats(chunk.rows * dimensions);
  const coherences = sharedFloats(chunk.rows);
  const sum = new Float64Array(dimensions);
  const gains = new Float64Array(Math.max(1, scales.length));
  for (let row = 0; row < chunk.rows; row += 1) {
    sum.fill(0);
    let weight = unknown[row]!;
    for (let entry = offsets[row]!; entry < offsets[row + 1]!; entry += 1) {
      const term = terms[entry]!;
      const own = frequency[counts[entry]!]! * weights[term]!;
      weight += own;
      gains[entry - offsets[row]!] = own * scales[term]!;
    }
    const entries = terms.subarray(offsets[row]!, offsets[row + 1]!);
    addRows(rows, entries, gains, entries.length, sum);
    let squared = 0;
    for (const value of sum) squared += value * value;
    if (squared === 0) continue;
    const length = Math.sqrt(squared);
    coherences[row] = length / weight;
    for (let j = 0; j < dimensions; j += 1) vectors[row * dimensions + j] = sum[j]! / length;
  }
  return { vectors, coherences };
}

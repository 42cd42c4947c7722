import { charactersOf, type FeatureSink, MOST_CHARACTERS } from './features.ts';

/** Collects features in flat arrays that are reused for the next text. */
export class FeatureBuffer implements FeatureSink {
  hashes = new Uint32Array(8_192);
  /** Position, in the normalised text, of the term that each feature belongs to; filled only with `withSpans`. */
  starts: Int32Array;
  ends: Int32Array;
  length = 0;
  readonly withSpans: boolean;
  readonly #characters = new Uint32Array(MOST_CHARACTERS);

  constructor(withSpans = false) {
    this.withSpans = withSpans;
    this.starts = new Int32Array(withSpans ? 8_192 : 0);
    this.ends = new Int32Array(withSpans ? 8_192 : 0);
  }

  clear(): void {
    this.length = 0;
  }

  push(hash: number, start: number, end: number): void {
    if (this.length === this.hashes.length) grow(this);
    this.hashes[this.length] = hash;
    if (this.withSpans) {
      this.starts[this.length] = start;
      this.ends[this.length] = end;
    }
    this.length += 1;
  }

  /** Explanations attribute a word's characters to the whole word. */
  pushCharacters(units: Uint16Array, length: number, _hash: number, start: number, end: number): void {
    const count = charactersOf(units, length, this.#characters);
    for (let index = 0; index < count; index += 1) this.push(this.#characters[index]!, start, end);
  }
}

function grow(buffer: FeatureBuffer): void {
  buffer.hashes = doubled(buffer.hashes, Uint32Array);
  if (!buffer.withSpans) return;
  buffer.starts = doubled(buffer.starts, Int32Array);
  buffer.ends = doubled(buffer.ends, Int32Array);
}

function doubled<T extends Uint32Array | Int32Array>(old: T, kind: new (length: number) => T): T {
  const next = new kind(old.length * 2);
  next.set(old);
  return next;
}

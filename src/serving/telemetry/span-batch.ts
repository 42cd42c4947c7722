/** Spans on their way to one body, as bytes: nothing of them is left to the garbage collector while they wait. */
import type { SpanTexts } from './spans.ts';

const FIRST_CAPACITY = 64 * 1024;
/** A character of text takes so many bytes of UTF-8 at most. */
const MOST_BYTES = 3;
const COMMA = 44;

export class SpanBatch {
  #buffer = Buffer.allocUnsafeSlow(FIRST_CAPACITY);
  #length = 0;
  spans = 0;

  add({ text, count }: SpanTexts): void {
    this.#makeRoom(1 + MOST_BYTES * text.length);
    if (this.spans > 0) this.#buffer[this.#length++] = COMMA;
    this.#length += this.#buffer.write(text, this.#length);
    this.spans += count;
  }

  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  #makeRoom(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#buffer.length));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}

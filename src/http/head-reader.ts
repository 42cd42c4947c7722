/** Collects the head of a message from chunks of bytes. */
import { FramingError, MAX_HEAD_BYTES } from './fields.ts';

const END = '\r\n\r\n';
const EMPTY = Buffer.alloc(0);

export class HeadReader {
  /** The head's lines without the blank one that ends it, once `read` has found its end. */
  lines: readonly string[] = [];
  #held: Buffer = EMPTY;
  #length = 0;

  /** Whether no byte of a head has come since the last one ended. */
  get empty(): boolean {
    return this.#length === 0;
  }

  /** At most so many bytes of a head that is not whole yet. */
  start(most: number): string {
    return this.#held.toString('latin1', 0, Math.min(most, this.#length));
  }

  /**
   * @returns where in `bytes` the head ends, or -1 while it is incomplete
   * @throws FramingError for a head of more than 64 KiB
   */
  read(bytes: Buffer, from: number): number {
    if (this.#length > 0) return this.#continue(bytes, from);
    const end = bytes.indexOf(END, from, 'latin1');
    if ((end < 0 ? bytes.length : end) - from > MAX_HEAD_BYTES) throw tooLarge();
    if (end < 0) {
      this.#hold(bytes, from, bytes.length);
      return -1;
    }
    this.lines = bytes.toString('latin1', from, end).split('\r\n');
    return end + END.length;
  }

  #continue(bytes: Buffer, from: number): number {
    const before = this.#length;
    const most = MAX_HEAD_BYTES + END.length - before;
    this.#hold(bytes, from, Math.min(bytes.length, from + most));
    const end = this.#held.subarray(0, this.#length).indexOf(END, Math.max(0, before - 3), 'latin1');
    if (end < 0) {
      if (this.#length > MAX_HEAD_BYTES) throw tooLarge();
      return -1;
    }
    this.lines = this.#held.toString('latin1', 0, end).split('\r\n');
    this.#held = EMPTY;
    this.#length = 0;
    return from + end + END.length - before;
  }

  /** Capacity doubles, so that a head that comes byte by byte takes linear time. */
  #hold(bytes: Buffer, from: number, to: number): void {
    const length = this.#length + to - from;
    if (length > this.#held.length) {
      const larger = Buffer.allocUnsafe(Math.max(512, 2 * length));
      this.#held.copy(larger, 0, 0, this.#length);
      this.#held = larger;
    }
    bytes.copy(this.#held, this.#length, from, to);
    this.#length = length;
  }
}

function tooLarge(): FramingError {
  return new FramingError(`head larger than ${MAX_HEAD_BYTES} bytes`);
}

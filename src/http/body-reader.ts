/** Removes a body's framing: by length, in chunks (RFC 9112, section 7.1), or until the connection closes. */
import { FramingError, MAX_HEAD_BYTES, quoted, readFields } from './fields.ts';

/** The body's length in bytes, or how else its end is marked. */
export type Framing = number | 'chunked' | 'until-close';

export interface PieceReceiver {
  /** `bytes[from, to)` belong to the body. The buffer may be reused after the call. */
  piece(bytes: Buffer, from: number, to: number): void;
}

const CR = 0x0d;
const LF = 0x0a;
const MAX_LINE_BYTES = 8 * 1024;
const MAX_SIZE_DIGITS = 8;
/** Chunk extensions are ignored, but must have the form that the RFC gives them. */
const CHUNK_SIZE = /^([0-9a-f]{1,8})[ \t]*(?:;[\t\x20-\x7e\x80-\xff]*)?$/i;
const STRICT_CHUNK_SIZE = /^([0-9a-f]{1,8})(?:;[!#$%&'*+.^_`|~0-9a-z-]+(?:=[!#$%&'*+.^_`|~0-9a-z-]+)?)*$/i;
/** Fields that decide how the message is read must not be in the trailers (RFC 9110, section 6.5.1). */
const FRAMING_FIELDS = ['content-length', 'transfer-encoding', 'connection', 'upgrade', 'host'];

export class BodyReader {
  readonly #receiver: PieceReceiver;
  readonly #chunkSize: RegExp;
  #state: 'length' | 'until-close' | 'size' | 'chunk' | 'chunk-end' | 'trailers' | 'whole' = 'whole';
  /** Bytes left of the body or of the chunk. */
  #left = 0;
  /** The part of a line received so far. */
  #line = '';
  #trailers: string[] = [];
  #trailerBytes = 0;

  /** @param strict whether chunk extensions must have the plainest form */
  constructor(receiver: PieceReceiver, strict: boolean) {
    this.#receiver = receiver;
    this.#chunkSize = strict ? STRICT_CHUNK_SIZE : CHUNK_SIZE;
  }

  begin(framing: Framing): void {
    this.#left = typeof framing === 'number' ? framing : 0;
    if (framing === 'chunked') this.#state = 'size';
    else if (framing === 'until-close') this.#state = 'until-close';
    else this.#state = framing > 0 ? 'length' : 'whole';
  }

  get whole(): boolean {
    return this.#state === 'whole';
  }

  /** Whether the connection's close is the regular end of this body. */
  get endsWithConnection(): boolean {
    return this.#state === 'until-close';
  }

  /**
   * Reads until the body is whole or the bytes are used up.
   * @returns where it stopped
   * @throws FramingError when the chunks are malformed
   */
  read(bytes: Buffer, from: number): number {
    let at = from;
    while (at < bytes.length && this.#state !== 'whole') {
      if (this.#state === 'until-close') {
        this.#receiver.piece(bytes, at, bytes.length);
        return bytes.length;
      }
      at =
        this.#state === 'length' || this.#state === 'chunk'
          ? this.#payload(bytes, at)
          : this.#delimiter(bytes, at);
    }
    return at;
  }

  #payload(bytes: Buffer, from: number): number {
    const to = Math.min(bytes.length, from + this.#left);
    this.#left -= to - from;
    if (this.#left === 0) this.#state = this.#state === 'chunk' ? 'chunk-end' : 'whole';
    this.#receiver.piece(bytes, from, to);
    return to;
  }

  /** Reads what stands between chunks: the usual forms directly from the bytes, anything else as a line. */
  #delimiter(bytes: Buffer, from: number): number {
    if (this.#line === '' && this.#state !== 'trailers') {
      const at = this.#state === 'size' ? this.#hexSize(bytes, from) : from;
      if (at >= 0 && bytes[at] === CR && bytes[at + 1] === LF) {
        this.#state = this.#state === 'chunk-end' ? 'size' : this.#left > 0 ? 'chunk' : 'trailers';
        return at + 2;
      }
    }
    return this.#readLine(bytes, from);
  }

  /** Reads hexadecimal digits into `#left`. @returns where they end, or -1 for none or too many */
  #hexSize(bytes: Buffer, from: number): number {
    const last = Math.min(bytes.length, from + MAX_SIZE_DIGITS);
    let size = 0;
    let at = from;
    for (; at < last; at += 1) {
      const digit = hexDigit(bytes[at]!);
      if (digit < 0) break;
      size = size * 16 + digit;
    }
    this.#left = size;
    return at > from ? at : -1;
  }

  #readLine(bytes: Buffer, from: number): number {
    const end = bytes.indexOf(LF, from);
    const to = end < 0 ? bytes.length : end;
    if (this.#line.length + to - from > MAX_LINE_BYTES) throw new FramingError('chunk line too long');
    this.#line += bytes.toString('latin1', from, to);
    if (end < 0) return to;
    const line = this.#line;
    this.#line = '';
    if (!line.endsWith('\r')) throw new FramingError('chunk line without CRLF');
    this.#takeLine(line.slice(0, -1));
    return end + 1;
  }

  #takeLine(line: string): void {
    if (this.#state === 'chunk-end') {
      if (line !== '') throw new FramingError('chunk longer than its size');
      this.#state = 'size';
    } else if (this.#state === 'size') {
      const size = this.#chunkSize.exec(line)?.[1];
      if (size === undefined) throw new FramingError(`bad chunk size ${quoted(line)}`);
      this.#left = Number.parseInt(size, 16);
      this.#state = this.#left > 0 ? 'chunk' : 'trailers';
    } else if (line !== '') {
      this.#trailerBytes += line.length + 2;
      if (this.#trailerBytes > MAX_HEAD_BYTES)
        throw new FramingError(`trailers of more than ${MAX_HEAD_BYTES} bytes`);
      this.#trailers.push(line);
    } else {
      this.#checkTrailers();
      this.#state = 'whole';
    }
  }

  #checkTrailers(): void {
    if (this.#trailers.length === 0) return;
    const fields = readFields(this.#trailers);
    const wrong = FRAMING_FIELDS.find((name) => name in fields);
    if (wrong !== undefined) throw new FramingError(`trailer '${wrong}' belongs in the head`);
    this.#trailers = [];
    this.#trailerBytes = 0;
  }
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/**
 * Splits bytes into server-sent events, wherever the pieces were cut (WHATWG HTML, section 9.2.6), without decoding
 * them. An event within one piece is not copied.
 */
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
/** `data:` */
const DATA = [0x64, 0x61, 0x74, 0x61, 0x3a];
const BOM = [0xef, 0xbb, 0xbf];
const NOTHING = Buffer.alloc(0);
/** Longer events are dropped. */
const MOST_EVENT = 1024 * 1024;
const FIRST_CAPACITY = 1024;

/** @param event its lines; null for an event that was too long to keep */
export type TakeEvent = (event: Buffer | null) => void;

export class EventBytes {
  readonly #take: TakeEvent;
  /** Offsets of the current event and line in the current piece; negative if they began in an earlier one. */
  #start = 0;
  #line = 0;
  #afterCr = false;
  /** The beginning of an event whose end has not come. */
  #kept = NOTHING;
  #keptBytes = 0;
  #first = true;

  constructor(take: TakeEvent) {
    this.#take = take;
  }

  push(bytes: Buffer): void {
    const last = bytes.length - 1;
    // The usual piece is one line and a blank line.
    const one = this.between && last >= 2 && bytes[last] === LF && bytes.indexOf(LF) === last - 1;
    if (one && bytes.indexOf(CR) < 0) this.#give(bytes);
    else this.#split(bytes);
  }

  /** Whether the next bytes begin an event. */
  get between(): boolean {
    return this.#start === 0 && this.#line === 0 && !this.#afterCr;
  }

  #split(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; at += 1) {
      const byte = bytes[at]!;
      if (byte !== LF && byte !== CR) continue;
      if (byte === LF && this.#afterCr && at === this.#line) {
        // The LF of a CRLF.
        this.#afterCr = false;
        if (this.#start === at) this.#start = at + 1;
      } else {
        this.#afterCr = byte === CR;
        if (at === this.#line) this.#emit(bytes, at);
      }
      this.#line = at + 1;
    }
    this.#keep(bytes);
    this.#start -= bytes.length;
    this.#line -= bytes.length;
  }

  /** Nothing more will come: what was begun is an event too. */
  end(): void {
    if (this.#keptBytes > 0) this.#emit(NOTHING, 0);
  }

  #emit(bytes: Buffer, end: number): void {
    const begun = this.#keptBytes > 0;
    if (begun) this.#append(bytes.subarray(0, end));
    const start = Math.max(this.#start, 0);
    this.#start = end + 1;
    if (begun) this.#give(this.#keptBytes > MOST_EVENT ? null : this.#kept.subarray(0, this.#keptBytes));
    // Alone in its piece: given with its line breaks, which costs no slice.
    else if (start === 0 && end + 2 >= bytes.length && end > 0) this.#give(bytes);
    else if (end > start) this.#give(bytes.subarray(start, end));
    if (begun) this.#kept = NOTHING;
    this.#keptBytes = 0;
  }

  #give(event: Buffer | null): void {
    const marked = this.#first && event !== null && BOM.every((byte, at) => event[at] === byte);
    this.#first = false;
    this.#take(marked ? event.subarray(BOM.length) : event);
  }

  #keep(bytes: Buffer): void {
    const start = Math.max(this.#start, 0);
    if (start < bytes.length) this.#append(bytes.subarray(start));
  }

  #append(bytes: Buffer): void {
    const needed = this.#keptBytes + bytes.length;
    if (needed <= MOST_EVENT) {
      if (needed > this.#kept.length) {
        const grown = Buffer.allocUnsafe(Math.max(needed, 2 * this.#kept.length, FIRST_CAPACITY));
        this.#kept.copy(grown, 0, 0, this.#keptBytes);
        this.#kept = grown;
      }
      bytes.copy(this.#kept, this.#keptBytes);
    }
    this.#keptBytes = needed;
  }
}

/** The data of an event; null where it has none, as comments have. */
export function dataOf(event: Buffer): string | null {
  const end = event.indexOf(LF);
  const oneLine = (end < 0 || end >= event.length - 2) && event.indexOf(CR) < 0;
  if (oneLine && DATA.every((byte, at) => event[at] === byte))
    return event.toString('utf8', event[DATA.length] === SPACE ? 6 : 5, end < 0 ? event.length : end);
  const text = event.toString('utf8').trimEnd();
  const lines: string[] = [];
  for (const line of text.split(/\r\n|\n|\r/)) {
    if (line.startsWith('data:')) lines.push(line.slice(line[5] === ' ' ? 6 : 5));
    else if (line === 'data') lines.push('');
  }
  return lines.length > 0 ? lines.join('\n') : null;
}

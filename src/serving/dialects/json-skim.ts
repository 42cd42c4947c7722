/**
 * Whether bytes that came in pieces are one whole JSON object, told by its brackets alone, and the text of a few of its
 * members. Linear, in constant memory, whatever the size.
 */
const SPACE = 0x20;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const COMMA = 0x2c;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
/** From here on it is no ASCII: outside of strings a byte order mark, which readers skip. */
const BEYOND = 0x80;
const LONGEST_KEY = 32;
const LONGEST_VALUE = 4 * 1024;

/** Members to note: at so many brackets, under this key. The last of several counts. */
export interface Watched {
  readonly depth: number;
  readonly key: string;
}

export class JsonSkim {
  /** The JSON text of a member, as far as it was noted. */
  readonly found = new Map<string, string>();
  readonly #watched: readonly Watched[];
  #depth = 0;
  #inString = false;
  #escaped = false;
  #state: 'before' | 'inside' | 'after' | 'something else' = 'before';
  /** The last string, which is a key where a colon follows. */
  #key = '';
  #value: { readonly key: string; readonly depth: number; text: string } | null = null;

  constructor(watched: readonly Watched[]) {
    this.#watched = watched;
  }

  /** True when one object has closed, and nothing but white space came before and after it. */
  get whole(): boolean {
    return this.#state === 'after';
  }

  push(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i]!;
      if (this.#inString) this.#string(byte);
      else if (byte > SPACE && byte < BEYOND) this.#structure(byte);
    }
  }

  #string(byte: number): void {
    this.#note(byte);
    if (this.#escaped) this.#escaped = false;
    else if (byte === BACKSLASH) this.#escaped = true;
    else if (byte === QUOTE) this.#inString = false;
    else if (this.#key.length < LONGEST_KEY) this.#key += String.fromCharCode(byte);
  }

  #structure(byte: number): void {
    if (this.#state !== 'inside')
      this.#state = this.#state === 'before' && byte === OPEN_OBJECT ? 'inside' : 'something else';
    if (byte === OPEN_OBJECT || byte === OPEN_LIST) this.#depth += 1;
    const closes = byte === CLOSE_OBJECT || byte === CLOSE_LIST;
    if (closes) this.#depth -= 1;
    if (this.#value && (closes || byte === COMMA) && this.#depth <= this.#value.depth) this.#close(closes);
    this.#note(byte);
    if (byte === QUOTE) {
      this.#inString = true;
      this.#key = '';
    } else if (byte === COLON && !this.#value) this.#open();
    if (closes && this.#depth === 0 && this.#state === 'inside') this.#state = 'after';
  }

  #open(): void {
    const watched = this.#watched.some(({ depth, key }) => depth === this.#depth && key === this.#key);
    if (watched) this.#value = { key: this.#key, depth: this.#depth, text: '' };
  }

  /** A comma after the member, or the bracket of what it stands in; the bracket of the member itself is part of it. */
  #close(closes: boolean): void {
    const { key, depth, text } = this.#value!;
    if (closes && this.#depth === depth) return;
    if (text.length <= LONGEST_VALUE) this.found.set(key, Buffer.from(text, 'latin1').toString('utf8'));
    this.#value = null;
  }

  #note(byte: number): void {
    if (this.#value && this.#value.text.length <= LONGEST_VALUE)
      this.#value.text += String.fromCharCode(byte);
  }
}

/**
 * Reads a JSON object in pieces without parsing it: whether its brackets close, and the text of a few members. Linear
 * time, constant memory.
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
/** The first byte beyond ASCII: outside strings only a byte order mark has any, and readers skip that. */
const BEYOND = 0x80;
const LONGEST_KEY = 32;
const LONGEST_VALUE = 4 * 1024;

/** A member to record, by its key and its depth in brackets. The last occurrence counts. */
export interface Watched {
  readonly depth: number;
  readonly key: string;
}

export class JsonSkim {
  /** JSON text of the recorded members; longer ones than `LONGEST_VALUE` are left out. */
  readonly found = new Map<string, string>();
  readonly #watched: readonly Watched[];
  #depth = 0;
  #inString = false;
  #escaped = false;
  #state: 'before' | 'inside' | 'after' | 'something else' = 'before';
  /** The last string: a key if a colon follows. */
  #key = '';
  #value: { readonly key: string; readonly depth: number; text: string } | null = null;

  constructor(watched: readonly Watched[]) {
    this.#watched = watched;
  }

  /** One object has closed, with nothing but white space around it. */
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

  /** Ends the value at a comma or at its parent's bracket; a bracket of its own belongs to it. */
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

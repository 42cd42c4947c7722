/** Whether bytes that came in pieces are one whole JSON object, told by its braces alone: values are not judged. */
const SPACE = 0x20;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN = 0x7b;
const CLOSE = 0x7d;
/** From here on it is no ASCII: outside of strings a byte order mark, which readers skip. */
const BEYOND = 0x80;

export class JsonEnd {
  #depth = 0;
  #inString = false;
  #escaped = false;
  #state: 'before' | 'inside' | 'after' | 'something else' = 'before';

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
    if (this.#escaped) this.#escaped = false;
    else if (byte === BACKSLASH) this.#escaped = true;
    else if (byte === QUOTE) this.#inString = false;
  }

  #structure(byte: number): void {
    if (this.#state !== 'inside')
      this.#state = this.#state === 'before' && byte === OPEN ? 'inside' : 'something else';
    if (byte === QUOTE) this.#inString = true;
    else if (byte === OPEN) this.#depth += 1;
    else if (byte === CLOSE && --this.#depth === 0 && this.#state === 'inside') this.#state = 'after';
  }
}

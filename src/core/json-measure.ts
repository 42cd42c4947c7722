/**
 * How much there is in a JSON text, from its bytes as they arrive and before anybody parses them. It does not check
 * the text: of what is not JSON it bounds what a parser may try.
 */
import { LIMITS } from './bounds.ts';
import { RouterError } from './errors.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

export class JsonMeasure {
  /** Opening brackets, commas and colons outside of strings. */
  tokens = 0;
  #depth = 0;
  #topMembers = 1;
  #inString = false;
  #escaped = false;

  /**
   * The next bytes; a character or an escape may be cut anywhere. Linear, in constant memory.
   * @throws RouterError `invalid_body` or `body_too_large`, naming the limit passed
   */
  push(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      at = this.#inString ? this.#string(bytes, at) : this.#structure(bytes, at);
    }
  }

  /** To the end of the string or of the bytes. */
  #string(bytes: Uint8Array, from: number): number {
    let at = from;
    if (this.#escaped) {
      this.#escaped = false;
      at += 1;
    }
    for (; at < bytes.length; at += 1) {
      const byte = bytes[at];
      if (byte === QUOTE) {
        this.#inString = false;
        return at + 1;
      }
      if (byte === BACKSLASH) at += 1;
    }
    this.#escaped = at > bytes.length;
    return bytes.length;
  }

  /** To the beginning of a string or the end of the bytes. */
  #structure(bytes: Uint8Array, from: number): number {
    for (let at = from; at < bytes.length; at += 1) {
      switch (bytes[at]) {
        case QUOTE:
          this.#inString = true;
          return at + 1;
        case OPEN_LIST:
        case OPEN_OBJECT:
          this.tokens += 1;
          this.#depth += 1;
          if (this.#depth > LIMITS.depth) throw tooDeep();
          break;
        case CLOSE_LIST:
        case CLOSE_OBJECT:
          this.#depth -= 1;
          break;
        case COMMA:
          if (this.#depth === 1) this.#member();
          this.#token();
          break;
        case COLON:
          this.#token();
          break;
      }
    }
    return bytes.length;
  }

  #token(): void {
    this.tokens += 1;
    if (this.tokens > LIMITS.tokens)
      throw new RouterError(
        'body_too_large',
        `The request body holds more than ${LIMITS.tokens} brackets, commas and colons; send fewer values, or several requests.`,
      );
  }

  #member(): void {
    this.#topMembers += 1;
    if (this.#topMembers > LIMITS.topMembers)
      throw new RouterError(
        'invalid_body',
        `The request body has more than ${LIMITS.topMembers} top-level members; leave out what is no field of the API.`,
      );
  }
}

function tooDeep(): RouterError {
  return new RouterError(
    'invalid_body',
    `The request body nests lists and objects deeper than ${LIMITS.depth} levels; send a flatter one.`,
  );
}

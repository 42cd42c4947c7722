/**
 * How much there is in a JSON text and where its top-level members stand, from its bytes as they arrive and before
 * anybody parses them. It does not check the text: of what is not JSON it bounds what a parser may try.
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

/** Offsets in the text; the value's range has the white space around it. */
export interface MemberPlace {
  readonly keyStart: number;
  readonly keyEnd: number;
  readonly valueStart: number;
  readonly valueEnd: number;
}

export class JsonMeasure {
  /** Opening brackets, commas and colons outside of strings. */
  tokens = 0;
  /** Of the outermost object, in order; right if the text is JSON. */
  readonly members: MemberPlace[] = [];
  #depth = 0;
  /** Bytes before those being read. */
  #before = 0;
  #keyStart = -1;
  #keyEnd = -1;
  #valueStart = -1;
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
    this.#before += bytes.length;
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
        if (this.#depth === 1 && this.#valueStart < 0) this.#keyEnd = this.#before + at + 1;
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
          if (this.#depth === 1 && this.#valueStart < 0) this.#keyStart = this.#before + at;
          return at + 1;
        case OPEN_LIST:
        case OPEN_OBJECT:
          this.tokens += 1;
          this.#depth += 1;
          if (this.#depth > LIMITS.depth) throw tooDeep();
          break;
        case CLOSE_LIST:
        case CLOSE_OBJECT:
          if (this.#depth === 1) this.#member(at);
          this.#depth -= 1;
          break;
        case COMMA:
          if (this.#depth === 1) this.#member(at);
          this.#token();
          break;
        case COLON:
          if (this.#depth === 1) this.#valueStart = this.#before + at + 1;
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

  /** A comma or the end of the outermost object: a member ends here, or none was. */
  #member(at: number): void {
    if (this.#valueStart < 0) return;
    this.members.push({
      keyStart: this.#keyStart,
      keyEnd: this.#keyEnd,
      valueStart: this.#valueStart,
      valueEnd: this.#before + at,
    });
    this.#valueStart = -1;
    if (this.members.length > LIMITS.topMembers)
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

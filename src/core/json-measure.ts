/**
 * Counts the tokens of a JSON text and locates its top-level members while its bytes arrive, before anything parses
 * them. It does not validate: for text that is not JSON it only bounds what a parser would attempt.
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

/** Offsets in the text; the value's range includes the white space around it. */
export interface MemberPlace {
  readonly keyStart: number;
  readonly keyEnd: number;
  readonly valueStart: number;
  readonly valueEnd: number;
}

export class JsonMeasure {
  /** Opening brackets, commas and colons outside of strings. */
  tokens = 0;
  /** Members of the outermost object, in order; meaningful only if the text is valid JSON. */
  readonly members: MemberPlace[] = [];
  #depth = 0;
  /** Bytes received before the current chunk. */
  #before = 0;
  #keyStart = -1;
  #keyEnd = -1;
  #valueStart = -1;
  #inString = false;
  #escaped = false;

  /**
   * Reads the next chunk, which may split a character or an escape. Linear time, constant memory.
   * @throws RouterError `invalid_body` or `body_too_large`, naming the limit passed
   */
  push(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      at = this.#inString ? this.#string(bytes, at) : this.#structure(bytes, at);
    }
    this.#before += bytes.length;
  }

  /** Reads to the end of the string or of the chunk. */
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

  /** Reads to the beginning of a string or the end of the chunk. */
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

  /** Called at a comma or at the end of the outermost object, where a member ends if one has begun. */
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
        `The request body has more than ${LIMITS.topMembers} top-level members; remove those that are not fields of the API.`,
      );
  }
}

function tooDeep(): RouterError {
  return new RouterError(
    'invalid_body',
    `The request body nests lists and objects deeper than ${LIMITS.depth} levels; send a flatter one.`,
  );
}

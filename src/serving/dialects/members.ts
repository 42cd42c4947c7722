/**
 * Edits top-level members of a JSON object in its bytes and leaves all others untouched. Serialising anew would lose big
 * integers, key order and duplicate keys.
 */
import { JsonMeasure, type MemberPlace } from '../../core/json-measure.ts';
import { MOST_JOINED, type Pieces } from '../../core/pieces.ts';

const OPEN_OBJECT = 0x7b;

/** Replaces the bytes from `start` to `end`, exclusive. */
export interface Splice {
  readonly start: number;
  readonly end: number;
  readonly bytes: Buffer;
}

/** A body and the offsets of its members, which are known from its arrival or found by reading it once. */
export class Members {
  readonly #body: Buffer;
  readonly #places: readonly MemberPlace[];

  /** @param body a valid JSON object in UTF-8 (already parsed once by the caller) */
  constructor(body: Buffer, places: readonly MemberPlace[] = placesIn(body)) {
    this.#body = body;
    this.#places = places;
  }

  /** Sets every top-level value of `key`, adding the member if there is none. */
  set(key: string, value: unknown): readonly Splice[] {
    const bytes = Buffer.from(JSON.stringify(value));
    const found = this.#called(key);
    if (found.length === 0) return [this.#added(`${JSON.stringify(key)}:${JSON.stringify(value)}`)];
    return found.map(({ valueStart, valueEnd }) => ({ ...this.#trimmed(valueStart, valueEnd), bytes }));
  }

  /** Renames every top-level `key` to `name`. */
  rename(key: string, name: string): readonly Splice[] {
    const bytes = Buffer.from(JSON.stringify(name));
    return this.#called(key).map(({ keyStart, keyEnd }) => ({ start: keyStart, end: keyEnd, bytes }));
  }

  /** Applies edits that do not overlap. A large body is not copied: what stays of it is pointed to. */
  with(splices: readonly Splice[]): Pieces {
    const pieces: Buffer[] = [];
    let from = 0;
    for (const { start, end, bytes } of splices.toSorted((a, b) => a.start - b.start)) {
      pieces.push(this.#body.subarray(from, start), bytes);
      from = end;
    }
    pieces.push(this.#body.subarray(from));
    return this.#body.length > MOST_JOINED ? pieces : Buffer.concat(pieces);
  }

  #added(member: string): Splice {
    const open = this.#body.indexOf(OPEN_OBJECT) + 1;
    return { start: open, end: open, bytes: Buffer.from(this.#places.length > 0 ? `${member},` : member) };
  }

  #called(key: string): readonly MemberPlace[] {
    const longest = 6 * key.length + 2; // every character an escape
    return this.#places.filter(
      ({ keyStart, keyEnd }) => keyEnd - keyStart <= longest && this.#text(keyStart, keyEnd) === key,
    );
  }

  /** Only keys with escapes (`"mod\u0065l"`) need parsing. */
  #text(start: number, end: number): string {
    const raw = this.#body.toString('utf8', start, end);
    return raw.includes('\\') ? (JSON.parse(raw) as string) : raw.slice(1, -1);
  }

  #trimmed(from: number, to: number): { readonly start: number; readonly end: number } {
    let [start, end] = [from, to];
    while (start < end && isSpace(this.#body[start]!)) start += 1;
    while (end > start && isSpace(this.#body[end - 1]!)) end -= 1;
    return { start, end };
  }
}

function placesIn(body: Buffer): readonly MemberPlace[] {
  const measure = new JsonMeasure();
  measure.push(body);
  return measure.members;
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

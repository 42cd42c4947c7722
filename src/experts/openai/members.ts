/**
 * Edits top-level members of a JSON object in its bytes, without touching any other. Re-serialising would lose big
 * integers, key order and duplicate keys; this finds a member in the text and cuts it out.
 */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const COMMA = 0x2c;

/**
 * The body with every top-level value of `key` replaced, or with one added if there is none.
 * @param body a valid JSON object in UTF-8 (already parsed once by the caller)
 */
export function withMember(body: Buffer, key: string, value: unknown): Buffer {
  const json = Buffer.from(JSON.stringify(value));
  const found = topLevelMembers(body, key);
  if (found.length === 0) return insertFirst(body, Buffer.from(`${JSON.stringify(key)}:${json}`));
  return replaced(
    body,
    found.map((member) => member.value),
    json,
  );
}

/** The body with every top-level member called `key` called `name` instead. */
export function withMemberRenamed(body: Buffer, key: string, name: string): Buffer {
  const found = topLevelMembers(body, key);
  return replaced(
    body,
    found.map((member) => member.key),
    Buffer.from(JSON.stringify(name)),
  );
}

/** Start and end, exclusive. */
type Range = readonly [start: number, end: number];

function replaced(body: Buffer, ranges: readonly Range[], by: Buffer): Buffer {
  const pieces: Buffer[] = [];
  let from = 0;
  for (const [start, end] of ranges) {
    pieces.push(body.subarray(from, start), by);
    from = end;
  }
  pieces.push(body.subarray(from));
  return Buffer.concat(pieces);
}

function insertFirst(body: Buffer, member: Buffer): Buffer {
  const open = body.indexOf(OPEN_OBJECT) + 1;
  const isEmpty = body[skipSpace(body, open)] === CLOSE_OBJECT;
  return Buffer.concat([
    body.subarray(0, open),
    member,
    Buffer.from(isEmpty ? '' : ','),
    body.subarray(open),
  ]);
}

/** Where the keys and values of every top-level member called `key` stand. */
function topLevelMembers(body: Buffer, key: string): { readonly key: Range; readonly value: Range }[] {
  const members: { key: Range; value: Range }[] = [];
  let at = skipSpace(body, body.indexOf(OPEN_OBJECT) + 1);
  while (at < body.length && body[at] === QUOTE) {
    const keyStart = at;
    const keyEnd = stringEnd(body, at);
    const found = readKey(body, at, keyEnd) === key;
    at = skipSpace(body, skipSpace(body, keyEnd) + 1); // over the colon
    const end = valueEnd(body, at);
    if (found) members.push({ key: [keyStart, keyEnd], value: [at, end] });
    at = skipSpace(body, end);
    if (body[at] === COMMA) at = skipSpace(body, at + 1);
  }
  return members;
}

/** Keys may be written with escapes (`"mod\u0065l"`); only those pay for a parse. */
function readKey(body: Buffer, start: number, end: number): string {
  const raw = body.toString('utf8', start, end);
  return raw.includes('\\') ? (JSON.parse(raw) as string) : raw.slice(1, -1);
}

/** The index after the closing quote of the string that starts at `at`. */
function stringEnd(body: Buffer, at: number): number {
  let quote = body.indexOf(QUOTE, at + 1);
  if (quote === -1) return body.length;
  if (body[quote - 1] !== BACKSLASH) return quote + 1;
  // Escapes: byte by byte, which is quicker than a search for each of many quotes.
  for (quote = at + 1; quote < body.length; quote += 1) {
    if (body[quote] === QUOTE) return quote + 1;
    if (body[quote] === BACKSLASH) quote += 1;
  }
  return body.length;
}

/** The index after the value that starts at `at`. */
function valueEnd(body: Buffer, at: number): number {
  const first = body[at];
  if (first === QUOTE) return stringEnd(body, at);
  if (first !== OPEN_OBJECT && first !== OPEN_LIST) {
    let end = at;
    while (end < body.length && body[end] !== COMMA && body[end] !== CLOSE_OBJECT && !isSpace(body[end]!))
      end += 1;
    return end;
  }
  let depth = 0;
  for (let i = at; i < body.length; i++) {
    const byte = body[i];
    if (byte === QUOTE) i = stringEnd(body, i) - 1;
    else if (byte === OPEN_OBJECT || byte === OPEN_LIST) depth += 1;
    else if ((byte === CLOSE_OBJECT || byte === CLOSE_LIST) && --depth === 0) return i + 1;
  }
  return body.length;
}

function skipSpace(body: Buffer, at: number): number {
  while (at < body.length && isSpace(body[at]!)) at += 1;
  return at;
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

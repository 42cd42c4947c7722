/**
 * Reads the head of the requests that clients of language models send: GET or POST in HTTP/1.1, a body with its length
 * or none, each field once. Everything else is left to a complete parser, so that there is nothing here to interpret:
 * whatever is read, Node's parser reads alike.
 */

export interface PlainRequest {
  readonly method: 'GET' | 'POST';
  /** As sent: a path with its query. */
  readonly target: string;
  /** Lower-case names, no prototype. */
  readonly headers: Readonly<Record<string, string>>;
  /** Where the body begins, and how many bytes it has. */
  readonly bodyAt: number;
  readonly bodyLength: number;
}

/** Node's own limit for a head. */
const MOST_HEAD = 16 * 1024;
const MOST_FIELDS = 100;
const END = Buffer.from('\r\n\r\n');
const POST = 'POST ';
const GET = 'GET ';
const VERSION = ' HTTP/1.1\r\n';
/** Fields that change how a message is read or answered: none for a reader of plain requests. */
const ELSEWHERE: ReadonlySet<string> = new Set([
  'transfer-encoding',
  'upgrade',
  'expect',
  'content-encoding',
  'trailer',
  'te',
  'keep-alive',
  'proxy-connection',
  'http2-settings',
]);

const CR = 0x0d;
const LF = 0x0a;
const SPACE = 0x20;
const COLON = 0x3a;
const NAME = 1;
const TARGET = 2;
const VALUE = 4;
/** What each byte may be part of. */
const KINDS = kinds();

/**
 * Linear in the head's length.
 * @param bytes from the beginning of a request on
 * @returns null where they do not begin with the whole head of a plain request
 */
export function readPlainRequest(bytes: Buffer): PlainRequest | null {
  const first = bytes[0];
  if (first !== 0x50 && first !== 0x47) return null;
  const end = bytes.indexOf(END);
  if (end < 0 || end > MOST_HEAD) return null;
  // With the line end of the last field.
  const head = bytes.toString('latin1', 0, end + 2);
  const method = head.startsWith(POST) ? 'POST' : head.startsWith(GET) ? 'GET' : null;
  if (method === null) return null;
  const from = method.length + 1;
  const to = skip(head, from, TARGET);
  if (head.charCodeAt(from) !== 0x2f || !head.startsWith(VERSION, to)) return null;
  const headers = readFields(head, to + VERSION.length);
  if (headers === null) return null;
  const bodyLength = lengthOf(method, headers);
  if (bodyLength === null) return null;
  return { method, target: head.slice(from, to), headers, bodyAt: end + END.length, bodyLength };
}

function readFields(head: string, from: number): Record<string, string> | null {
  const headers: Record<string, string> = Object.create(null);
  let at = from;
  for (let count = 0; at < head.length; count += 1) {
    const colon = skip(head, at, NAME);
    if (colon === at || head.charCodeAt(colon) !== COLON || count >= MOST_FIELDS) return null;
    let start = colon + 1;
    while (head.charCodeAt(start) === SPACE) start += 1;
    const end = skip(head, start, VALUE);
    if (head.charCodeAt(end) !== CR || head.charCodeAt(end + 1) !== LF) return null;
    let last = end;
    while (last > start && head.charCodeAt(last - 1) === SPACE) last -= 1;
    const name = head.slice(at, colon).toLowerCase();
    if (ELSEWHERE.has(name) || headers[name] !== undefined) return null;
    headers[name] = head.slice(start, last);
    at = end + 2;
  }
  const { host, connection } = headers;
  if (host === undefined) return null;
  return connection === undefined || connection.toLowerCase() === 'keep-alive' ? headers : null;
}

/** Null for a body that is not delimited by a plain length. */
function lengthOf(method: string, headers: Readonly<Record<string, string>>): number | null {
  const length = headers['content-length'];
  if (method === 'GET') return length === undefined ? 0 : null;
  return length !== undefined && /^(?:0|[1-9]\d{0,8})$/.test(length) ? Number(length) : null;
}

/** The offset of the first character from there on that is not of this kind. */
function skip(text: string, from: number, kind: number): number {
  let at = from;
  while (at < text.length && (KINDS[text.charCodeAt(at)]! & kind) !== 0) at += 1;
  return at;
}

/**
 * Narrower than the RFC: letters, digits and hyphens in names, no tabs and no bytes above ASCII anywhere, no fragment in
 * targets.
 */
function kinds(): Uint8Array {
  const table = new Uint8Array(256);
  for (let code = 0x20; code < 0x7f; code += 1) {
    const character = String.fromCharCode(code);
    if (/[A-Za-z0-9-]/.test(character)) table[code]! |= NAME;
    if (code > SPACE && character !== '#') table[code]! |= TARGET;
    table[code]! |= VALUE;
  }
  return table;
}

/**
 * HTTP/1.1 requests out of a connection's bytes, however they are cut. It reads heads and bodies (by length or in
 * chunks) and knows nothing of what they ask for.
 */

export interface HttpRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** Lower-case names; of a repeated header, the last. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly keepAlive: boolean;
}

const MAX_HEAD = 64 * 1024;
const MAX_BODY = 64 * 1024 * 1024;
const EMPTY = Buffer.alloc(0);

/** What cannot be read as a request; the connection is of no more use. */
export class BadRequest extends Error {}

type Head = Omit<HttpRequest, 'body'>;

export class RequestReader {
  #pieces: Buffer[] = [];
  #size = 0;
  /** How much must be there before it is worth looking again. */
  #wanted = 1;
  #head: { readonly head: Head; readonly length: number | 'chunked' } | null = null;

  /** The requests that these bytes complete. @throws {BadRequest} */
  feed(bytes: Buffer): readonly HttpRequest[] {
    this.#pieces.push(bytes);
    this.#size += bytes.length;
    if (this.#size < this.#wanted) return [];
    const requests: HttpRequest[] = [];
    let rest = this.#pieces.length === 1 ? bytes : Buffer.concat(this.#pieces, this.#size);
    for (;;) {
      this.#wanted = 1;
      const next = this.#read(rest);
      rest = next.rest;
      if (!next.request) break;
      requests.push(next.request);
    }
    this.#pieces = rest.length > 0 ? [rest] : [];
    this.#size = rest.length;
    return requests;
  }

  /** True when a head has come whose sender waits to be told to send the body. */
  get awaitsContinue(): boolean {
    return this.#head?.head.headers.expect === '100-continue' && this.#size === 0;
  }

  #read(bytes: Buffer): { request?: HttpRequest; rest: Buffer } {
    let rest = bytes;
    if (!this.#head) {
      const end = rest.indexOf('\r\n\r\n');
      if (end > MAX_HEAD || (end < 0 && rest.length > MAX_HEAD))
        throw new BadRequest('the head is too large');
      if (end < 0) return { rest };
      const head = parseHead(rest.toString('latin1', 0, end));
      this.#head = { head, length: bodyLength(head) };
      rest = rest.subarray(end + 4);
    }
    const { head, length } = this.#head;
    if (length !== 'chunked' && rest.length < length) {
      this.#wanted = length;
      return { rest };
    }
    const body = length === 'chunked' ? dechunk(rest) : { content: rest.subarray(0, length), end: length };
    if (!body) return { rest };
    this.#head = null;
    return { request: { ...head, body: body.content }, rest: rest.subarray(body.end) };
  }
}

function parseHead(text: string): Head {
  const [first = '', ...lines] = text.split('\r\n');
  const [method, target, version] = first.split(' ');
  if (!method || !target || !version?.startsWith('HTTP/1.')) throw new BadRequest('not a request line');
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon < 1) throw new BadRequest('a header without a colon');
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  const connection = headers.connection?.toLowerCase();
  const keepAlive = version === 'HTTP/1.0' ? connection === 'keep-alive' : connection !== 'close';
  return { method, path: target.split('?')[0]!, headers, keepAlive };
}

function bodyLength({ headers }: Head): number | 'chunked' {
  if (headers['transfer-encoding']?.toLowerCase().includes('chunked')) return 'chunked';
  const length = Number(headers['content-length'] ?? 0);
  if (!Number.isInteger(length) || length < 0 || length > MAX_BODY) throw new BadRequest('a body too large');
  return length;
}

/** The body and where it ends, or null when more is to come. Trailers are not read. */
function dechunk(bytes: Buffer): { content: Buffer; end: number } | null {
  const pieces: Buffer[] = [];
  for (let at = 0; ; ) {
    const line = bytes.indexOf('\r\n', at);
    if (line < 0) return null;
    const size = Number.parseInt(bytes.toString('latin1', at, line), 16);
    if (!(size >= 0 && size <= MAX_BODY)) throw new BadRequest('a chunk without a size');
    const end = line + 2 + size + 2;
    if (bytes.length < end) return null;
    if (size === 0) return { content: pieces.length > 0 ? Buffer.concat(pieces) : EMPTY, end };
    pieces.push(bytes.subarray(line + 2, end - 2));
    at = end;
  }
}

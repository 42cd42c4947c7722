/**
 * HTTP/1.1 responses out of all that a client received on one connection, read by the letter of RFC 9112 and written
 * apart from the product's own parser, so that both cannot be wrong alike.
 */

export interface ReadResponse {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
  /** Whether every byte came that the head promises. */
  readonly whole: boolean;
  /** Whether the connection may carry another response after it. */
  readonly keeps: boolean;
}

interface Framed {
  readonly body: Buffer;
  readonly whole: boolean;
  readonly next: number;
}

/**
 * @param methods of the requests sent, in order
 * @param end how the connection stands: only a regular close completes a body without a length
 * @throws Error for whatever is not a sequence of responses to these requests
 */
export function readResponses(
  bytes: Buffer,
  methods: readonly string[],
  end: 'open' | 'closed' | 'reset',
): readonly ReadResponse[] {
  const responses: ReadResponse[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (responses.at(-1)?.keeps === false) throw new Error('bytes after the last response');
    const method = methods[responses.length];
    if (method === undefined) throw new Error('more responses than requests');
    const headEnd = bytes.indexOf('\r\n\r\n', at);
    if (headEnd < 0) {
      if (end === 'open') throw new Error('half a head on an open connection');
      break;
    }
    const { status, headers, version } = readHead(bytes.toString('latin1', at, headEnd));
    at = headEnd + 4;
    if (status < 200) continue;
    const { body, whole, next } = readBody(bytes, at, method, status, headers, end);
    const keeps =
      whole &&
      version === '1' &&
      headers.get('connection') !== 'close' &&
      (bodyless(method, status) || delimited(headers));
    responses.push({ status, headers, body, whole, keeps });
    if (!whole && end === 'open') throw new Error('a short response on an open connection');
    at = next;
  }
  return responses;
}

function readHead(text: string) {
  const [statusLine, ...lines] = text.split('\r\n');
  const match = /^HTTP\/1\.([01]) (\d{3}) [\t\x20-\x7e]*$/.exec(statusLine!);
  if (!match) throw new Error(`not a status line: ${JSON.stringify(statusLine!.slice(0, 80))}`);
  const headers = new Map<string, string>();
  for (const line of lines) {
    const field = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*$/.exec(line);
    if (!field) throw new Error(`not a header: ${JSON.stringify(line.slice(0, 80))}`);
    const name = field[1]!.toLowerCase();
    if (headers.has(name)) throw new Error(`header ${name} twice`);
    headers.set(name, field[2]!);
  }
  return { version: match[1]!, status: Number(match[2]), headers };
}

/** RFC 9112, section 6.3, rule 1. */
function bodyless(method: string, status: number): boolean {
  return method === 'HEAD' || status === 204 || status === 304;
}

function delimited(headers: ReadonlyMap<string, string>): boolean {
  return headers.has('content-length') || headers.has('transfer-encoding');
}

function readBody(
  bytes: Buffer,
  from: number,
  method: string,
  status: number,
  headers: ReadonlyMap<string, string>,
  end: 'open' | 'closed' | 'reset',
): Framed {
  const length = headers.get('content-length');
  const coding = headers.get('transfer-encoding');
  if (length !== undefined && coding !== undefined) throw new Error('two framings at once');
  if (bodyless(method, status)) return { body: Buffer.alloc(0), whole: true, next: from };
  if (coding !== undefined) {
    if (coding !== 'chunked') throw new Error(`unknown coding ${coding}`);
    return readChunks(bytes, from);
  }
  if (length === undefined)
    return { body: bytes.subarray(from), whole: end === 'closed', next: bytes.length };
  if (!/^\d+$/.test(length)) throw new Error(`not a length: ${length}`);
  const to = from + Number(length);
  return { body: bytes.subarray(from, to), whole: to <= bytes.length, next: Math.min(to, bytes.length) };
}

function readChunks(bytes: Buffer, from: number): Framed {
  const chunks: Buffer[] = [];
  let at = from;
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd < 0) return { body: Buffer.concat(chunks), whole: false, next: bytes.length };
    const line = bytes.toString('latin1', at, lineEnd);
    if (!/^[0-9a-fA-F]+$/.test(line))
      throw new Error(`not a chunk size: ${JSON.stringify(line.slice(0, 80))}`);
    const size = Number.parseInt(line, 16);
    const to = lineEnd + 2 + size;
    chunks.push(bytes.subarray(lineEnd + 2, to));
    if (to + 2 > bytes.length) return { body: Buffer.concat(chunks), whole: false, next: bytes.length };
    if (bytes.toString('latin1', to, to + 2) !== '\r\n') throw new Error('a chunk without its end');
    at = to + 2;
    if (size === 0) return { body: Buffer.concat(chunks), whole: true, next: at };
  }
}

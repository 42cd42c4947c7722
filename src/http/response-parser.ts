/**
 * Reads HTTP/1.1 responses from a byte stream cut anywhere (RFC 9112). It frames and nothing more: bodies pass as
 * bytes, and it knows neither sockets nor what a response is for.
 */

export interface ResponseHead {
  readonly status: number;
  /** Lower-case names; repeated fields joined by a comma. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface ResponseEvents {
  head(head: ResponseHead): void;
  /** Body bytes without their framing, in a buffer the receiver may keep. At most one call per `feed`. */
  data(payload: Buffer): void;
  /** The response is whole. @param reusable whether the connection may carry another request */
  end(reusable: boolean): void;
}

/** A response that breaks the protocol or ends early. */
export class ResponseError extends Error {
  override readonly name = 'ResponseError';
}

const CR = 0x0d;
const LF = 0x0a;
const MAX_HEAD_BYTES = 64 * 1024;
const MAX_LINE_BYTES = 8 * 1024;
const EMPTY = Buffer.alloc(0);
/** RFC 9110, section 5.5, read as latin1. */
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

type State = 'head' | 'length' | 'until-close' | 'chunk-size' | 'chunk' | 'chunk-end' | 'trailers' | 'done';

export class ResponseParser {
  readonly #events: ResponseEvents;
  #state: State = 'head';
  /** Bytes of an unfinished head or line. */
  #pending: Buffer = EMPTY;
  /** Bytes left of the body or of the chunk. */
  #left = 0;
  #keepAlive = true;
  #bodyless: boolean;

  /** @param bodyless whether the request was one (HEAD) whose response has no body whatever its headers say */
  constructor(events: ResponseEvents, bodyless = false) {
    this.#events = events;
    this.#bodyless = bodyless;
  }

  /**
   * @param bytes valid only during the call
   * @throws ResponseError when they cannot be a response
   */
  feed(bytes: Buffer): void {
    let at = 0;
    while (this.#state === 'head' && at < bytes.length) at = this.#head(bytes, at);
    // A body of no bytes is whole with its head.
    if (this.#state === 'length') this.#plain(bytes, at);
    else if (at >= bytes.length || this.#state === 'done') return;
    else if (this.#state === 'until-close') this.#events.data(Buffer.from(bytes.subarray(at)));
    else this.#chunked(bytes, at);
  }

  /**
   * The connection is closed.
   * @throws ResponseError when the response was not whole
   */
  close(): void {
    if (this.#state === 'done') return;
    if (this.#state !== 'until-close')
      throw new ResponseError('the connection closed before the answer was whole');
    this.#keepAlive = false;
    this.#finish();
  }

  #head(bytes: Buffer, from: number): number {
    const seen = this.#pending.length;
    const whole = seen > 0 ? Buffer.concat([this.#pending, bytes.subarray(from)]) : bytes;
    const start = seen > 0 ? 0 : from;
    const end = whole.indexOf('\r\n\r\n', Math.max(start, start + seen - 3), 'latin1');
    if (end === -1) {
      if (whole.length - start > MAX_HEAD_BYTES)
        throw new ResponseError(`response head larger than ${MAX_HEAD_BYTES} bytes`);
      this.#pending = seen > 0 ? whole : Buffer.from(bytes.subarray(from));
      return bytes.length;
    }
    this.#pending = EMPTY;
    this.#readHead(whole.toString('latin1', start, end));
    return from + (end + 4 - start) - seen;
  }

  #readHead(text: string): void {
    const [statusLine, ...lines] = text.split('\r\n');
    const match = /^HTTP\/1\.([01]) ([1-5]\d{2})(?: |$)/.exec(statusLine!);
    if (!match)
      throw new ResponseError(`not an HTTP/1 response: ${JSON.stringify(statusLine!.slice(0, 60))}`);
    const status = Number(match[2]);
    const headers = readFields(lines);
    if (status >= 100 && status < 200) {
      if (status === 101) throw new ResponseError('unexpected protocol switch');
      return; // interim: the final response follows
    }
    const connection = headers.connection?.toLowerCase() ?? '';
    this.#keepAlive = match[1] === '1' ? !/\bclose\b/.test(connection) : /\bkeep-alive\b/.test(connection);
    // Whoever sends these may disagree with somebody in between on where the body ends.
    const encoded = headers['transfer-encoding'] !== undefined;
    if (encoded && (match[1] === '0' || headers['content-length'] !== undefined)) this.#keepAlive = false;
    this.#frame(status, headers);
    this.#events.head({ status, headers });
  }

  /** RFC 9112, section 6.3: what delimits the body. */
  #frame(status: number, headers: Record<string, string>): void {
    const encoding = headers['transfer-encoding'];
    const length = headers['content-length'];
    // It must not travel on beside another framing: whoever believed it would read the rest as another response.
    if (encoding !== undefined) delete headers['content-length'];
    if (this.#bodyless || status === 204 || status === 304) {
      this.#state = 'length';
      this.#left = 0;
    } else if (encoding !== undefined) {
      this.#state = codingOf(encoding) === 'chunked' ? 'chunk-size' : 'until-close';
    } else if (length !== undefined) {
      const lengths = new Set(length.split(',').map((one) => one.trim()));
      const [only] = lengths;
      if (lengths.size !== 1 || !/^\d{1,15}$/.test(only!))
        throw new ResponseError(`bad content-length ${JSON.stringify(length)}`);
      this.#state = 'length';
      this.#left = Number(only);
      headers['content-length'] = only!;
    } else {
      this.#state = 'until-close';
    }
  }

  #plain(bytes: Buffer, from: number): void {
    const take = Math.min(this.#left, bytes.length - from);
    if (take > 0) {
      this.#left -= take;
      this.#events.data(Buffer.from(bytes.subarray(from, from + take)));
    }
    if (this.#left > 0) return;
    // Bytes after the end belong to no request of ours: the connection cannot be trusted again.
    if (from + take < bytes.length) this.#keepAlive = false;
    this.#finish();
  }

  /** Copies the payload of every chunk in `bytes` into one buffer, so that a read costs one call and one write. */
  #chunked(bytes: Buffer, from: number): void {
    const payload = Buffer.allocUnsafe(bytes.length - from);
    let filled = 0;
    let at = from;
    while (at < bytes.length && this.#state !== 'done') {
      if (this.#state === 'chunk') {
        const take = Math.min(this.#left, bytes.length - at);
        bytes.copy(payload, filled, at, at + take);
        filled += take;
        at += take;
        this.#left -= take;
        if (this.#left === 0) this.#state = 'chunk-end';
      } else {
        at = this.#line(bytes, at);
      }
    }
    if (filled > 0) this.#events.data(payload.subarray(0, filled));
    if (this.#state !== 'done') return;
    if (at < bytes.length) this.#keepAlive = false;
    this.#events.end(this.#keepAlive);
  }

  /** Reads one line of the chunked framing: a size, the end of a chunk, or a trailer. */
  #line(bytes: Buffer, from: number): number {
    const end = bytes.indexOf(LF, from);
    if (end === -1) {
      if (this.#pending.length + bytes.length - from > MAX_LINE_BYTES)
        throw new ResponseError('chunk line too long');
      this.#pending = Buffer.concat([this.#pending, bytes.subarray(from)]);
      return bytes.length;
    }
    const line = this.#pending.toString('latin1') + bytes.toString('latin1', from, end);
    this.#pending = EMPTY;
    if (line.charCodeAt(line.length - 1) !== CR) throw new ResponseError('chunk line without CRLF');
    this.#takeLine(line.slice(0, -1));
    return end + 1;
  }

  #takeLine(line: string): void {
    if (this.#state === 'chunk-end') {
      if (line !== '') throw new ResponseError('chunk longer than its size');
      this.#state = 'chunk-size';
    } else if (this.#state === 'chunk-size') {
      const size = /^([0-9a-f]{1,8})[ \t]*(?:;.*)?$/i.exec(line)?.[1];
      if (size === undefined) throw new ResponseError(`bad chunk size ${JSON.stringify(line.slice(0, 20))}`);
      this.#left = Number.parseInt(size, 16);
      this.#state = this.#left > 0 ? 'chunk' : 'trailers';
    } else if (line === '') {
      this.#state = 'done';
    }
  }

  #finish(): void {
    this.#state = 'done';
    this.#events.end(this.#keepAlive);
  }
}

/** @throws ResponseError for codings that nobody asked for: the bytes would reach the client still coded */
function codingOf(encoding: string): 'chunked' | 'identity' {
  const codings = encoding.toLowerCase().split(',');
  const only = codings.map((one) => one.trim()).filter((one) => one !== 'identity');
  if (only.length === 0) return 'identity';
  if (only.length === 1 && only[0] === 'chunked') return 'chunked';
  throw new ResponseError(`unsupported transfer-encoding ${JSON.stringify(encoding.slice(0, 60))}`);
}

function readFields(lines: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = Object.create(null);
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    if (colon <= 0 || !/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name))
      throw new ResponseError(`bad header line ${JSON.stringify(line.slice(0, 60))}`);
    const value = line.slice(colon + 1).trim();
    if (!FIELD_VALUE.test(value)) throw new ResponseError(`bad value of header '${name}'`);
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
  }
  return headers;
}

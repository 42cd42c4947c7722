/** Reads HTTP/1.1 responses from chunks of bytes, one for each request (RFC 9112). Bodies are not decoded. */
import { BodyReader, type Framing, type PieceReceiver } from './body-reader.ts';
import { type Fields, FramingError, lengthOf, membersOf, quoted, readFields, staysOpen } from './fields.ts';
import { HeadReader } from './head-reader.ts';

export interface ResponseHead {
  readonly status: number;
  readonly headers: Fields;
}

export interface ResponseEvents {
  head(head: ResponseHead): void;
  /** Body bytes without their framing, in a buffer the receiver may keep. At most one call per `feed`. */
  data(payload: Buffer): void;
  /** Whether `borrow` is called in place of `data`. */
  readonly borrows?: boolean;
  /** `bytes[from, to)` of the body, in the read buffer, once for every chunk; valid only during the call. */
  borrow?(bytes: Buffer, from: number, to: number): void;
  /**
   * The response is complete.
   * @param reusable whether the connection may carry another request
   * @param surplus whether bytes followed that belong to no response
   */
  end(reusable: boolean, surplus: boolean): void;
}

/** What every head begins with. */
const PROTOCOL = 'HTTP/1.';
/** Bytes of a line break. */
const CHUNK_END = 2;

export class ResponseParser implements PieceReceiver {
  #events: ResponseEvents;
  readonly #head = new HeadReader();
  readonly #body = new BodyReader(this, false);
  #state: 'head' | 'body' | 'done' = 'head';
  #keepAlive = true;
  /** The payloads of one read, joined so that the receiver gets one call per read. */
  #gathered: Buffer | null = null;
  #filled = 0;

  constructor(events: ResponseEvents) {
    this.#events = events;
  }

  /** From now on reads the response to another request on the same connection. */
  restart(events: ResponseEvents): void {
    this.#events = events;
    this.#state = 'head';
    this.#keepAlive = true;
  }

  /**
   * @param bytes valid only during the call
   * @throws FramingError when they cannot be a response
   */
  feed(bytes: Buffer): void {
    let at = 0;
    while (this.#state === 'head') {
      at = this.#head.read(bytes, at);
      if (at < 0) {
        this.#refuseOther();
        return;
      }
      this.#readHead();
    }
    if (this.#state === 'done') return;
    at = this.#body.read(bytes, at);
    const gathered = this.#gathered;
    const payload = gathered?.length === this.#filled ? gathered : gathered?.subarray(0, this.#filled);
    this.#gathered = null;
    this.#filled = 0;
    if (payload) this.#events.data(payload);
    if (this.#body.whole) this.#finish(at < bytes.length);
  }

  /**
   * The connection is closed.
   * @throws FramingError when the response was incomplete
   */
  close(): void {
    if (this.#state === 'done') return;
    if (this.#state === 'head' || !this.#body.endsWithConnection)
      throw new FramingError('the connection closed before the response was complete');
    this.#keepAlive = false;
    this.#finish(false);
  }

  piece(bytes: Buffer, from: number, to: number): void {
    if (this.#events.borrows) {
      this.#events.borrow!(bytes, from, to);
      return;
    }
    // Mostly it is the only piece, with nothing behind it but the end of its chunk.
    this.#gathered ??= Buffer.allocUnsafe((bytes.length - to > CHUNK_END ? bytes.length : to) - from);
    this.#filled += bytes.copy(this.#gathered, this.#filled, from, to);
  }

  /** Of another protocol the end of a head would be waited for in vain. @throws FramingError */
  #refuseOther(): void {
    const start = this.#head.start(PROTOCOL.length);
    if (!PROTOCOL.startsWith(start)) throw new FramingError(`not an HTTP/1 response: ${quoted(start)}`);
  }

  #readHead(): void {
    const { lines } = this.#head;
    const statusLine = lines[0]!;
    const match = /^HTTP\/1\.([01]) ([1-5]\d{2})(?: |$)/.exec(statusLine);
    if (!match) throw new FramingError(`not an HTTP/1 response: ${quoted(statusLine)}`);
    const status = Number(match[2]);
    const headers = readFields(lines, 1);
    if (status < 200) {
      if (status === 101) throw new FramingError('unexpected protocol switch');
      return; // interim: the final response follows
    }
    const minor = match[1] === '1' ? 1 : 0;
    // With both framings, or chunks in HTTP/1.0, proxies on the way may disagree on where the body ends.
    const encoded = headers['transfer-encoding'] !== undefined;
    const doubtful = encoded && (minor === 0 || headers['content-length'] !== undefined);
    this.#keepAlive = !doubtful && staysOpen(minor, headers.connection);
    this.#body.begin(framingOf(status, headers));
    this.#state = 'body';
    this.#events.head({ status, headers });
  }

  #finish(surplus: boolean): void {
    this.#state = 'done';
    // Bytes after the end belong to no request of ours: the connection cannot be trusted again.
    this.#events.end(this.#keepAlive && !surplus, surplus);
  }
}

/** What delimits the body (RFC 9112, section 6.3). Leaves one framing field in `headers`, or none. */
function framingOf(status: number, headers: Record<string, string>): Framing {
  const encoding = headers['transfer-encoding'];
  // It must not be passed on beside another framing: a reader that trusted it would take the rest for a new response.
  if (encoding !== undefined) delete headers['content-length'];
  if (status === 204 || status === 304) return 0;
  if (encoding !== undefined) return codingOf(encoding);
  const told = headers['content-length'];
  if (told === undefined) return 'until-close';
  if (!told.includes(',')) return lengthOf(told);
  const lengths = new Set(membersOf(told));
  if (lengths.size > 1) throw new FramingError(`bad content-length ${quoted(told)}`);
  const [only] = lengths;
  headers['content-length'] = only!;
  return lengthOf(only!);
}

/** @throws FramingError for codings that were not requested: the client would receive encoded bytes */
function codingOf(encoding: string): 'chunked' | 'until-close' {
  const codings = membersOf(encoding).filter((one) => one !== 'identity');
  if (codings.length === 0) return 'until-close';
  if (codings.length === 1 && codings[0] === 'chunked') return 'chunked';
  throw new FramingError(`unsupported transfer-encoding ${quoted(encoding)}`);
}

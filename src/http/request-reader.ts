/**
 * Reads HTTP/1.1 requests, one after another, from a connection's chunks of bytes. It accepts only what every
 * implementation reads the same way; a server with a second parser can hand it whatever is refused here.
 */
import { BodyReader, type Framing, type PieceReceiver } from './body-reader.ts';
import { type Fields, FramingError, lengthOf, membersOf, quoted, readFields, staysOpen } from './fields.ts';
import { HeadReader } from './head-reader.ts';

export interface RequestHead {
  readonly method: string;
  /** As sent: a path with its query. */
  readonly target: string;
  readonly headers: Fields;
  /** Whether the connection may carry another request after this one. */
  readonly keepAlive: boolean;
  /** Whether a body follows whose sender waits for `100 Continue`. */
  readonly awaitsContinue: boolean;
}

export interface RequestEvents {
  head(head: RequestHead): void;
  /** `bytes[from, to)` belong to the body; the buffer may be reused after the call. */
  piece(bytes: Buffer, from: number, to: number): void;
  /** The request is complete. */
  end(): void;
}

const REQUEST_LINE = /^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) (\/[!-"$-~]*) HTTP\/1\.([01])$/;
/** Fields that may stand only once: parsers differ on which of two counts, so a second one is an attack or a bug. */
const SINGLE = ['host', 'content-length', 'content-type', 'transfer-encoding', 'authorization', 'expect'];
/** Fields that tell where a body ends. The standard lets a tab follow their value; Node's parser does not. */
const DELIMITING = ['content-length', 'transfer-encoding'];
const TAB_AT_END = /\t *$/;

export class RequestReader implements PieceReceiver {
  readonly #events: RequestEvents;
  readonly #maxBody: number;
  readonly #head = new HeadReader();
  readonly #body = new BodyReader(this, true);
  #state: 'head' | 'body' | 'done' = 'head';
  #keepAlive = true;
  #received = 0;

  /** @param maxBody bytes of a body, at most */
  constructor(events: RequestEvents, maxBody: number) {
    this.#events = events;
    this.#maxBody = maxBody;
  }

  /** Whether the reader is between requests. */
  get between(): boolean {
    return this.#state !== 'body' && this.#head.empty;
  }

  /**
   * Reads at most to the end of one request; what follows is for the next call, which lets a server answer one
   * request before it reads the next. Bytes after the last request of a connection are ignored.
   * @returns where in `bytes` it stopped
   * @throws FramingError for anything but a plain request within the bounds; the connection cannot be used any more
   */
  feed(bytes: Buffer, from: number): number {
    let at = from;
    if (this.#state === 'done') return bytes.length;
    if (this.#state === 'head') {
      at = this.#head.read(bytes, at);
      if (at < 0) return bytes.length;
      this.#readHead();
    }
    at = this.#body.read(bytes, at);
    if (this.#body.whole) {
      this.#state = this.#keepAlive ? 'head' : 'done';
      this.#events.end();
    }
    return at;
  }

  piece(bytes: Buffer, from: number, to: number): void {
    this.#received += to - from;
    if (this.#received > this.#maxBody) throw this.#tooLarge();
    this.#events.piece(bytes, from, to);
  }

  #readHead(): void {
    const [requestLine, ...lines] = this.#head.lines;
    const match = REQUEST_LINE.exec(requestLine!);
    if (!match) throw new FramingError(`not a request line: ${quoted(requestLine!)}`);
    refuseAmbiguous(lines);
    const headers = readFields(lines);
    const minor = match[3] === '1' ? 1 : 0;
    if (minor === 1 && headers.host === undefined) throw new FramingError('no host header');
    const expect = headers.expect?.toLowerCase();
    if (expect !== undefined && expect !== '100-continue')
      throw new FramingError(`unknown expectation ${quoted(expect)}`);
    const framing = framingOf(minor, headers);
    if (typeof framing === 'number' && framing > this.#maxBody) throw this.#tooLarge();
    // After an offer to change protocols, parsers differ on what the following bytes mean, so none are read.
    const upgrade = headers.upgrade !== undefined && membersOf(headers.connection).includes('upgrade');
    this.#keepAlive = !upgrade && staysOpen(minor, headers.connection);
    this.#received = 0;
    this.#body.begin(framing);
    this.#state = 'body';
    this.#events.head({
      method: match[1]!,
      target: match[2]!,
      headers,
      keepAlive: this.#keepAlive,
      awaitsContinue: minor === 1 && framing !== 0 && expect !== undefined,
    });
  }

  #tooLarge(): FramingError {
    return new FramingError(`body larger than ${this.#maxBody} bytes`);
  }
}

/** Refuses what parsers read differently: fields that appear twice, and a tab after what tells where the body ends. */
function refuseAmbiguous(lines: readonly string[]): void {
  for (const name of SINGLE) {
    let seen = false;
    for (const line of lines) {
      if (line.charCodeAt(name.length) !== 0x3a || line.slice(0, name.length).toLowerCase() !== name)
        continue;
      if (seen) throw new FramingError(`header '${name}' appears twice`);
      if (DELIMITING.includes(name) && TAB_AT_END.test(line)) throw new FramingError(`tab after '${name}'`);
      seen = true;
    }
  }
}

/** A request without either field has no body (RFC 9112, section 6.3). */
function framingOf(minor: 0 | 1, headers: Fields): Framing {
  const encoding = headers['transfer-encoding'];
  const length = headers['content-length'];
  if (encoding === undefined) return length === undefined ? 0 : lengthOf(length);
  if (length !== undefined) throw new FramingError('both content-length and transfer-encoding');
  if (minor === 0) throw new FramingError('transfer-encoding in HTTP/1.0');
  const codings = membersOf(encoding);
  if (codings.length === 1 && codings[0] === 'chunked') return 'chunked';
  throw new FramingError(`unsupported transfer-encoding ${quoted(encoding)}`);
}

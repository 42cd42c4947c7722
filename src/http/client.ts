/**
 * An HTTP/1.1 client for one origin, made for relaying: keep-alive connections without a cap, bodies as bytes with
 * back-pressure, deadlines, and one retry where a kept connection turns out to be stale. Content codings are undone;
 * redirects are not followed.
 */
import { lengthOf, type Pieces } from '../core/pieces.ts';
import { Roster } from '../core/roster.ts';
import { Connection, type ConnectionUser, type Target, type Trust } from './connection.ts';
import { Decoding, decodersOf } from './decoding.ts';
import { FramingError } from './fields.ts';
import { type ResponseHandler, WireError, type WireFailure } from './response-handler.ts';
import type { ResponseHead } from './response-parser.ts';

export type { Trust } from './connection.ts';
export { type ResponseHandler, WireError, type WireFailure } from './response-handler.ts';

/** In milliseconds; 0 sets no limit. */
export interface Deadlines {
  /** To open a connection. */
  readonly connect: number;
  /** Without a byte, before the head of the response. */
  readonly head: number;
  /** Without a byte, within the body. */
  readonly idle: number;
  /** How long an idle connection is kept if the server does not say; 4 s when absent. */
  readonly unused?: number;
}

export interface OutgoingRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** Lower-case names, values in latin1 without line breaks; content-length is added, and host when absent. */
  readonly headers: Readonly<Record<string, string>>;
  /** A string is sent as UTF-8. */
  readonly body: Pieces | string;
}

/** Below the 5 s after which many servers (Node, uvicorn) close an idle connection, so that reuse rarely races that. */
const DEFAULT_UNUSED_MS = 4_000;

/** A request in flight, as its caller sees it. Both calls do nothing after its end. */
export interface Exchange {
  resume(): void;
  /** Stops it and closes its connection, which tells the server. */
  cancel(): void;
}

export class HttpClient {
  readonly #target: Target;
  readonly #hostHeader: string;
  /** What stands before a path in the target of a request, and the fields that a proxy on the way reads. */
  readonly #before: string;
  readonly #forProxy: string;
  readonly #deadlines: Deadlines;
  /** Last in, first out: the most recently used connection first, so that surplus ones time out. */
  readonly #unused: Connection[] = [];
  readonly #busy = new Roster<Connection>();
  /** Connections opened so far. */
  opened = 0;
  /** Requests sent again because the server had closed the reused connection. */
  retried = 0;

  constructor(origin: URL, deadlines: Deadlines, trust: Trust = {}) {
    const tls = origin.protocol === 'https:';
    const host = origin.hostname.replace(/^\[|\]$/g, '');
    this.#target = { host, port: Number(origin.port || (tls ? 443 : 80)), tls, trust };
    this.#hostHeader = origin.host;
    const proxy = tls ? null : trust.proxy;
    this.#before = proxy ? `http://${origin.host}` : '';
    this.#forProxy = proxy?.authorization ? `proxy-authorization: ${proxy.authorization}\r\n` : '';
    this.#deadlines = deadlines;
  }

  /** Starts at once; the handler is called later, never during this call. */
  request(request: OutgoingRequest, handler: ResponseHandler): Exchange {
    return new RunningExchange(this, this.#head(request), request.body, handler, this.#deadlines);
  }

  /** Closes every connection; requests in flight fail. */
  close(): void {
    for (const connection of this.#unused) connection.destroy();
    this.#unused.length = 0;
    for (const connection of this.#busy.members()) connection.abort(new Error('the client was closed'));
  }

  /** An unused connection, or a new one. @param fresh whether it must be new */
  take(fresh: boolean): Connection {
    const connection = (fresh ? undefined : this.#unused.pop()) ?? this.#open();
    connection.seat = this.#busy.join(connection);
    return connection;
  }

  /** Takes back a connection. @param unusedMs how long to keep it (0: no limit); null when it cannot be reused */
  release(connection: Connection, unusedMs: number | null): void {
    if (connection.seat === null || !this.#busy.leave(connection.seat)) return;
    connection.seat = null;
    if (unusedMs === null) {
      connection.destroy();
      return;
    }
    connection.becomeIdle(unusedMs);
    this.#unused.push(connection);
  }

  #open(): Connection {
    this.opened += 1;
    return new Connection(this.#target, (closed) => {
      const at = this.#unused.indexOf(closed);
      if (at >= 0) this.#unused.splice(at, 1);
    });
  }

  #head({ method, path, headers, body }: OutgoingRequest): string {
    let head = `${method} ${this.#before}${path} HTTP/1.1\r\n${this.#forProxy}`;
    if (headers.host === undefined) head += `host: ${this.#hostHeader}\r\n`;
    for (const name in headers) head += `${name}: ${headers[name]}\r\n`;
    return `${head}content-length: ${typeof body === 'string' ? Buffer.byteLength(body) : lengthOf(body)}\r\n\r\n`;
  }
}

/** One request and its response, over one connection, or two if the first was stale. */
class RunningExchange implements ConnectionUser, Exchange {
  readonly #client: HttpClient;
  readonly #requestHead: string;
  readonly #body: Pieces | string;
  #handler: ResponseHandler;
  #decoding: Decoding | null = null;
  readonly #deadlines: Deadlines;
  readonly borrows: boolean;
  #connection: Connection;
  #connectTimer: NodeJS.Timeout | null = null;
  #unusedMs: number | null;
  #state: 'waiting' | 'answering' | 'over' = 'waiting';

  constructor(
    client: HttpClient,
    head: string,
    body: Pieces | string,
    handler: ResponseHandler,
    deadlines: Deadlines,
  ) {
    this.#client = client;
    this.#requestHead = head;
    this.#body = body;
    this.#handler = handler;
    this.#deadlines = deadlines;
    this.#unusedMs = deadlines.unused ?? DEFAULT_UNUSED_MS;
    this.borrows = handler.borrow !== undefined;
    this.#connection = this.#start(false);
  }

  resume(): void {
    this.#decoding?.resume();
    if (this.#state !== 'over') this.#connection.resume();
  }

  cancel(): void {
    this.#decoding?.cancel();
    if (this.#state === 'over') return;
    this.#over();
    this.#client.release(this.#connection, null);
  }

  connected(): void {
    this.#clearConnectTimer();
    this.#connection.expectWithin(this.#deadlines.head);
    this.#connection.send(this.#requestHead, this.#body);
  }

  head(head: ResponseHead): void {
    this.#state = 'answering';
    const keep = /\btimeout=(\d+)/.exec(head.headers['keep-alive'] ?? '')?.[1];
    if (keep !== undefined) this.#unusedMs = Number(keep) > 1 ? Number(keep) * 1000 - 1000 : null;
    this.#connection.expectWithin(this.#deadlines.idle);
    const decoders = this.borrows ? null : decodersOf(head);
    if (decoders !== null) {
      this.#decoding = new Decoding(decoders, this.#handler, () => this.resume());
      this.#handler = this.#decoding;
    }
    this.#handler.head(head);
  }

  data(payload: Buffer): void {
    if (this.#state === 'answering' && !this.#handler.data(payload)) this.#connection.pause();
  }

  borrow(bytes: Buffer, from: number, to: number): void {
    if (this.#state === 'answering') this.#handler.borrow!(bytes, from, to);
  }

  end(reusable: boolean, surplus: boolean): void {
    if (this.#state === 'over') return;
    this.#over();
    this.#client.release(this.#connection, reusable ? this.#unusedMs : null);
    this.#handler.end(surplus);
  }

  silent(): void {
    const limit = this.#state === 'answering' ? this.#deadlines.idle : this.#deadlines.head;
    this.#fail(new WireError('timeout', `no byte for ${limit / 1000} s`));
  }

  lost(error: Error): void {
    if (this.#state === 'over') return;
    // A reused connection that ends without a byte of response was closed before the request arrived.
    if (this.#connection.used && !this.#connection.answered) {
      this.#client.release(this.#connection, null);
      this.#client.retried += 1;
      this.#connection = this.#start(true);
      return;
    }
    this.#fail(new WireError(failureOf(error, this.#connection.answered), error.message, error));
  }

  #start(fresh: boolean): Connection {
    const connection = this.#client.take(fresh);
    this.#connection = connection;
    const limit = this.#deadlines.connect;
    if (!connection.used && limit > 0) {
      this.#connectTimer = setTimeout(
        () => this.#fail(new WireError('unreachable', `no connection within ${limit / 1000} s`)),
        limit,
      );
    }
    connection.use(this);
    return connection;
  }

  #fail(error: WireError): void {
    if (this.#state === 'over') return;
    this.#over();
    this.#client.release(this.#connection, null);
    this.#handler.fail(error);
  }

  #over(): void {
    this.#state = 'over';
    this.#clearConnectTimer();
  }

  #clearConnectTimer(): void {
    if (this.#connectTimer) clearTimeout(this.#connectTimer);
    this.#connectTimer = null;
  }
}

function failureOf(error: Error, answered: boolean): WireFailure {
  if (error instanceof FramingError) return 'garbled';
  return answered ? 'cut' : 'unreachable';
}

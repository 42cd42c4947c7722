/**
 * One keep-alive connection to a server, carrying one request at a time. Plain sockets read into a single shared
 * buffer: the only allocation of a read is the copy that is passed on.
 */
import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { MOST_JOINED, type Pieces } from '../core/pieces.ts';
import type { Seat } from '../core/roster.ts';
import { type HttpProxy, tunnel } from './proxy.ts';
import { type ResponseEvents, ResponseParser } from './response-parser.ts';

export interface Target {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly trust: Trust;
}

/** How a server is reached: what TLS connections go by, all of it in PEM, and through whom. */
export interface Trust {
  /** Between us and the server; absent or null for nobody. */
  readonly proxy?: HttpProxy | null | undefined;
  /** Certificates of the trusted CA; the system's when absent. */
  readonly ca?: string | undefined;
  /** The certificate, with its chain, that the server may ask for. */
  readonly cert?: string | undefined;
  /** The certificate's key. */
  readonly key?: string | undefined;
}

/** The exchange that uses a connection, as the connection sees it. */
export interface ConnectionUser extends ResponseEvents {
  /** The socket is open and writable. Called once, before anything is sent. */
  connected(): void;
  /** No byte has come for the time set with `expectWithin`. */
  silent(): void;
  /** The connection ended, with an error or by the other side, before the response was complete. */
  lost(error: Error): void;
}

const WATCHED = ['timeout', 'error', 'end', 'close'] as const;

/** One buffer for every socket: the callback runs to its end before the next read fills it. */
const SHARED = Buffer.allocUnsafeSlow(64 * 1024);

/** Reads nothing: the connection is idle. */
const NOBODY: ResponseEvents = { head() {}, data() {}, end() {} };

export class Connection {
  /** Its place among those of its client that are in use. */
  seat: Seat<Connection> | null = null;
  /** Whether it has carried a complete exchange before, and so may be stale. */
  used = false;
  #socket: Socket;
  #user: ConnectionUser | null = null;
  #parser: ResponseParser | null = null;
  #paused = false;
  /** Milliseconds in which something is expected. */
  #within = 0;
  #answered = false;
  /** Whether a request may be written: the socket is open, and nothing of the last response can still be in it. */
  #ready = false;
  readonly #onIdleClose: (connection: Connection) => void;

  /** @param onIdleClose called when the connection ends while no exchange uses it */
  constructor(target: Target, onIdleClose: (connection: Connection) => void) {
    this.#onIdleClose = onIdleClose;
    this.#socket = this.#connect(target);
    this.#watch();
  }

  #watch(): void {
    this.#socket.setNoDelay(true);
    this.#socket.on('timeout', () => this.#timeout());
    this.#socket.on('error', (error) => this.#lost(error));
    this.#socket.on('end', () => this.#ended());
    this.#socket.on('close', () => this.#lost(new Error('the connection closed')));
  }

  /** Whether any byte of the current response has come. */
  get answered(): boolean {
    return this.#answered;
  }

  /** Gives the connection to an exchange until its response ends or it is destroyed. */
  use(user: ConnectionUser): void {
    this.#user = user;
    this.#answered = false;
    if (this.#parser) this.#parser.restart(user);
    else this.#parser = new ResponseParser(user);
    if (this.#ready) user.connected();
  }

  /** Sends head and body in one write, for which all but a large body is copied. */
  send(head: string, body: Pieces | string): void {
    if (typeof body !== 'string' && (!Buffer.isBuffer(body) || body.length > MOST_JOINED)) {
      this.#socket.cork();
      this.#socket.write(head, 'latin1');
      for (const piece of Buffer.isBuffer(body) ? [body] : body) this.#socket.write(piece);
      this.#socket.uncork();
      return;
    }
    const text = typeof body === 'string';
    const bytes = Buffer.allocUnsafe(head.length + (text ? Buffer.byteLength(body) : body.length));
    bytes.write(head, 0, 'latin1');
    if (text) bytes.write(body, head.length);
    else body.copy(bytes, head.length);
    this.#socket.write(bytes);
  }

  /** From now on, `silent` is called after this long without a byte. */
  expectWithin(milliseconds: number): void {
    this.#within = milliseconds;
    if (!this.#paused) this.#socket.setTimeout(milliseconds);
  }

  /** Reads no more; the silence that this makes is not the other side's. */
  pause(): void {
    this.#paused = true;
    this.#socket.pause();
    this.#socket.setTimeout(0);
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#socket.setTimeout(this.#within);
    this.#socket.resume();
  }

  /**
   * Frees the connection, which closes after this long without a request (0: never). Bytes that are still readable
   * close it too, so it takes another request only once the socket has been polled again.
   */
  becomeIdle(milliseconds: number): void {
    this.#user = null;
    this.#parser?.restart(NOBODY); // or it would keep all of the last exchange alive
    this.used = true;
    this.#ready = false;
    this.resume(); // the last bytes of a response may have paused it
    this.#socket.setTimeout(milliseconds);
    afterNextPoll(() => this.#connected());
  }

  /** Closes it at once and tells its user why. */
  abort(error: Error): void {
    this.used = false; // not a stale connection: no retry
    this.#lost(error);
  }

  /** Closes it at once without a callback. */
  destroy(): void {
    this.#user = null;
    this.#socket.destroy();
  }

  #connect(target: Target): Socket {
    const { tls, trust } = target;
    if (!tls) return this.#connectPlain(trust.proxy ?? target);
    return trust.proxy ? this.#connectThrough(trust.proxy, target) : this.#connectTls(target);
  }

  #connectThrough(proxy: HttpProxy, target: Target): Socket {
    const authority = `${isIP(target.host) === 6 ? `[${target.host}]` : target.host}:${target.port}`;
    const opened = (socket: Socket): void => {
      for (const event of WATCHED) socket.removeAllListeners(event);
      this.#socket = this.#connectTls(target, socket);
      this.#watch();
    };
    return tunnel(proxy, authority, opened, (error) => this.#lost(error));
  }

  #connectPlain({ host, port }: Pick<Target, 'host' | 'port'>): Socket {
    const socket = connectPlain({
      host,
      port,
      onread: {
        buffer: SHARED,
        callback: (length) => {
          this.#read(SHARED.subarray(0, length));
          return !this.#paused;
        },
      },
    });
    socket.once('connect', () => this.#connected());
    return socket;
  }

  /** @param through the socket of a tunnel; a new one when absent */
  #connectTls({ host, port, trust: { ca, cert, key } }: Target, through?: Socket): Socket {
    const servername = isIP(host) === 0 ? { servername: host } : {}; // an address is no name (RFC 6066, section 3)
    const socket = connectTls({
      ...(through ? { socket: through } : { host, port }),
      ...servername,
      ...{ ca, cert, key },
      ALPNProtocols: ['http/1.1'],
    });
    socket.once('secureConnect', () => this.#connected());
    socket.on('data', (bytes: Buffer) => this.#read(bytes));
    return socket;
  }

  #connected(): void {
    if (this.#socket.destroyed) return;
    this.#ready = true;
    this.#user?.connected();
  }

  #read(bytes: Buffer): void {
    const parser = this.#parser;
    if (!parser || !this.#user || !this.#ready) {
      this.#socket.destroy(); // unsolicited bytes; a request about to use it gets a new connection
      return;
    }
    this.#answered = true;
    try {
      parser.feed(bytes);
    } catch (error) {
      this.#lost(error as Error);
    }
  }

  #timeout(): void {
    if (this.#user) this.#user.silent();
    else this.#socket.destroy();
  }

  /** The server closed its side: either the end of a body delimited that way, or a lost response. */
  #ended(): void {
    if (!this.#user) {
      this.#socket.destroy();
      return;
    }
    try {
      this.#parser?.close();
    } catch (error) {
      this.#lost(new Error((error as Error).message));
    }
  }

  #lost(error: Error): void {
    const user = this.#user;
    this.#user = null;
    this.#socket.destroy();
    if (user) user.lost(error);
    else this.#onIdleClose(this);
  }
}

/** Registered before the last turn: by the next one, every socket has been polled since. */
let polled: (() => void)[] = [];
let fresh: (() => void)[] = [];

/** Calls back once the event loop has polled every socket; many callbacks share one `setImmediate`. */
function afterNextPoll(then: () => void): void {
  if (fresh.push(then) === 1 && polled.length === 0) setImmediate(turn);
}

function turn(): void {
  const due = polled;
  polled = fresh;
  fresh = [];
  // Scheduled before the callbacks run, so that a callback which registers again need not schedule a turn.
  if (polled.length > 0) setImmediate(turn);
  for (const then of due) then();
}

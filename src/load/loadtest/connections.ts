/**
 * The client's connections to its one target: opened when none is idle, reused while the server keeps them.
 * It knows sockets and responses, and nothing of questions, answers or measures.
 */
import { connect, type Socket } from 'node:net';
import { connect as connectSecurely } from 'node:tls';
import { NotHttp, type ResponseHead, ResponseReader } from './response-reader.ts';

export interface Target {
  readonly secure: boolean;
  readonly host: string;
  readonly port: number;
  /** As it stands in the `host` header. */
  readonly authority: string;
}

/** How an exchange can fail below HTTP. */
export type WireFailure = 'refused' | 'reset' | 'cut' | 'not_http' | 'connect_failed';

export interface ExchangeHandler {
  head(head: ResponseHead): void;
  body(bytes: Buffer, from: number, to: number): void;
  end(excess: boolean): void;
  fail(failure: WireFailure): void;
}

/** A request on its way. */
export interface Sent {
  /** Drops the connection; the handler hears nothing more. */
  cancel(): void;
}

const READ_SIZE = 64 * 1024;

export class Connections {
  readonly #target: Target;
  readonly #idle: Connection[] = [];
  /** Reads are handled before the next one comes, so all sockets can share one buffer. */
  readonly #buffer = Buffer.allocUnsafe(READ_SIZE);
  /** Reused connections that turned out to be closed, and whose request was sent again on a fresh one. */
  reconnects = 0;
  opened = 0;

  constructor(target: Target) {
    this.#target = target;
  }

  send(request: string, handler: ExchangeHandler): Sent {
    let current: Connection;
    const onStale = (): void => {
      this.reconnects += 1;
      current = this.#open();
      current.send(request, handler, null);
    };
    const idle = this.#idle.pop();
    current = idle ?? this.#open();
    current.send(request, handler, idle ? onStale : null);
    return { cancel: () => current.drop() };
  }

  close(): void {
    for (const connection of this.#idle.splice(0)) connection.drop();
  }

  #open(): Connection {
    this.opened += 1;
    return new Connection(this.#target, this.#buffer, {
      idle: (connection) => void this.#idle.push(connection),
      gone: (connection) => {
        const at = this.#idle.indexOf(connection);
        if (at >= 0) this.#idle.splice(at, 1);
      },
    });
  }
}

interface Owner {
  idle(connection: Connection): void;
  gone(connection: Connection): void;
}

class Connection {
  readonly #socket: Socket;
  readonly #owner: Owner;
  #exchange: { handler: ExchangeHandler; reader: ResponseReader; onStale: (() => void) | null } | null = null;
  #error: NodeJS.ErrnoException | null = null;

  constructor(target: Target, buffer: Buffer, owner: Owner) {
    this.#owner = owner;
    this.#socket = target.secure
      ? connectSecurely({ host: target.host, port: target.port, servername: target.host })
      : connect({
          host: target.host,
          port: target.port,
          onread: {
            buffer,
            callback: (count) => {
              this.#read(buffer, count);
              return true;
            },
          },
        });
    if (target.secure) this.#socket.on('data', (bytes: Buffer) => this.#read(bytes, bytes.length));
    this.#socket.setNoDelay(true);
    this.#socket.on('error', (error) => {
      this.#error = error;
    });
    this.#socket.on('close', () => this.#closed());
  }

  /** `onStale`: called instead of a failure when the server turns out to have closed this connection before. */
  send(request: string, handler: ExchangeHandler, onStale: (() => void) | null): void {
    const reader = new ResponseReader({
      head: (head) => handler.head(head),
      body: (bytes, from, to) => handler.body(bytes, from, to),
      end: (reusable, excess) => this.#finished(handler, reusable, excess),
    });
    this.#exchange = { handler, reader, onStale };
    this.#socket.write(request);
  }

  drop(): void {
    this.#exchange = null;
    this.#socket.destroy();
  }

  #read(bytes: Buffer, count: number): void {
    if (!this.#exchange) {
      // Nobody asked: the server's framing is off, so nothing on this connection can be trusted.
      this.#socket.destroy();
      return;
    }
    const { reader, handler } = this.#exchange;
    try {
      reader.feed(bytes, 0, count);
    } catch (error) {
      if (!(error instanceof NotHttp)) throw error;
      this.drop();
      handler.fail('not_http');
    }
  }

  #finished(handler: ExchangeHandler, reusable: boolean, excess: boolean): void {
    this.#exchange = null;
    if (reusable) this.#owner.idle(this);
    else this.#socket.destroy();
    handler.end(excess);
  }

  #closed(): void {
    this.#owner.gone(this);
    if (!this.#exchange) return;
    const { reader, handler, onStale } = this.#exchange;
    if (reader.closed()) return;
    this.#exchange = null;
    if (onStale && reader.untouched) onStale();
    else handler.fail(failureOf(this.#error?.code));
  }
}

function failureOf(code: string | undefined): WireFailure {
  if (code === 'ECONNREFUSED') return 'refused';
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'reset';
  return code === undefined ? 'cut' : 'connect_failed';
}

/** Where connections come in: the plain lane in front of Node's server, or that one alone where it speaks TLS. */
import { once } from 'node:events';
import type { Server as HttpServer } from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { bind, unbind } from '../../core/bind.ts';
import { type ConnectionLimits, Connections, LOOK_EVERY_MS } from './connections.ts';
import type { ClientRequest, ClientResponse } from './exchange.ts';
import { TIMEOUTS } from './listener.ts';
import { tooLate } from './malformed.ts';
import { PlainLane } from './plain-lane.ts';

export interface EntryOptions {
  /** Reads whatever is not plain. */
  readonly node: HttpServer;
  /** Whether connections may be plain HTTP. */
  readonly plain: boolean;
  /** Answers a plain request. */
  handle(request: ClientRequest, response: ClientResponse, socket: Socket): void;
  limits(): ConnectionLimits;
  /** Called for every connection that is accepted. */
  accepted(): void;
}

/** A client that was connected just before the end has so long to ask, and is told then: closing would reset it. */
const LAST_WORDS_MS = 500;
const LAST_LOOK_MS = 5;

export class Entry {
  readonly #node: HttpServer;
  readonly #limits: () => ConnectionLimits;
  readonly #accepted: () => void;
  readonly #connections = new Connections();
  readonly #lane: PlainLane | null;
  /** What listens. */
  readonly #server: Server;
  readonly #looking: NodeJS.Timeout;
  #clocked = false;

  constructor({ node, plain, handle, limits, accepted }: EntryOptions) {
    this.#node = node;
    this.#limits = limits;
    this.#accepted = accepted;
    const now = () => performance.now();
    this.#lane = plain
      ? new PlainLane({ handle, toNode: (socket) => this.#toNode(socket), tooLate, now, timeouts: TIMEOUTS })
      : null;
    if (plain) {
      // As node:http opens its own.
      this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#came(socket));
    } else {
      this.#server = node;
      node.on('connection', (socket: Socket) => {
        this.#connections.add(socket, limits());
        accepted();
      });
    }
    this.#looking = setInterval(() => {
      this.#connections.look(now());
      this.#lane?.look();
    }, LOOK_EVERY_MS).unref();
  }

  /** @returns the address; rejects with the system's error when it cannot be had */
  listen(host: string, port: number): Promise<string> {
    return bind(this.#server, host, port);
  }

  /** Serves a connection that another process accepted, and from which nothing was read. */
  accept(socket: Socket): void {
    socket.setNoDelay(true);
    if (this.#lane) {
      this.#came(socket);
      socket.resume();
    } else this.#toNode(socket);
  }

  /** Whether there are too many connections for this one to be answered. */
  isRefused(socket: object): boolean {
    return this.#connections.isRefused(socket);
  }

  /**
   * Accepts no more, and ends every connection: at once those that have asked for something before, and the others when they
   * have been told.
   * @param quiet whether nothing is being answered
   */
  async close(quiet: () => boolean): Promise<void> {
    clearInterval(this.#looking);
    const servers = new Set([this.#server, this.#node]);
    const closed = Array.from(servers, (server) => once(server, 'close'));
    await unbind(this.#server);
    if (this.#node !== this.#server) this.#node.close();
    for (let waited = 0; waited < LAST_WORDS_MS; waited += LAST_LOOK_MS) {
      if (quiet() && !this.#connections.anySilent) break;
      await sleep(LAST_LOOK_MS);
    }
    this.#node.closeAllConnections();
    this.#lane?.closeAll();
    await Promise.all(closed);
  }

  #came(socket: Socket): void {
    this.#connections.add(socket, this.#limits());
    this.#accepted();
    this.#lane!.accept(socket);
  }

  /**
   * Brings a connection to a server without a port of its own. Node documents that `connection` may be emitted by
   * hand; the clock that ends connections whose request does not come to an end starts with `listening` alone.
   */
  #toNode(socket: Socket): void {
    if (!this.#clocked) this.#node.emit('listening');
    this.#clocked = true;
    this.#node.emit('connection', socket);
    socket.resume();
  }
}

/**
 * The port that all workers share. The primary accepts every connection and hands it, unread, to the next worker
 * that has taken in its last one; its own end is closed only once the worker has it. A connection that was on its way
 * to a worker that died goes to another, and a worker that ends is let go only when none is. (The hand-off within node:cluster keeps such a connection open and gives it
 * to nobody: its client would wait for ever.)
 */
import { createServer, type Socket } from 'node:net';
import { bind, unbind } from '../../core/bind.ts';
import { Fifo } from '../../core/fifo.ts';

export interface Doorway {
  readonly id: number;
  /** Sends the worker a connection; the sender keeps it as well. */
  hand(socket: Socket): void;
}

export class Entrance {
  readonly #server = createServer({ pauseOnConnect: true, noDelay: true }, (socket) => this.#came(socket));
  readonly #waiting = new Fifo<Socket>();
  /** Workers that can take one now, the longest idle first. */
  readonly #idle = new Set<Doorway>();
  /** What is on its way, by worker. */
  readonly #handed = new Map<number, Socket>();
  #shut = false;
  /** Workers that wait to be let go, with what tells them that they are. */
  readonly #leaving = new Map<Doorway, { readonly last: boolean; readonly letGo: () => void }>();

  /** @returns the address; rejects with the system's error when it cannot be had */
  open(host: string, port: number): Promise<string> {
    return bind(this.#server, host, port);
  }

  /** There is no worker any more, and there will be none. */
  close(): void {
    this.#server.close();
    for (const socket of this.#handed.values()) socket.destroy();
    for (let socket = this.#waiting.shift(); socket; socket = this.#waiting.shift()) socket.destroy();
  }

  /** This worker takes connections from now on. */
  join(worker: Doorway): void {
    this.#idle.add(worker);
    this.#next();
  }

  /** The worker has the connection that was handed to it. */
  taken(worker: Doorway): void {
    this.#handed.get(worker.id)?.destroy();
    this.#handed.delete(worker.id);
    if (this.#leaving.get(worker)?.last !== false) this.join(worker);
    this.#letGo();
  }

  /**
   * The worker wants to end. It is let go once nothing is on its way to it.
   * @param last nobody takes connections after it: the port is closed, and it gets what came before
   */
  leave(worker: Doorway, last: boolean, letGo: () => void): void {
    this.#leaving.set(worker, { last, letGo });
    if (last) void this.#shutDoor();
    else this.#idle.delete(worker);
    this.#letGo();
  }

  async #shutDoor(): Promise<void> {
    await unbind(this.#server);
    this.#shut = true;
    this.#letGo();
  }

  #letGo(): void {
    for (const [worker, { last, letGo }] of this.#leaving) {
      if (this.#handed.has(worker.id) || (last && (!this.#shut || this.#waiting.size > 0))) continue;
      this.#leaving.delete(worker);
      this.#idle.delete(worker);
      letGo();
    }
  }

  /** The worker is gone; what it had not taken in is for another. */
  left(worker: Doorway): void {
    this.#idle.delete(worker);
    this.#leaving.delete(worker);
    const stranded = this.#handed.get(worker.id);
    this.#handed.delete(worker.id);
    if (stranded && !stranded.destroyed) this.#came(stranded);
  }

  #came(socket: Socket): void {
    socket.on('error', () => {}); // it is not read here, and its new owner hears of the same
    this.#waiting.push(socket);
    this.#next();
  }

  #next(): void {
    for (const worker of this.#idle) {
      const socket = this.#waiting.shift();
      if (!socket) return;
      this.#idle.delete(worker);
      this.#handed.set(worker.id, socket);
      worker.hand(socket);
    }
  }
}

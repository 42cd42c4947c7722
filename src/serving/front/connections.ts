/**
 * The client connections of a server: how many there may be, in all and from one address, and the end of those whose
 * client has stopped reading. A stopped client's expert would hold its slot for it, and the process its descriptor.
 */
import type { Socket } from 'node:net';

export interface ConnectionLimits {
  readonly total: number;
  /** From one address. */
  readonly perAddress: number;
}

/** What is looked at of a socket. */
export type Watched = Pick<
  Socket,
  'remoteAddress' | 'bytesRead' | 'bytesWritten' | 'writableLength' | 'destroyed' | 'destroy' | 'once'
>;

interface Progress {
  written: number;
  waiting: number;
  /** When either changed last. */
  at: number;
}

/** How often connections are looked at. */
export const LOOK_EVERY_MS = 5_000;
/** A client that takes none of the bytes that wait for it is gone after this long. */
export const UNREAD_MS = 60_000;
/** A refused connection may take so long to ask, and is told then why. */
const REFUSED_MS = 2_000;

export class Connections {
  readonly #open = new Map<Watched, Progress>();
  readonly #byAddress = new Map<string, number>();
  readonly #refused = new WeakSet<object>();

  /** Takes a connection in, or notes that it is one too many. */
  add(socket: Watched, { total, perAddress }: ConnectionLimits): void {
    const address = socket.remoteAddress ?? '';
    const fromThere = this.#byAddress.get(address) ?? 0;
    if (this.#open.size >= total || fromThere >= perAddress) {
      this.#refused.add(socket);
      // What it has sent by now is read before that: closing on unread bytes would reset it before it is told.
      setTimeout(() => setImmediate(() => socket.destroy()), REFUSED_MS).unref();
      return;
    }
    this.#byAddress.set(address, fromThere + 1);
    this.#open.set(socket, { written: 0, waiting: 0, at: Number.NaN });
    socket.once('close', () => {
      this.#open.delete(socket);
      const left = this.#byAddress.get(address)! - 1;
      if (left === 0) this.#byAddress.delete(address);
      else this.#byAddress.set(address, left);
    });
  }

  /** Whether its requests are to be refused. */
  isRefused(socket: object): boolean {
    return this.#refused.has(socket);
  }

  /** Whether some client has not said a word yet. */
  get anySilent(): boolean {
    for (const socket of this.#open.keys()) if (socket.bytesRead === 0) return true;
    return false;
  }

  /** Ends connections with bytes that nobody reads. @param now a monotonic clock, in milliseconds */
  look(now: number): void {
    for (const [socket, progress] of this.#open) {
      const { bytesWritten: written, writableLength: waiting } = socket;
      if (waiting === 0 || written !== progress.written || waiting !== progress.waiting) {
        progress.written = written;
        progress.waiting = waiting;
        progress.at = now;
      } else if (now - progress.at >= UNREAD_MS) socket.destroy();
    }
  }
}

/** What connections wait in the system before they are accepted, as far as Linux tells it. */
import { closeSync, openSync, readSync } from 'node:fs';

/** Sockets that listen come first in the kernel's table, each in a line of 150 bytes. */
const PAGE = Buffer.alloc(8_192);
const LISTENS = '0A';

/** @returns 0 where the system does not say */
function backlog(port: number): number {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  return waitingIn('/proc/net/tcp', wanted) + waitingIn('/proc/net/tcp6', wanted);
}

function waitingIn(table: string, port: string): number {
  let file: number;
  try {
    file = openSync(table, 'r');
  } catch {
    return 0;
  }
  try {
    return waitingOf(PAGE.toString('latin1', 0, readSync(file, PAGE, 0, PAGE.length, 0)), port);
  } catch {
    return 0;
  } finally {
    closeSync(file);
  }
}

/** @param text lines of /proc/net/tcp @param port four hexadecimal digits */
export function waitingOf(text: string, port: string): number {
  let waiting = 0;
  for (const line of text.split('\n')) {
    const [, local, , state, queues] = line.trim().split(/ +/);
    if (state !== LISTENS || !local?.endsWith(`:${port}`)) continue;
    waiting += Number.parseInt(queues?.split(':')[1] ?? '0', 16) || 0;
  }
  return waiting;
}

/** How often the backlog is looked at while connections come. */
const LOOK_MS = 100;

/** What connections of a port wait before they are accepted: those that wait, by how many are accepted in a second. */
export class DoorWatch {
  readonly #port: number;
  readonly #now: () => number;
  #accepted = 0;
  #since: number;
  #waited = 0;

  /** @param now milliseconds that never run backwards */
  constructor(port: number, now: () => number) {
    this.#port = port;
    this.#now = now;
    this.#since = now();
  }

  /** A connection is accepted. @returns milliseconds that it has waited, about */
  accepted(): number {
    this.#accepted += 1;
    const now = this.#now();
    const passed = now - this.#since;
    if (passed < LOOK_MS) return this.#waited;
    this.#waited = (backlog(this.#port) / this.#accepted) * passed;
    this.#accepted = 0;
    this.#since = now;
    return this.#waited;
  }
}

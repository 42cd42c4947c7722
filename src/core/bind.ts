import type { AddressInfo, Server } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { Server as TlsServer } from 'node:tls';

/** Connections that may wait to be accepted; Node's own 511 resets the others when thousands come at once. */
const BACKLOG = 4096;

/**
 * Starts listening. @returns the `http://host:port` actually bound, `https://…` of a TLS server; rejects with the system's
 * error when that fails
 */
export async function bind(server: Server, host: string, port: number): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host, backlog: BACKLOG }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const bound = server.address() as AddressInfo;
  const scheme = server instanceof TlsServer ? 'https' : 'http';
  return `${scheme}://${bound.family === 'IPv6' ? `[${bound.address}]` : bound.address}:${bound.port}`;
}

/** `unbind` waits no longer than this for its moment. */
const UNBIND_MS = 250;
/** A turn of the event loop that did next to nothing. */
const IDLE_TURN_MS = 0.1;

/**
 * Stops listening when nothing waits to be accepted: the system resets what does. Every turn of the event loop accepts
 * what is there; after one without a connection and without other work, in which some could have come, none waits.
 */
export async function unbind(server: Server): Promise<void> {
  let came = 0;
  const note = (): void => {
    came += 1;
  };
  server.on('connection', note);
  const latest = performance.now() + UNBIND_MS;
  for (let started = performance.now(), before = -1; started < latest; ) {
    await setImmediate();
    const now = performance.now();
    if (came === before && now - started < IDLE_TURN_MS) break;
    before = came;
    started = now;
  }
  server.off('connection', note);
  server.close();
}

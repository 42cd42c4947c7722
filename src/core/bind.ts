import type { AddressInfo, Server } from 'node:net';
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

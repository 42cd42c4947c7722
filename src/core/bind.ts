/** A server bound to an address. */
import type { AddressInfo, Server } from 'node:net';

/** Connections that may wait to be accepted; Node's own 511 resets the others when thousands come at once. */
const BACKLOG = 4096;

/** @returns `http://host:port` as actually bound; rejects with the system's error when it cannot be */
export async function bind(server: Server, host: string, port: number): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host, backlog: BACKLOG }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const bound = server.address() as AddressInfo;
  return `http://${bound.family === 'IPv6' ? `[${bound.address}]` : bound.address}:${bound.port}`;
}

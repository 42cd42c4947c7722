/** A server bound to an address. */
import type { AddressInfo, Server } from 'node:net';
import { Server as TlsServer } from 'node:tls';

/** @returns `http://host:port` as actually bound, `https://…` of a TLS server; rejects with the system's error when it cannot be */
export async function bind(server: Server, host: string, port: number): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const bound = server.address() as AddressInfo;
  const scheme = server instanceof TlsServer ? 'https' : 'http';
  return `${scheme}://${bound.family === 'IPv6' ? `[${bound.address}]` : bound.address}:${bound.port}`;
}

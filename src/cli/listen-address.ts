/** Where to listen: as configured, but only on this machine while nobody needs a key. */
import { isIP } from 'node:net';
import type { Config } from '../config/schema.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
  /** The config asks for an open address but has no keys. */
  readonly restricted: boolean;
}

/** Without keys anyone who reaches the port could use the experts, so then only this machine may. */
export function listenAddress(config: Config, port: number | undefined): Address {
  const at = config.listen.lastIndexOf(':');
  const host = config.listen.slice(0, at).replace(/^\[|\]$/g, '');
  const restricted = config.keys.length === 0 && !isLoopback(host);
  return {
    host: restricted ? '127.0.0.1' : host,
    port: port ?? Number(config.listen.slice(at + 1)),
    restricted,
  };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

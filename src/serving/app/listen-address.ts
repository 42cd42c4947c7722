/** Where to listen: as configured, but only on this machine while nobody needs a key. */

import { UserError } from '../../core/errors.ts';
import { isLoopback } from '../../core/loopback.ts';
import type { Config } from '../config/schema.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
  /** The config asks for an open address but has no keys. */
  readonly restricted: boolean;
}

/** Without keys anyone who reaches the port could use the experts, so then only this machine may. */
export function listenAddress(config: Pick<Config, 'listen' | 'keys'>, port: number | undefined): Address {
  const host = listenHost(config);
  const restricted = config.keys.length === 0 && !isLoopback(host.toLowerCase());
  return {
    host: restricted ? '127.0.0.1' : host,
    port: port ?? Number(config.listen.slice(config.listen.lastIndexOf(':') + 1)),
    restricted,
  };
}

/** The same for Envoy, which is told the experts' own keys. */
export function extProcAddress({ keys, extproc }: Config, port: number | undefined): Address {
  return listenAddress({ listen: extproc.listen, keys }, port);
}

/** An address that a program asks for. @throws UserError for one that others can reach, while nobody needs a key */
export function requestedAddress(config: Config, host: string, port: number | undefined): Address {
  if (config.keys.length === 0 && !isLoopback(host.toLowerCase()))
    throw new UserError(
      `Without keys in the config only this machine may connect, but ${host} is open to others. Configure keys, or listen on 127.0.0.1.`,
    );
  return { ...listenAddress(config, port), host, restricted: false };
}

/** The host of `listen`, without brackets. */
export function listenHost({ listen }: Pick<Config, 'listen'>): string {
  return listen.slice(0, listen.lastIndexOf(':')).replace(/^\[|\]$/g, '');
}

/** Why an address could not be bound, with the cure where there is one. */
export function asUserError(error: unknown, { host, port }: Pick<Address, 'host' | 'port'>): unknown {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'EADDRINUSE':
      return new UserError(
        `Port ${port} on ${host} is taken. Choose another with --port, or stop what listens there.`,
      );
    case 'EACCES':
      return new UserError(
        `Port ${port} needs more rights than this user has. Choose one above 1023 with --port.`,
      );
    case 'EADDRNOTAVAIL':
      return new UserError(
        `This machine has no address ${host}. Set 'listen' in the config to one that it has, or to 0.0.0.0 for all.`,
      );
    default:
      return error;
  }
}

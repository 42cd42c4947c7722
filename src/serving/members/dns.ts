/** Every address of a DNS name, looked up again and again. */
import { lookup } from 'node:dns/promises';
import { isIPv6 } from 'node:net';
import { describeError } from '../../core/errors.ts';
import type { Source, Surroundings } from './source.ts';

export interface DnsOptions {
  readonly dns: string;
  readonly port: number;
  /** Milliseconds. */
  readonly interval: number;
}

/** The addresses of a name; rejects as `node:dns` does. */
export type LookUp = (name: string) => Promise<readonly string[]>;

/** The system's own way, with its hosts file and search domains. */
const bySystem: LookUp = async (name) => {
  const all = await lookup(name, { all: true, order: 'ipv4first' });
  // A pod with two addresses is one replica.
  const family = all[0]?.family;
  return all.filter((one) => one.family === family).map(({ address }) => address);
};

/** A name that is not there may be a resolver's slip; so many answers in a row are believed. */
const BELIEVED_ABSENT = 2;

export function watchDns(
  { dns, port, interval }: DnsOptions,
  { tell, trouble, random }: Surroundings,
  lookUp: LookUp = bySystem,
): Source {
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let absent = 0;
  const look = async (): Promise<void> => {
    try {
      const addresses = await lookUp(dns);
      if (closed) return;
      absent = 0;
      trouble(null);
      tell(addresses.map((address) => ({ url: `http://${hostIn(address)}:${port}`, weight: 1 })));
    } catch (error) {
      if (closed) return;
      trouble(`${dns} cannot be looked up: ${describeError(error)}`);
      absent = (error as NodeJS.ErrnoException).code === 'ENOTFOUND' ? absent + 1 : 0;
      if (absent >= BELIEVED_ABSENT) tell([]);
    }
    if (!closed) timer = setTimeout(() => void look(), interval * (1 + random() / 4)).unref();
  };
  void look();
  return {
    close: () => {
      closed = true;
      clearTimeout(timer);
    },
  };
}

export function hostIn(address: string): string {
  return isIPv6(address) ? `[${address}]` : address;
}

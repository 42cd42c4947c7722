/** The IP addresses of hosts that experts are at: known at once where they are literal, else looked up beside requests. */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';

/** How long an answer of the resolver is used; it does not say how long it holds. */
const GOOD_FOR_MS = 5_000;

interface Known {
  readonly at: number;
  /** Empty while nothing is known. */
  readonly hosts: readonly string[];
}

export class Addresses {
  readonly #known = new Map<string, Known>();
  readonly #now: () => number;

  /** @param now milliseconds that never run backwards */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** `ip:port` of each address of a server, as known now; none while its name has not been found. */
  of(url: URL): readonly string[] {
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const port = url.port || (url.protocol === 'https:' ? '443' : '80');
    const hosts = isIP(host) ? [host] : this.#lookedUp(host);
    return hosts.map((ip) => (isIP(ip) === 6 ? `[${ip}]:${port}` : `${ip}:${port}`));
  }

  /** What is known, and a question for what it has become where that is old. */
  #lookedUp(host: string): readonly string[] {
    const now = this.#now();
    const known = this.#known.get(host) ?? { at: Number.NEGATIVE_INFINITY, hosts: [] };
    if (now - known.at >= GOOD_FOR_MS) {
      this.#known.set(host, { at: now, hosts: known.hosts });
      lookup(host, { all: true, order: 'ipv4first' }).then(
        (found) => this.#known.set(host, { at: this.#now(), hosts: found.map(({ address }) => address) }),
        () => {}, // a name that cannot be found for a moment keeps its addresses
      );
    }
    return known.hosts;
  }
}

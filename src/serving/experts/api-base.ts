/** Where an API is, from the address that a config gives. */

const VERSION = '/v1';

/** The base of request paths, without a final slash: `http://h:1` → `http://h:1/v1`; a given path is kept. */
export function apiBase(url: string): URL {
  const base = new URL(url);
  base.search = '';
  if (base.pathname === '/') base.pathname = VERSION;
  base.pathname = base.pathname.replace(/(?<!\/)\/+$/, '');
  return base;
}

/**
 * A path of a dialect at the server with this base: `/v1` stands for the path of the base, so `/v1/messages` becomes
 * `/openai/messages` below `http://h:1/openai`. Other paths, such as `/api/chat`, are beside a base that ends in `/v1`
 * and below any other.
 */
export function pathAt({ pathname: base }: URL, path: string): string {
  if (path.startsWith(`${VERSION}/`)) return base + path.slice(VERSION.length);
  return base.replace(/\/v1$/, '') + path;
}

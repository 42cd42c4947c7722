/**
 * Web pages of other origins: those that the config lists may read answers and send headers of their own (the Fetch
 * standard, section 3.3). No cookie counts across origins, so pages need a key where there are keys.
 */
import type { ClientRequest, ClientResponse } from './exchange.ts';
import { canonicalOrigin } from './foreign-page.ts';

/** Any origin. */
const ANY = '*';
/** Seconds for which a browser remembers a preflight. */
const REMEMBERED = 600;
const READABLE = [
  'x-expert-router-expert',
  'x-expert-router-cluster',
  'x-expert-router-confidence',
  'x-expert-router-reason',
  'x-expert-router-tries',
  'x-expert-router-trace-id',
  'x-expert-router-dropped',
  'x-request-id',
  'request-id',
  'retry-after',
].join(', ');
/** A list of header names, of which no more is sent back than fits a head. */
const NAMES = /^[a-z0-9-]+(?:\s*,\s*[a-z0-9-]+)*$/i;
const MOST_NAMES = 1_000;

/** Tells the browser that a listed page may read the answer. @returns whether it may */
export function admitPage(
  { headers: { origin } }: Pick<ClientRequest, 'headers'>,
  response: ClientResponse,
  listed: readonly string[],
): boolean {
  if (origin === undefined || listed.length === 0) return false;
  response.setHeader('vary', 'origin');
  const any = listed.includes(ANY);
  if (!any && !listed.some((one) => canonicalOrigin(one) === canonicalOrigin(origin))) return false;
  response.setHeader('access-control-allow-origin', any ? ANY : origin);
  response.setHeader('access-control-expose-headers', READABLE);
  return true;
}

/** Answers OPTIONS at a path with these methods; to a listed page's preflight, what it may send. */
export function answerOptions(
  { headers }: Pick<ClientRequest, 'headers'>,
  response: ClientResponse,
  methods: string,
  admitted: boolean,
): void {
  response.setHeader('allow', methods);
  if (admitted && headers['access-control-request-method'] !== undefined) {
    response.setHeader('access-control-allow-methods', methods);
    response.setHeader('access-control-max-age', REMEMBERED);
    const asked = headers['access-control-request-headers'];
    if (typeof asked === 'string' && asked.length <= MOST_NAMES && NAMES.test(asked))
      response.setHeader('access-control-allow-headers', asked);
    if (headers['access-control-request-private-network'] === 'true')
      response.setHeader('access-control-allow-private-network', 'true');
  }
  response.writeHead(204, {}).end();
}

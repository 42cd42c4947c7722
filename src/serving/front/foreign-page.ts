/**
 * Whether a request that needs no key may be the doing of a web page from elsewhere: one that reaches this machine
 * under a name of its own (DNS rebinding), or across sites. A pure decision.
 */
import { isIP } from 'node:net';
import { RouterError } from '../../core/errors.ts';
import { isLoopback } from '../../core/loopback.ts';

/** What a browser says of where a request comes from and goes to; a page cannot forge any of it. */
export interface Whence {
  /** The Host header, or the host of an absolute target; null where there is none, which no browser sends. */
  readonly authority: string | null;
  readonly origin: string | undefined;
  /** `Sec-Fetch-Site`. */
  readonly fetchSite: string | undefined;
}

/** Permitted besides the loopback names and addresses. */
export interface Permitted {
  /** Names and addresses; IPv6 with or without brackets. */
  readonly hosts: readonly string[];
  readonly origins: readonly string[];
}

const CURE = 'set keys, so that every caller needs one';
/** Of what a client sent, an error repeats no more. */
const SHOWN = 100;

/** @throws RouterError `host_not_allowed` or `origin_not_allowed` */
export function refuseForeignPage({ authority, origin, fetchSite }: Whence, permitted: Permitted): void {
  if (authority !== null && !isPermittedHost(authority, permitted)) {
    throw new RouterError(
      'host_not_allowed',
      `Without API keys this router answers only under this machine's own names, not as '${shown(authority)}': ` +
        `a web page could have chosen that. Ask localhost, add the name to allowed_hosts in the config, or ${CURE}.`,
    );
  }
  if (origin !== undefined) {
    if (!isPermittedOrigin(origin, permitted)) throw foreign(`a page of '${shown(origin)}'`);
  } else if (fetchSite?.toLowerCase() === 'cross-site') {
    throw foreign('a page of another site');
  }
}

function foreign(who: string): RouterError {
  return new RouterError(
    'origin_not_allowed',
    `Without API keys this router answers no web page from elsewhere, and ${who} sent this request. ` +
      `Add its origin to allowed_origins in the config, or ${CURE}.`,
  );
}

/** Under which name this router was asked last, and by what that was permitted: mostly it is the same again. */
let lastPermitted: { readonly authority: string; readonly by: Permitted } | null = null;

function isPermittedHost(authority: string, permitted: Permitted): boolean {
  if (lastPermitted?.authority === authority && lastPermitted.by === permitted) return true;
  const host = hostOf(authority);
  if (host === null || !(isOwnName(host) || isOneOf(host, permitted.hosts))) return false;
  lastPermitted = { authority, by: permitted };
  return true;
}

/** A name without a dot is nobody's on the Internet, so no page can have been served under it from there. */
function isOwnName(host: string): boolean {
  return isLoopback(host) || (isIP(host) === 0 && !host.includes('.'));
}

function isOneOf(host: string, hosts: readonly string[]): boolean {
  return hosts.some((one) => hostOf(bracketed(one)) === host);
}

/** Stricter than for hosts: a local network may answer to a bare name, and what a page sends always has an origin. */
function isPermittedOrigin(origin: string, permitted: Permitted): boolean {
  const host = hostOf(/^https?:\/\/(.*)$/i.exec(origin)?.[1] ?? '');
  if (host !== null && (isLoopback(host) || isOneOf(host, permitted.hosts))) return true;
  return permitted.origins.some((one) => canonicalOrigin(one) === canonicalOrigin(origin));
}

/** The host of `host[:port]`, in lower case, without brackets and the root's dot; null for anything else. */
function hostOf(authority: string): string | null {
  const host = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{0,5})?$/i.exec(authority)?.[1];
  if (host === undefined) return null;
  if (host.startsWith('['))
    return URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname.slice(1, -1) : null;
  return host.toLowerCase().replace(/\.$/, '');
}

function bracketed(host: string): string {
  return isIP(host) === 6 ? `[${host}]` : host;
}

/** As browsers send it: in lower case and without the scheme's own port. */
export function canonicalOrigin(origin: string): string {
  return /^https?:/i.test(origin) && URL.canParse(origin) ? new URL(origin).origin : origin.toLowerCase();
}

function shown(text: string): string {
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
}

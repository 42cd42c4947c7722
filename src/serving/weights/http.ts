/**
 * The one way this product asks a public server for something: proxies from the environment, a short patience for
 * connecting, credentials out of the address into a header.
 */
import { EnvHttpProxyAgent, fetch, type Response } from 'undici';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Http {
  get(url: string, headers: Record<string, string>, signal: AbortSignal): Promise<Response>;
  head(url: string, headers: Record<string, string>, signal: AbortSignal): Promise<Response>;
  close(): Promise<void>;
}

/** Unreachable hosts must be noticed before a person wonders; a silent body is given longer. */
const CONNECT_MS = 3_000;
const HEADERS_MS = 10_000;
const BODY_MS = 30_000;

export function openHttp(environment: Environment): Http {
  const pick = (name: string) => environment[name.toLowerCase()] ?? environment[name];
  const agent = new EnvHttpProxyAgent({
    httpProxy: pick('HTTP_PROXY') ?? '',
    httpsProxy: pick('HTTPS_PROXY') ?? '',
    noProxy: pick('NO_PROXY') ?? '',
    connect: { timeout: CONNECT_MS },
    headersTimeout: HEADERS_MS,
    bodyTimeout: BODY_MS,
  });
  const send = (method: string, address: string, headers: Record<string, string>, signal: AbortSignal) => {
    // The hub's checksum header stands on the redirect itself, so HEAD does not follow.
    const redirect = method === 'HEAD' ? 'manual' : 'follow';
    const { url, authorization } = withoutCredentials(address);
    const all = authorization ? { ...headers, authorization } : headers;
    return fetch(url, { method, headers: all, signal, dispatcher: agent, redirect });
  };
  return {
    get: (url, headers, signal) => send('GET', url, headers, signal),
    head: (url, headers, signal) => send('HEAD', url, headers, signal),
    close: () => agent.close(),
  };
}

/** `https://user:key@host/` → the bare address and a Basic header, since fetch refuses the former. */
export function withoutCredentials(address: string): { url: string; authorization?: string } {
  const url = new URL(address);
  if (!url.username && !url.password) return { url: address };
  const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  url.username = '';
  url.password = '';
  return { url: url.href, authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}

/** The head of a request or a response, as Envoy sends it: pseudo-headers among the others, values as bytes. */
import type { IncomingHttpHeaders } from 'node:http';
import type { HeaderMap } from './protocol.ts';

export interface Head {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  /** Null where the request names no host. */
  readonly authority: string | null;
  /** Null in a request. */
  readonly status: number | null;
  /** Without pseudo-headers; values of the same name are joined by commas. */
  readonly headers: IncomingHttpHeaders;
}

/** Values are latin1, as `node:http` gives them. */
export function readHead(map: HeaderMap | undefined): Head {
  const pseudo: Record<string, string> = {};
  const headers: Record<string, string> = {};
  for (const { key, value, raw_value: raw } of map?.headers ?? []) {
    const text = raw && raw.length > 0 ? raw.toString('latin1') : (value ?? '');
    const into = key.startsWith(':') ? pseudo : headers;
    const name = key.toLowerCase();
    into[name] = into[name] === undefined ? text : `${into[name]}, ${text}`;
  }
  const status = pseudo[':status'];
  return {
    method: pseudo[':method'] ?? 'GET',
    path: pseudo[':path'] ?? '/',
    authority: pseudo[':authority'] ?? headers.host ?? null,
    status: status === undefined ? null : Number(status),
    headers,
  };
}

/** What a request is directed at: a path, and the host it names (RFC 9112, section 3.2). */
import { RouterError } from '../../core/errors.ts';

export interface Target {
  /** In origin form, with its query. */
  readonly path: string;
  /** Host and perhaps port as sent; null where the request names none, as HTTP/1.0 allows. */
  readonly authority: string | null;
}

/**
 * @param url the request's target, in origin form or absolute @param rawHeaders names and values in turn
 * @throws RouterError `invalid_request` for a second Host line
 */
export function readTarget(url: string, rawHeaders: readonly string[]): Target {
  const hosts: string[] = [];
  for (let at = 0; at < rawHeaders.length; at += 2)
    if (rawHeaders[at]!.toLowerCase() === 'host') hosts.push(rawHeaders[at + 1]!);
  if (hosts.length > 1)
    throw new RouterError('invalid_request', 'The request has more than one Host header; send one.');
  const absolute = url.startsWith('/') ? null : /^https?:\/\/([^/?#]*)(.*)/is.exec(url);
  if (!absolute) return { path: url, authority: hosts[0] ?? null };
  // The host of an absolute target outranks the Host header (section 3.2.2).
  const rest = absolute[2]!;
  return { path: rest.startsWith('/') ? rest : `/${rest}`, authority: absolute[1]! };
}

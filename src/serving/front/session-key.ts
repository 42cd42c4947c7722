/**
 * The name of a conversation, as its client gives it by header or in the body. It is scoped by caller, so that nobody
 * gets at another caller's conversation by choosing its name.
 */
import type { IncomingHttpHeaders } from 'node:http';

/** In order of trust. */
const HEADERS = [
  'x-session-id',
  'x-conversation-id',
  'x-claude-code-session-id',
  'session-id',
  'session_id',
  'x-session-affinity',
  'thread-id',
] as const;

/** Printable ASCII, of bounded length. */
const USABLE = /^[\x21-\x7e]{1,256}$/;

/** @param named in the body; null for none @returns null where no usable name was given */
export function sessionKey(
  headers: IncomingHttpHeaders,
  tenant: string,
  named: string | null,
): string | null {
  for (const name of HEADERS) {
    const value = headers[name];
    if (typeof value === 'string' && USABLE.test(value)) return `${tenant}\n${value}`;
  }
  return named !== null && USABLE.test(named) ? `${tenant}\n${named}` : null;
}

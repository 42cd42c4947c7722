/**
 * The name of a conversation, as its client gives it by header or in the body. It is scoped by caller, so that nobody
 * gets at another caller's conversation by choosing its name.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { LIMITS } from '../../core/bounds.ts';

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

/** Printable ASCII. */
const PRINTABLE = /^[\x21-\x7e]+$/;

/** @param named in the body; null for none @returns null where no usable name was given */
export function sessionKey(
  headers: IncomingHttpHeaders,
  tenant: string,
  named: string | null,
): string | null {
  for (const name of HEADERS) {
    const value = headers[name];
    if (typeof value === 'string' && isUsable(value)) return `${tenant}\n${value}`;
  }
  return named !== null && isUsable(named) ? `${tenant}\n${named}` : null;
}

function isUsable(name: string): boolean {
  return name.length <= LIMITS.sessionUnits && PRINTABLE.test(name);
}

/**
 * Who looks at the dashboard: a browser gives its API key once and gets a cookie that stands for it. The cookie holds the
 * key's name and an end, signed; the secret lives as long as the program, so a restart ends every session.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { RouterError } from '../../core/errors.ts';
import { authenticate, type HashedKey, isValid } from '../front/auth.ts';
import type { ClientRequest } from '../front/exchange.ts';

const COOKIE = 'expert-router-session';
const LASTS_SECONDS = 12 * 3_600;
/** Sent to no other path, and never with a request that another site caused. */
const SCOPE = 'Path=/ui; HttpOnly; SameSite=Strict';

/**
 * The key a request of the dashboard stands for: by its session, or by the key itself as in any other request. Null where
 * none are configured.
 * @param now seconds since 1970 @throws RouterError `invalid_api_key`, `origin_not_allowed`
 */
export function viewerOf(
  request: ClientRequest,
  keys: readonly HashedKey[],
  secret: string,
  now: number,
): HashedKey | null {
  if (keys.length === 0) return null;
  const cookie = cookieOf(request);
  if (cookie === null || request.headers.authorization !== undefined) return authenticate(request, keys);
  refuseOtherPages(request);
  const key = keyOf(cookie, keys, secret, now);
  if (key) return key;
  throw new RouterError('invalid_api_key', 'This session has ended; sign in again.');
}

/** The value of `Set-Cookie` for a key. @param now seconds since 1970 */
export function sessionCookie(key: HashedKey, secret: string, now: number, secure: boolean): string {
  const claims = `${Buffer.from(key.name).toString('base64url')}.${Math.floor(now) + LASTS_SECONDS}`;
  const value = `${claims}.${signature(claims, key, secret)}`;
  return `${COOKIE}=${value}; Max-Age=${LASTS_SECONDS}; ${SCOPE}${secure ? '; Secure' : ''}`;
}

export const ENDED_COOKIE = `${COOKIE}=; Max-Age=0; ${SCOPE}`;

function cookieOf({ headers }: ClientRequest): string | null {
  const pairs = (headers.cookie ?? '').split('; ').filter((pair) => pair.startsWith(`${COOKIE}=`));
  return pairs[0]?.slice(COOKIE.length + 1) ?? null;
}

/** Ports of one host are one site to `SameSite`: what they may not do is caught here. */
function refuseOtherPages({ headers }: ClientRequest): void {
  const from = headers['sec-fetch-site'];
  if (from === undefined || from === 'same-origin' || from === 'none') return;
  throw new RouterError('origin_not_allowed', 'Only the dashboard itself may use its session.');
}

function keyOf(cookie: string, keys: readonly HashedKey[], secret: string, now: number): HashedKey | null {
  const [name = '', end = '', given = ''] = cookie.split('.');
  if (!(Number(end) > now)) return null;
  const called = Buffer.from(name, 'base64url').toString();
  // Of keys that share a name, the signature tells which it was.
  return (
    keys.find(
      (key) =>
        key.name === called &&
        isValid(key, now * 1000) &&
        isEqual(given, signature(`${name}.${end}`, key, secret)),
    ) ?? null
  );
}

/** Of the key's hash too: a session ends when its key is replaced. */
function signature(claims: string, key: HashedKey, secret: string): string {
  return createHmac('sha256', secret).update(`${claims}.${key.hash}`).digest('base64url');
}

function isEqual(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

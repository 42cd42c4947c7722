/** Who may call, and what for: API keys kept only as hashes and found by them, each with its roles. */
import { createHash, randomBytes } from 'node:crypto';
import { RouterError } from '../../core/errors.ts';
import { excerpt } from '../../core/excerpt.ts';
import { DEFAULT_ROLES, type Role } from '../../core/roles.ts';
import type { ClientRequest } from './exchange.ts';

export interface HashedKey {
  readonly name: string;
  readonly roles: readonly Role[];
  /** Whether its prompts go to local experts only. */
  readonly local_only: boolean;
  /** `sha256:` and 64 hex digits. A plain hash suffices because keys are random 256-bit values, not passwords. */
  readonly hash: string;
  /** Of the key that is to replace it. */
  readonly next_hash?: string | undefined;
  /** ISO 8601; absent for never. */
  readonly expires?: string | undefined;
  /** Ids of the experts that may answer it, and the model names it may use; absent for all. */
  readonly experts?: readonly string[] | undefined;
  readonly models?: readonly string[] | undefined;
  readonly team?: string | undefined;
  readonly limits?: object | undefined;
  /** Of its requests in queues: -10 to 10, higher is more urgent. */
  readonly priority: number;
}

/** A new random key and the hash to put into the config. */
export function newKey(): { key: string; hash: string } {
  const key = `er-${randomBytes(32).toString('base64url')}`;
  return { key, hash: hashKey(key) };
}

export function hashKey(key: string): string {
  return `sha256:${createHash('sha256').update(key).digest('hex')}`;
}

/** A request as far as its headers go. */
export type Headed = Pick<ClientRequest, 'headers'>;

/**
 * The key a request carries, or null where none are configured.
 * @param now milliseconds since 1970 @throws RouterError `invalid_api_key`
 */
export function authenticate(
  request: Headed,
  keys: readonly HashedKey[],
  now = Date.now(),
): HashedKey | null {
  if (keys.length === 0) return null;
  const presented = presentedKeys(request);
  if (presented.length === 0) {
    throw new RouterError(
      'invalid_api_key',
      "An API key is needed: send 'Authorization: Bearer <key>', 'x-api-key: <key>' or 'api-key: <key>'.",
    );
  }
  const known = byHash(keys);
  const matches = presented.flatMap((key) => known.get(hashKey(key)) ?? []);
  if (matches.length === 0) throw new RouterError('invalid_api_key', 'This API key is not known here.');
  const valid = matches.find((key) => isValid(key, now));
  if (!valid) throw new RouterError('invalid_api_key', `This API key expired at ${matches[0]!.expires}.`);
  return valid;
}

/** Whether it has not expired. @param now milliseconds since 1970 */
export function isValid({ expires }: HashedKey, now: number): boolean {
  return expires === undefined || Date.parse(expires) > now;
}

const found = new WeakMap<readonly HashedKey[], ReadonlyMap<string, readonly HashedKey[]>>();

/**
 * The keys of a config by their hashes, so that a request costs the same however many there are. How long a look-up takes tells
 * of hashes alone, and nobody can choose a key whose hash begins as another's does.
 */
function byHash(keys: readonly HashedKey[]): ReadonlyMap<string, readonly HashedKey[]> {
  const known = found.get(keys);
  if (known) return known;
  const made = new Map<string, HashedKey[]>();
  for (const key of keys)
    for (const hash of new Set([key.hash, key.next_hash]))
      if (hash !== undefined) made.set(hash, [...(made.get(hash) ?? []), key]);
  found.set(keys, made);
  return made;
}

/** @throws RouterError `model_not_allowed` */
export function refuseModel({ model }: { readonly model: string }, caller: HashedKey | null): void {
  const allowed = caller?.models;
  if (!allowed || allowed.includes(model)) return;
  throw new RouterError(
    'model_not_allowed',
    `This API key may not use the model '${excerpt(model)}'. It may use: ${allowed.join(', ')}.`,
    { param: 'model' },
  );
}

/** @throws RouterError `role_missing` */
export function refuseWithout(role: Role, caller: HashedKey | null): void {
  if (mayAct(role, caller)) return;
  if (caller === null)
    throw new RouterError(
      'role_missing',
      `Nobody may do that while there are no API keys: it needs one with the role '${role}', which 'expert-router key' makes and the config gives in keys: [{ roles: … }].`,
    );
  throw new RouterError(
    'role_missing',
    `This API key may not do that: it needs the role '${role}', which the config gives in keys: [{ roles: … }].`,
  );
}

export function mayAct(role: Role, caller: HashedKey | null): boolean {
  return (caller?.roles ?? DEFAULT_ROLES).includes(role);
}

/** Some clients send a placeholder as one of these and their key as another. */
function presentedKeys({ headers }: Headed): readonly string[] {
  const bearer = /^Bearer\s+(\S+)$/i.exec(headers.authorization ?? '')?.[1];
  return [bearer, headers['x-api-key'], headers['api-key']].filter(
    (key): key is string => typeof key === 'string' && key !== '',
  );
}

import { expect, it } from 'vitest';
import { authenticate, type HashedKey, hashKey } from './auth.ts';

const keyOf = (name: string, more: Partial<HashedKey> = {}): HashedKey => ({
  name,
  roles: ['ask'],
  local_only: false,
  hash: hashKey(name),
  priority: 0,
  ...more,
});
const bearer = (key: string) => ({ headers: { authorization: `Bearer ${key}` } });

it('a key is found by its hash or the next one, whatever else has the same', () => {
  const past = '2001-01-01T00:00:00Z';
  const keys = [
    keyOf('old', { next_hash: hashKey('new') }),
    keyOf('spent', { expires: past }),
    keyOf('late', { hash: hashKey('shared'), expires: past }),
    keyOf('good', { hash: hashKey('shared') }),
  ];
  expect(authenticate(bearer('old'), keys)).toBe(keys[0]);
  expect(authenticate(bearer('new'), keys)).toBe(keys[0]);
  expect(authenticate(bearer('shared'), keys)).toBe(keys[3]);
  expect(() => authenticate(bearer('spent'), keys)).toThrow(`expired at ${past}`);
  for (const unknown of ['', 'x', '__proto__', hashKey('old')])
    expect(() => authenticate(bearer(unknown), keys)).toThrow(/known here|needed/);
  expect(authenticate(bearer('anything'), [])).toBeNull();
});

it('a request looks at none of thousands of keys but its own', () => {
  let read = 0;
  const keys = Array.from({ length: 2_000 }, (_, at) => {
    const key = keyOf(`k${at}`);
    const { hash } = key;
    return Object.defineProperty({ ...key }, 'hash', {
      get: () => {
        read += 1;
        return hash;
      },
    });
  });
  expect(authenticate(bearer('k1999'), keys)?.name).toBe('k1999');
  read = 0;
  for (const name of ['k7', 'k1000', 'k1999']) expect(authenticate(bearer(name), keys)?.name).toBe(name);
  expect(() => authenticate(bearer('stranger'), keys)).toThrow('not known');
  expect(read).toBe(0);
});

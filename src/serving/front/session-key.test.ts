import { expect, it } from 'vitest';
import { sessionKey } from './session-key.ts';

it('trusts headers before the body, in their order', () => {
  const headers = { 'session-id': 's', 'x-session-id': 'x' };
  expect(sessionKey(headers, 'a', 'b')).toBe('a\nx');
  expect(sessionKey({ 'session-id': 's' }, 'a', 'b')).toBe('a\ns');
  expect(sessionKey({}, 'a', 'b')).toBe('a\nb');
  expect(sessionKey({}, 'a', null)).toBeNull();
});

it('keeps callers apart: no name of one is a name of another', () => {
  expect(sessionKey({}, 'a', 'b')).not.toBe(sessionKey({}, 'c', 'b'));
  // A name cannot hold what stands between it and its caller.
  expect(sessionKey({}, 'a', 'b\nc')).toBeNull();
});

it('takes no name that is long or not printable, and looks on', () => {
  expect(sessionKey({ 'x-session-id': 'x'.repeat(257), 'thread-id': 't' }, '', null)).toBe('\nt');
  expect(sessionKey({}, '', 'sch\u00f6n')).toBeNull();
});

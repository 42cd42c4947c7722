import { expect, it } from 'vitest';
import { excerpt } from './excerpt.ts';

it('keeps short text, truncates long text and removes control characters', () => {
  expect(excerpt('東京 code')).toBe('東京 code');
  expect(excerpt('a'.repeat(1 << 20))).toBe(`${'a'.repeat(99)}…`);
  expect(excerpt('a\r\nb\u001b[2J\u2028\u202ec')).toBe('a  b [2J  c');
  expect(excerpt(`${'a'.repeat(98)}😀${'a'.repeat(98)}`)).toBe(`${'a'.repeat(98)} …`);
});

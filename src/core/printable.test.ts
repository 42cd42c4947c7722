import { expect, it } from 'vitest';
import { printable } from './printable.ts';

it('makes visible what a terminal would obey, and leaves text as it is', () => {
  expect(printable('a\u001b[2Jb\u009b31mc\r\u0007\u202e')).toBe(
    'a\\u001b[2Jb\\u009b31mc\\u000d\\u0007\\u202e',
  );
  const text = 'zwei\n\tZeilen – 日本語 👩‍💻 עברית';
  expect(printable(text)).toBe(text);
});

import { expect, it } from 'vitest';
import { retryAfter } from './blame.ts';

const NOW = Date.UTC(2026, 10, 26, 8, 0, 0);

it.each<[string | undefined, number | null]>([
  ['7', 7_000],
  ['0.5', 500],
  ['Thu, 26 Nov 2026 08:00:30 GMT', 30_000],
  ['Thu, 26 Nov 2026 07:00:00 GMT', null],
  ['Thu, 26 Nov 2026', null],
  ['soon', null],
  ['-1', null],
  [undefined, null],
])('Retry-After: %s', (header, milliseconds) => {
  expect(retryAfter(header, NOW)).toBe(milliseconds);
});

import { afterEach, expect, it, vi } from 'vitest';
import { nearestName } from './suggest.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

it('finds the mistyped name', () => {
  expect(nearestName('mathmatics', ['code', 'mathematics'])).toBe('mathematics');
  expect(nearestName('Cdoe', ['code', 'mathematics'])).toBe('code');
  expect(nearestName('weather', ['code', 'mathematics'])).toBeNull();
});

it('does not compare a name of a megabyte', () => {
  const lowered = vi.spyOn(String.prototype, 'toLowerCase');
  expect(nearestName('a'.repeat(1 << 20), ['code', 'mathematics'])).toBeNull();
  expect(lowered).not.toHaveBeenCalled();
});

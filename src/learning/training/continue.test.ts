import { expect, it } from 'vitest';
import { continuation, continuationText } from './continue.ts';

it('tells which clusters hold other prompts now, how many prompts moved, and how shares changed', () => {
  const old = Uint32Array.of(0, 0, 0, 0, 1, 1, 2, 2, 2, 2);
  const now = Uint32Array.of(0, 0, 0, 1, 2, 2, 1, 1, 1, 2);
  const told = continuation(['bread', 'code', 'law'], old, now, ['bread', 'law', 'code']);
  expect(told.kept).toBe(1);
  expect(told.changed).toEqual([
    { cluster: 1, before: 'code', after: 'law', overlap: 0 },
    { cluster: 2, before: 'law', after: 'code', overlap: 1 / 6 },
  ]);
  expect(told.moved).toBeCloseTo(0.6);
  expect(told.shares[1]).toEqual({ before: 0.2, after: 0.4 });
  const text = continuationText(told).join('\n');
  expect(text).toContain('1 of 3 clusters stay; 60.0 % of the prompts are in another one than before');
  expect(text).toContain("1 holds other prompts now: 'code' → 'law'");
  expect(text).toContain('1: 20.0 % → 40.0 % of the prompts');
});

it('bears a cluster that the new prompts do not reach', () => {
  const told = continuation(['a', 'b'], Uint32Array.of(0, 0), Uint32Array.of(0, 0), ['a', 'b']);
  expect(told).toMatchObject({ kept: 1, moved: 0 });
  expect(told.changed.map(({ cluster }) => cluster)).toEqual([1]);
});

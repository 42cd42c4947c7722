import { expect, it } from 'vitest';
import type { Health } from '../experts/expert.ts';
import { Readiness } from './readiness.ts';

it('asks the experts once a second at most, however often it is asked', async () => {
  let now = 0;
  let asked = 0;
  let health: Health = { state: 'ready' };
  const check = async () => {
    asked += 1;
    return new Map([['e', health]]);
  };
  const readiness = new Readiness({ check }, () => now);
  const answers = await Promise.all(Array.from({ length: 100 }, () => readiness.check()));
  expect([new Set(answers), asked]).toEqual([new Set([true]), 1]);
  health = { state: 'down', failure: { kind: 'other', detail: 'no' } };
  now = 999;
  expect([await readiness.check(), asked]).toEqual([true, 1]);
  now = 1_000;
  expect([await readiness.check(), asked]).toEqual([false, 2]);
});

it('is over at once where the router ends, whatever its experts said', async () => {
  const readiness = new Readiness({ check: async () => new Map([['e', { state: 'ready' }]]) }, () => 0);
  expect(await readiness.check()).toBe(true);
  readiness.drain();
  expect(await readiness.check()).toBe(false);
});

import { expect, it } from 'vitest';
import { PrefillRate } from './prefill-rate.ts';

it('is tokens read over the time to the first token', () => {
  const rate = new PrefillRate();
  expect(rate.perSecond).toBe(0);
  rate.observe(4_000, 500);
  expect(rate.perSecond).toBe(8_000);
});

it('rises quickly and falls slowly, because waiting makes samples slow', () => {
  const rate = new PrefillRate();
  rate.observe(4_000, 1_000);
  rate.observe(4_000, 500);
  const risen = rate.perSecond;
  rate.observe(4_000, 4_000);
  expect(risen - 4_000).toBeGreaterThan(risen - rate.perSecond);
  expect(rate.perSecond).toBeLessThan(risen);
});

it('is that of its peers until something was measured', () => {
  const [peers, one, other] = [new PrefillRate(), new PrefillRate(), new PrefillRate()];
  one.peers = peers;
  other.peers = peers;
  one.observe(4_000, 500);
  expect(other.perSecond).toBe(8_000);
  other.observe(4_000, 1_000);
  expect([one.perSecond, other.perSecond]).toEqual([8_000, 4_000]);
});

it('learns nothing from short prompts, nor from times that cannot be', () => {
  const rate = new PrefillRate();
  rate.observe(100, 1);
  rate.observe(4_000, 0);
  rate.observe(-5, 10);
  expect(rate.perSecond).toBe(0);
});

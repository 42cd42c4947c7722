import { describe, expect, it } from 'vitest';
import { ServiceRate } from './service-rate.ts';

/** So many requests at once, each of 100 tokens and ten seconds, for a while. */
function served(atOnce: number): ServiceRate {
  const rate = new ServiceRate();
  for (let round = 0; round < 10; round++) {
    for (let n = 0; n < atOnce; n++) rate.started(round * 10_000);
    for (let n = 0; n < atOnce; n++) rate.ended((round + 1) * 10_000, 100);
  }
  return rate;
}

describe('how fast a server is', () => {
  it('is what it finishes while it is at work, which grows with what it is given', () => {
    const [one, four] = [served(1).perSecond(100_000), served(4).perSecond(100_000)];
    expect(four / one).toBeCloseTo(4, 6);
  });

  it('for one request does not depend on how many there are', () => {
    const [one, four] = [served(1).perRequest(100_000), served(4).perRequest(100_000)];
    expect(four).toBeCloseTo(one, 6);
    expect(one).toBeGreaterThan(8);
    expect(new ServiceRate().perRequest(0)).toBe(0);
  });
});

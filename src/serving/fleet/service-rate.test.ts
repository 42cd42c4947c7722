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

  it('with every slot taken does not depend on how many are', () => {
    const [one, four] = [served(1).full(8, 100_000), served(4).full(8, 100_000)];
    expect(four).toBeCloseTo(one, 6);
    expect(one).toBeGreaterThan(8 * 8);
    expect(new ServiceRate().full(8, 0)).toBe(0);
  });

  /** With now one and now many at once, whose tokens then take longer. @param msPerToken by requests at once */
  function mixed(msPerToken: (atOnce: number) => number): { rate: ServiceRate; now: number } {
    const rate = new ServiceRate();
    let now = 0;
    for (let round = 0; round < 40; round++) {
      const atOnce = [2, 8, 4, 16][round % 4]!;
      for (let n = 0; n < atOnce; n++) rate.started(now);
      now += 100 * msPerToken(atOnce);
      for (let n = 0; n < atOnce; n++) rate.ended(now, 100);
    }
    return { rate, now };
  }

  it('is no more than a server that finishes the same, however many there are, was ever seen to do', () => {
    const { rate, now } = mixed((atOnce) => 10 * atOnce);
    for (const slots of [16, 100, 10_000]) {
      expect(rate.full(slots, now)).toBeGreaterThan(60);
      expect(rate.full(slots, now)).toBeLessThan(160);
    }
  });

  it('goes by the line that tokens follow, and grows with the slots of one that is not slowed', () => {
    const slowed = mixed((atOnce) => 20 + atOnce);
    const share = slowed.rate.full(64, slowed.now) / ((64 / (20 + 64)) * 1000);
    expect(share).toBeGreaterThan(0.75);
    expect(share).toBeLessThan(1.35);
    const free = mixed(() => 20);
    expect(free.rate.full(64, free.now) / (64 / 20)).toBeCloseTo(1000, 0);
  });
});

import { describe, expect, it } from 'vitest';
import { Arrivals } from './arrivals.ts';
import { ASSUMED_RATE, type Demand, isActive, metricValueOf, NO_DEMAND, together } from './demand.ts';

describe('demand', () => {
  it('is tokens over what one replica does, as seen, as told, or as assumed', () => {
    const busy = { ...NO_DEMAND, inFlight: 4, tokens: 1_500, queuedTokens: 500, rate: 100 };
    expect(metricValueOf('work', busy, null)).toBe(20);
    expect(metricValueOf('work', busy, 400)).toBe(5);
    expect(metricValueOf('work', { ...busy, rate: 0 }, null)).toBe(2_000 / ASSUMED_RATE);
    expect(metricValueOf('requests', { ...busy, queued: 3 }, null)).toBe(7);
    expect(metricValueOf('arrivals', { ...busy, arrivingTokens: 150 }, null)).toBe(1.5);
  });

  it('of several gateways is the same at each, and counts no request twice', () => {
    const one = { ...NO_DEMAND, inFlight: 3, queued: 1, tokens: 900, queuedTokens: 300, ready: 2, rate: 100 };
    const other = {
      ...NO_DEMAND,
      inFlight: 1,
      tokens: 200,
      oldestWait: 4,
      sinceArrival: 5,
      coming: true,
      rate: 300,
    };
    // Engines that tell their load tell it to both: five in all, one of them nobody's here.
    const seen = { inFlight: 5, tokens: 1_400 };
    const both = together([one, { ...other, seen }]);
    expect(together([{ ...other, seen }, one])).toEqual(both);
    expect(both).toMatchObject({
      inFlight: 4,
      queued: 1,
      seen,
      oldestWait: 4,
      sinceArrival: 5,
      coming: true,
      rate: 200,
    });
    expect(metricValueOf('requests', both, null)).toBe(6);
    expect(metricValueOf('work', both, null)).toBe((1_400 + 300) / 200);
    expect(metricValueOf('requests', together([one, other]), null)).toBe(5);
    expect(together([NO_DEMAND, NO_DEMAND])).toEqual(NO_DEMAND);
  });

  it.each([
    [0, 0],
    [1, 1.5],
    [2, 3],
    [60, 6],
  ])(
    'of which the longest has waited %d s asks for %d of three replicas, never for more than twice as many',
    (oldestWait, wanted) => {
      expect(metricValueOf('wait', { ...NO_DEMAND, ready: 3, oldestWait }, null)).toBe(wanted);
    },
  );

  it.each<[Partial<Demand>, boolean]>([
    [{}, false],
    [{ inFlight: 1 }, true],
    [{ queued: 1 }, true],
    // Another's, as its server tells.
    [{ seen: { inFlight: 1, tokens: 10 } }, true],
    [{ coming: true }, true],
    [{ sinceArrival: 59 }, true],
    [{ sinceArrival: 61 }, false],
  ])('with %j is active: %s', (some, expected) => {
    expect(isActive({ ...NO_DEMAND, ...some })).toBe(expected);
  });
});

describe('arrivals', () => {
  it('read as their rate while they last, and fade afterwards', () => {
    let now = 0;
    const arrivals = new Arrivals(() => now);
    expect(arrivals.tokensPerSecond('a')).toBe(0);
    expect(arrivals.since('a')).toBe(Number.POSITIVE_INFINITY);
    for (; now < 300_000; now += 100) arrivals.note('a', 20);
    expect(arrivals.tokensPerSecond('a')).toBeCloseTo(200, -1);
    now += 30_000;
    expect(arrivals.tokensPerSecond('a')).toBeCloseTo(100, -1);
    expect(arrivals.since('a')).toBeCloseTo(30.1, 1);
    expect(arrivals.tokensPerSecond('b')).toBe(0);
  });
});

import { describe, expect, it } from 'vitest';
import { Arrivals } from './arrivals.ts';
import { ASSUMED_RATE, type Demand, isActive, metricValueOf, NO_DEMAND } from './demand.ts';

describe('demand', () => {
  it('is tokens over what one replica does, as seen, as told, or as assumed', () => {
    const busy = { ...NO_DEMAND, inFlight: 4, tokens: 2_000, rate: 100 };
    expect(metricValueOf('work', busy, null)).toBe(20);
    expect(metricValueOf('work', busy, 400)).toBe(5);
    expect(metricValueOf('work', { ...busy, rate: 0 }, null)).toBe(2_000 / ASSUMED_RATE);
    expect(metricValueOf('requests', { ...busy, queued: 3 }, null)).toBe(7);
    expect(metricValueOf('arrivals', { ...busy, arrivingTokens: 150 }, null)).toBe(1.5);
  });

  it.each<[Partial<Demand>, boolean]>([
    [{}, false],
    [{ inFlight: 1 }, true],
    [{ queued: 1 }, true],
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

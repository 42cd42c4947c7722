import { describe, expect, it } from 'vitest';
import { ColdStart, ColdStarts } from './cold-start.ts';

const LIMIT = 300_000;

function clocked(): { start: ColdStart; pass(ms: number): void } {
  let now = 5_000;
  const pass = (ms: number): void => {
    now += ms;
  };
  return { start: new ColdStart(() => now), pass };
}

describe('a start from zero', () => {
  it('is taken for a minute until one has been seen, then for about what the last few took', () => {
    const { start, pass } = clocked();
    expect(start.leftMs).toBe(60_000);
    const takes = (ms: number): void => {
      start.wanted(LIMIT);
      pass(ms);
      start.came();
    };
    takes(8_000);
    expect(start.leftMs).toBe(8_000);
    takes(16_000);
    expect(start.leftMs).toBe(10_000);
    for (let n = 0; n < 20; n++) takes(16_000);
    expect(start.leftMs).toBeCloseTo(16_000, -2);
  });

  it('counts from when it was first wanted, and always has something before it', () => {
    const { start, pass } = clocked();
    start.wanted(LIMIT);
    pass(45_000);
    start.wanted(LIMIT);
    expect(start.leftMs).toBe(15_000);
    pass(45_000);
    expect(start.leftMs).toBe(6_000);
    expect(start.underWay).toBe(true);
    start.came();
    expect(start.underWay).toBe(false);
    expect(start.leftMs).toBe(90_000);
  });

  it('that has not come within its limit has failed, and the next is expected to take longer', () => {
    const { start, pass } = clocked();
    start.wanted(100_000);
    pass(100_000);
    expect(start.underWay).toBe(false);
    pass(3_600_000);
    start.wanted(100_000);
    expect(start.underWay).toBe(true);
    expect(start.leftMs).toBe(100_000);
  });

  it('that nobody asked for teaches nothing', () => {
    const { start, pass } = clocked();
    pass(1_000);
    start.came();
    expect(start.expectedMs).toBe(60_000);
  });

  it('is remembered by the name of its expert', () => {
    const starts = new ColdStarts(() => 0);
    expect(starts.of('a')).toBe(starts.of('a'));
    expect(starts.of('a')).not.toBe(starts.of('b'));
  });
});

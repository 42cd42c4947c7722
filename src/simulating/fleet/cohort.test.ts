import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Cohort } from './cohort.ts';
import { Sketch } from './sketch.ts';

describe('the sketch', () => {
  it('gives every quantile within half a percent, however many samples and of whatever size', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 1e-3, max: 1e7, noNaN: true }), { minLength: 1, maxLength: 500 }),
        (values) => {
          const sketch = new Sketch();
          for (const value of values) sketch.add(value);
          const sorted = values.toSorted((a, b) => a - b);
          const p = sketch.percentiles();
          for (const [name, share] of [
            ['p50', 0.5],
            ['p95', 0.95],
            ['p99', 0.99],
          ] as const) {
            const exact = sorted[Math.ceil(share * sorted.length) - 1]!;
            expect(Math.abs(p[name] / exact - 1)).toBeLessThan(0.0051);
          }
          expect(p.at_least).toEqual([]);
        },
      ),
    );
  });

  it('never claims to know a quantile that those cut off could move', () => {
    const sketch = new Sketch();
    for (let i = 1; i <= 90; i++) sketch.add(i);
    for (let i = 0; i < 10; i++) sketch.addAtLeast(50);
    const p = sketch.percentiles();
    expect(p.at_least).toEqual(['p95', 'p99', 'mean']);
    expect(Math.abs(p.p50 - 50)).toBeLessThan(1);
    // Ten samples of at least 50 may be of any size; what is certain is that a twentieth is no less than this.
    expect(p.p95).toBeLessThan(91);
    expect(p.p95).toBeGreaterThan(80);
  });

  it('has no value without a sample, rather than zero', () => {
    expect(new Sketch().percentiles().p50).toBeNaN();
  });
});

describe('the cohort', () => {
  it('agrees with Little, and says when it was not steady', () => {
    const steady = new Cohort(0, 100);
    for (let t = 0; t < 100; t++) {
      steady.asked(t);
      const journey = { asked: t, firstToken: t + 0.25 };
      steady.firstToken(journey);
      steady.answered(journey, 11, t + 0.5, t + 0.5);
    }
    const { little, ttft_ms, tpot_ms } = steady.close([], 100);
    expect(little.present).toBeCloseTo(0.5);
    expect(little.rate_times_time).toBeCloseTo(0.5);
    expect(little.steady).toBe(true);
    expect(Math.abs(ttft_ms.p99 / 250 - 1)).toBeLessThan(0.006);
    expect(Math.abs(tpot_ms.p50 / 25 - 1)).toBeLessThan(0.006);

    const growing = new Cohort(0, 10);
    for (let t = 0; t < 10; t++) growing.asked(t);
    const open = Array.from({ length: 10 }, (_, t) => ({ asked: t, firstToken: 0, generated: 0 }));
    const hidden = growing.close(open, 20);
    expect(hidden.little.steady).toBe(false);
    expect(hidden.ttft_ms.at_least).toEqual(['p50', 'p95', 'p99', 'mean']);
    expect(hidden.ttft_ms.p50).toBeGreaterThan(10_000);
  });

  it('notices a request that was lost', () => {
    const cohort = new Cohort(0, 10);
    cohort.asked(1);
    cohort.asked(2);
    expect(() => cohort.close([{ asked: 1, firstToken: 0, generated: 0 }], 10)).toThrow(/differ/);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ReportedLoad } from '../experts/expert.ts';
import { NO_REPORT, readReport, stateOf } from './load-report.ts';
import {
  hasFullCache,
  type Observation,
  othersNow,
  shareAfter,
  slotsNow,
  weightOf,
} from './observed-load.ts';

const EVERY = 1000;
const seen = (load: Partial<ReportedLoad>, own = 0): Observation => ({
  load: { running: null, waiting: null, kvCacheUse: null, ...load },
  own,
  at: 0,
  every: EVERY,
});

describe('othersNow', () => {
  it('is what the engine has beyond our own when it was read', () => {
    expect(othersNow(seen({ running: 7, waiting: 2 }, 4), 4, 1, 0)).toBe(5);
    expect(othersNow(seen({ running: 3 }, 4), 4, 1, 0)).toBe(0);
    expect(othersNow(seen({ waiting: 3 }, 1), 1, 1, 0)).toBe(2);
    expect(othersNow(seen({ kvCacheUse: 0.5 }), 0, 1, 0)).toBe(0);
  });

  it('does not change with our own requests when there are no others', () => {
    expect([0, 3, 40].map((own) => othersNow(seen({ running: 3 }, 3), own, 1, 0))).toEqual([0, 0, 0]);
  });

  it('grows and shrinks with ours by our share: what we did since, others did too', () => {
    const half = seen({ running: 8 }, 4);
    expect(othersNow(half, 7, 0.5, 0)).toBe(7);
    expect(othersNow(half, 2, 0.5, 0)).toBe(2);
    expect(othersNow(half, 0, 0.25, 0)).toBe(0);
  });

  it('counts less and less once readings stop, then nothing', () => {
    const old = (intervals: number) => othersNow(seen({ running: 8 }), 0, 1, intervals * EVERY);
    expect([0, 3, 6, 9, 15, 1e6].map(old)).toEqual([8, 8, 4, 2, 0, 0]);
  });

  it('is never below 0 nor without bound, whatever the numbers', () => {
    const count = fc.oneof(fc.constant(null), fc.nat(1000));
    const load = fc.record({ running: count, waiting: count, kvCacheUse: fc.constant(null) });
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(load, fc.nat(1000), fc.nat(1000), share, fc.nat(20_000), (told, then, now, part, time) => {
        const others = othersNow({ load: told, own: then, at: 0, every: EVERY }, now, part, time);
        expect(others).toBeGreaterThanOrEqual(0);
        expect(others).toBeLessThanOrEqual(2000 + 15 * Math.max(0, now - then));
        if (time >= 15 * EVERY) expect(others).toBe(0);
      }),
    );
  });
});

describe('slotsNow', () => {
  it('is our limit, until the engine has requests waiting or its cache is full', () => {
    expect(slotsNow(seen({ running: 200, waiting: 0 }), 256, 0)).toBe(256);
    expect(slotsNow(seen({ running: 40, waiting: 3 }), 256, 0)).toBe(40);
    expect(slotsNow(seen({ running: 40, waiting: 0, kvCacheUse: 0.97 }), 256, 0)).toBe(40);
    expect(slotsNow(seen({ waiting: 5 }, 20), 256, 0)).toBe(15);
    expect(slotsNow(seen({ running: 0, waiting: 9 }), 256, 0)).toBe(1);
    expect(slotsNow(seen({ running: 300, waiting: 9 }), 256, 0)).toBe(256);
  });

  it('forgets that once the reading is no longer fresh', () => {
    const full = seen({ running: 40, waiting: 3, kvCacheUse: 1 });
    expect(hasFullCache(full, 3 * EVERY)).toBe(true);
    expect(hasFullCache(full, 4 * EVERY)).toBe(false);
    expect(slotsNow(full, 256, 4 * EVERY)).toBe(256);
  });
});

describe('shareAfter', () => {
  it('follows what is ours of all that engines hold, and stays where they hold nothing', () => {
    let share = 1;
    for (let i = 0; i < 100; i++)
      share = shareAfter(share, [seen({ running: 8 }, 2), seen({ running: 4 }, 1)]);
    expect(share).toBeCloseTo(0.25, 3);
    expect(shareAfter(share, [seen({ running: 0 })])).toBe(share);
    expect(shareAfter(1, [seen({ running: 1 }, 5)])).toBe(1);
  });
});

describe('readReport', () => {
  const options = { every: EVERY, now: () => 7, signal: new AbortController().signal };
  const asked = (reportedLoad?: () => Promise<ReportedLoad | null>) => ({
    expert: {
      id: 'e',
      kind: 'test',
      speaks: [],
      generate: () => ({ resume: () => {}, cancel: () => {} }),
      health: async () => ({ state: 'ready' as const }),
      close: async () => {},
      ...(reportedLoad ? { reportedLoad } : {}),
    },
    inFlight: 2,
  });
  const load = { running: 3, waiting: 0, kvCacheUse: 0.1 };

  it('keeps what was read with what was ours, at most, while it was read', async () => {
    const replica = asked(async () => {
      replica.inFlight = 5;
      return load;
    });
    const report = await readReport(replica, NO_REPORT, options);
    expect(report).toEqual({ seen: { load, own: 5, at: 7, every: EVERY }, problem: null });
  });

  it('has a state for every course: none, fresh, aging, lost, and fresh again', async () => {
    expect(stateOf(await readReport(asked(), NO_REPORT, options), 7)).toBe('none');
    expect(
      stateOf(
        await readReport(
          asked(async () => null),
          NO_REPORT,
          options,
        ),
        7,
      ),
    ).toBe('none');
    const fresh = await readReport(
      asked(async () => load),
      NO_REPORT,
      options,
    );
    expect(stateOf(fresh, 7)).toBe('fresh');
    const broken = asked(async () => {
      throw new Error('another version may have renamed them');
    });
    const failed = await readReport(broken, fresh, options);
    expect(failed).toMatchObject({ problem: expect.stringMatching(/renamed/), seen: fresh.seen });
    expect(stateOf(failed, 7)).toBe('aging');
    expect(stateOf(failed, 7 + 15 * EVERY)).toBe('lost');
    expect(weightOf(failed.seen!, 7 + 15 * EVERY)).toBe(0);
    expect(stateOf(await readReport(broken, NO_REPORT, options), 7)).toBe('lost');
  });
});

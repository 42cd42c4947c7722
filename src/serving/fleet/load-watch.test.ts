import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ReportedLoad } from '../experts/expert.ts';
import { ExpertGroup } from './group.ts';
import { LoadWatch } from './load-watch.ts';
import { Replica } from './replica.ts';

const LOAD: ReportedLoad = { running: 1, waiting: 0, kvCacheUse: null };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A watched replica whose engine answers as given; `asked` counts the questions. */
function watched(answer: () => Promise<ReportedLoad | null>, processes = 1) {
  const seen = { asked: 0, described: 0 };
  const replica = new Replica(
    'r',
    {
      id: 'e',
      kind: 'test',
      speaks: [],
      generate: () => ({ resume: () => {}, cancel: () => {} }),
      health: async () => ({ state: 'ready' }),
      close: async () => {},
      reportedLoad: () => {
        seen.asked += 1;
        return answer();
      },
      describe: async () => {
        seen.described += 1;
        return { engine: 'vLLM', version: null, dialect: null, models: [], metrics: null };
      },
    },
    { weight: 1, limit: 8, now: Date.now },
  );
  const watch = new LoadWatch({ now: Date.now, processes, random: () => 0.5 });
  watch.watch(new ExpertGroup('e', [replica], { queueSize: 1, queueTimeout: 1 }), replica);
  return { replica, watch, seen };
}

describe('LoadWatch', () => {
  it('asks about once a second, and what the engine is only once', async () => {
    const { replica, seen } = watched(async () => LOAD);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(seen.asked).toBeGreaterThanOrEqual(15);
    expect(seen.asked).toBeLessThanOrEqual(20);
    expect(seen.described).toBe(1);
    expect(replica.reportState).toBe('fresh');
    expect(replica.engine).toMatchObject({ engine: 'vLLM' });
  });

  it('puts one question at a time', async () => {
    let answer = (_load: ReportedLoad): void => {};
    const { seen } = watched(
      () =>
        new Promise((resolve) => {
          answer = resolve;
        }),
    );
    await vi.advanceTimersByTimeAsync(30_000);
    expect(seen.asked).toBe(1);
    answer(LOAD);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(seen.asked).toBe(2);
  });

  it('backs off from an engine that reports nothing or cannot be read, and never gives up', async () => {
    for (const answer of [async () => null, () => Promise.reject(new Error('gone'))]) {
      const { seen } = watched(answer);
      await vi.advanceTimersByTimeAsync(60_000);
      const early = seen.asked;
      expect(early).toBeLessThanOrEqual(7);
      await vi.advanceTimersByTimeAsync(600_000);
      expect(seen.asked - early).toBeGreaterThanOrEqual(14);
      expect(seen.asked - early).toBeLessThanOrEqual(20);
    }
  });

  it('does not ask one that is down, and asks soon once it is back', async () => {
    const { replica, seen } = watched(async () => LOAD);
    await vi.advanceTimersByTimeAsync(5_000);
    replica.found({
      state: 'down',
      failure: { kind: 'unreachable', code: 'ECONNREFUSED', detail: 'ECONNREFUSED' },
    });
    const before = seen.asked;
    await vi.advanceTimersByTimeAsync(100_000);
    expect(seen.asked).toBe(before);
    expect(replica.reportState).toBe('lost');
    expect(replica.engine).toBeNull();
    replica.found({ state: 'ready' });
    await vi.advanceTimersByTimeAsync(2_500);
    expect(replica.reportState).toBe('fresh');
  });

  it('has many processes ask an engine no more than a few', async () => {
    const { replica, seen } = watched(async () => LOAD, 16);
    await vi.advanceTimersByTimeAsync(100_000);
    expect(seen.asked).toBeLessThanOrEqual(25);
    expect(replica.reportState).toBe('fresh');
  });

  it('asks nothing any more once it is closed', async () => {
    const { watch, seen } = watched(async () => LOAD);
    await vi.advanceTimersByTimeAsync(5_000);
    watch.close();
    const before = seen.asked;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(seen.asked).toBe(before);
    expect(vi.getTimerCount()).toBe(0);
  });
});

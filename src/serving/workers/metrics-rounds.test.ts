import { Gauge, Registry } from 'prom-client';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Telemetry } from '../telemetry/metrics.ts';
import { MetricsRounds } from './metrics-rounds.ts';

afterEach(() => {
  vi.useRealTimers();
});

/** What a worker tells that has served so many requests. */
async function served(count: number): Promise<object[]> {
  const telemetry = new Telemetry({ processMetrics: false, now: () => 0 });
  for (let i = 0; i < count; i++)
    telemetry
      .begin({ expert: 'e', cluster: 0, reason: 'named', dialect: 'openai-chat' })
      .end('ok', 'unknown');
  return telemetry.registry.getMetricsAsJSON();
}

const TOTAL = /^expert_router_requests_total\{.*\} (\d+)$/m;

describe('the metrics page of all workers', () => {
  it('adds up what all workers tell', async () => {
    const rounds = new MetricsRounds();
    const asked: number[] = [];
    const page = rounds.collect([1, 2], (worker) => asked.push(worker));
    rounds.told(1, 0, await served(2));
    rounds.told(1, 0, await served(2)); // said twice, counted once
    rounds.told(2, 0, await served(3));
    expect(asked).toEqual([1, 2]);
    expect(TOTAL.exec((await page)!)?.[1]).toBe('5');
  });

  it('has no page where one does not answer, rather than a part of it', async () => {
    vi.useFakeTimers();
    const rounds = new MetricsRounds();
    const page = rounds.collect([1, 2], () => {});
    rounds.told(1, 0, []);
    vi.advanceTimersByTime(60_000);
    expect(await page).toBeNull();
    rounds.told(2, 0, []); // too late, and harmless
  });

  it('does not wait for one that has ended, or for nobody', async () => {
    const rounds = new MetricsRounds();
    const page = rounds.collect([1, 2], () => {});
    rounds.told(1, 0, await served(1));
    rounds.gone(2);
    expect(TOTAL.exec((await page)!)?.[1]).toBe('1');
    expect(await new MetricsRounds().collect([], () => {})).toBe(await new Registry().metrics());
  });

  it('never falls when a worker ends, also while the page is made', async () => {
    const rounds = new MetricsRounds();
    const total = async (page: Promise<string | null>) => Number(TOTAL.exec((await page)!)?.[1]);
    const first = rounds.collect([1, 2], () => {});
    rounds.told(1, 0, await served(2));
    rounds.told(2, 0, await served(3));
    expect(await total(first)).toBe(5);
    const second = rounds.collect([1, 2], () => {});
    rounds.told(2, 1, await served(4));
    rounds.gone(2);
    rounds.told(1, 1, await served(2));
    expect(await total(second)).toBe(6);
    rounds.told(2, 1, await served(9)); // heard of after its end
    const third = rounds.collect([1, 3], () => {});
    rounds.told(1, 2, await served(2));
    rounds.told(3, 2, await served(1));
    expect(await total(third)).toBe(7);
    rounds.gone(1);
    rounds.gone(3);
    expect(await total(rounds.collect([], () => {}))).toBe(7);
  });

  it('keeps no gauge of a worker that has ended', async () => {
    const rounds = new MetricsRounds();
    const registry = new Registry();
    new Gauge({ name: 'now', help: 'now', registers: [registry] }).set(7);
    const first = rounds.collect([1], () => {});
    rounds.told(1, 0, await registry.getMetricsAsJSON());
    expect(await first).toContain('now 7');
    rounds.gone(1);
    expect(await rounds.collect([], () => {})).not.toContain('now');
  });
});

import { Registry } from 'prom-client';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Telemetry } from '../telemetry/metrics.ts';
import { metricsRounds } from './rounds.ts';

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

describe('rounds', () => {
  it('adds up what all workers tell', async () => {
    const rounds = metricsRounds();
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
    const rounds = metricsRounds();
    const page = rounds.collect([1, 2], () => {});
    rounds.told(1, 0, []);
    vi.advanceTimersByTime(60_000);
    expect(await page).toBeNull();
    rounds.told(2, 0, []); // too late, and harmless
  });

  it('does not wait for one that has ended, or for nobody', async () => {
    const rounds = metricsRounds();
    const page = rounds.collect([1, 2], () => {});
    rounds.told(1, 0, await served(1));
    rounds.gone(2);
    expect(TOTAL.exec((await page)!)?.[1]).toBe('1');
    expect(await rounds.collect([], () => {})).toBe(await new Registry().metrics());
  });
});

import { setTimeout as sleep } from 'node:timers/promises';
import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { watchProcess } from './process-metrics.ts';

it('tells no delay that was not measured: the first page has neither NaN nor centuries', async () => {
  const registry = new Registry();
  watchProcess(registry);
  const first = await registry.metrics();
  expect(first).not.toMatch(/nan/i);
  expect(first).not.toMatch(/lag_\w+ \d{6}/);
  expect(first).toMatch(/^process_cpu_seconds_total /m);
  await sleep(100);
  expect(await registry.metrics()).toMatch(/^nodejs_eventloop_lag_mean_seconds 0\.\d+$/m);
});

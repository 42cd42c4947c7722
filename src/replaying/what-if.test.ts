import { expect, it } from 'vitest';
import { nearest } from '../deciding/routing/policies/nearest.ts';
import { bindPolicy } from '../deciding/routing/policy.ts';
import type { RecordedLoad } from './recorded.ts';
import { simulated } from './what-if.ts';

const REQUESTS = 60;
const PERCENTILES = { mean: 0, p50: 0, p95: 0, p99: 0, at_least: [] };

/** Everything at once, to one expert. */
const load = {
  experts: ['code'],
  times: Array.from({ length: REQUESTS }, (_, at) => at / 1_000),
  replay: Array.from({ length: REQUESTS }, () => ({ promptTokens: 20, outputTokens: 40, prompt: 0 })),
  prompts: {
    owners: [0],
    fallback: null,
    turns: [[{ cluster: 0, distances: Float32Array.of(0.5), outside: false }]],
  },
  really: { ttft_ms: PERCENTILES, tpot_ms: PERCENTILES, e2e_ms: PERCENTILES },
  notices: [],
} as unknown as RecordedLoad;

const fleet = (slots: Readonly<Record<string, number>>) => ({
  experts: { code: { model: 'llama-3.1-8b', gpu: 'h100', tensor_parallel: 1 as const, replicas: 1 } },
  engines: {},
  measured: { code: { firstToken: 0.15, perPromptToken: 0, perStep: 0.025, perSequence: 0 } },
  slots,
  policy: bindPolicy(nearest),
  prices: {},
});

it('lets requests wait for the places that an expert has', () => {
  const free = simulated(load, fleet({}) as never).ttft_ms;
  const few = simulated(load, fleet({ code: 4 }) as never).ttft_ms;
  expect(free.p95!).toBeLessThan(1_000);
  // Each of fifteen rounds takes more than a second; the run ends before the last.
  expect(few.at_least).toContain('p95');
  expect(few.p50!).toBeGreaterThan(1_000);
});

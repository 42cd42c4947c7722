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

it('keeps a slot until the answer has come, the time before its first token included', () => {
  // 150 ms to the first token and 39 further ones of 25 ms: 1.125 s, of which the engine itself takes 1.
  const two = { ...load, times: [0, 0.01], replay: load.replay.slice(0, 2) } as RecordedLoad;
  const { ttft_ms: ttft } = simulated(two, fleet({ code: 1 }) as never);
  expect(ttft.p50!).toBeCloseTo(150, -1);
  expect(ttft.p99!).toBeCloseTo(1_125 + 150 - 10, -1);
});

it('gives nothing to an expert that is out', () => {
  const prompts = {
    owners: [0, 1],
    fallback: null,
    turns: load.times.map(() => [{ cluster: 0, distances: Float32Array.of(0.5, 0.6), outside: false }]),
    // Of sixty, the middle twenty come while it is out.
    unavailable: load.times.map((_, at) => (at >= 20 && at < 40 ? [0] : [])),
  };
  const outage = {
    ...load,
    experts: ['code', 'rest'],
    prompts,
    replay: load.replay.map((one, prompt) => ({ ...one, prompt })),
  } as RecordedLoad;
  const { experts, measured, ...others } = fleet({});
  const both = {
    ...others,
    experts: { ...experts, rest: experts.code },
    measured: { ...measured, rest: measured.code },
  };
  const { experts: answered, at_home: atHome } = simulated(outage, both as never);
  expect(answered).toEqual({ code: 40, rest: 20 });
  expect(atHome).toBeCloseTo(40 / 60);
});

it('lets requests wait for the slots that an expert has', () => {
  const free = simulated(load, fleet({}) as never).ttft_ms;
  const few = simulated(load, fleet({ code: 4 }) as never).ttft_ms;
  expect(free.p95!).toBeLessThan(1_000);
  // Each of fifteen rounds takes more than a second; the run ends before the last.
  expect(few.at_least).toContain('p95');
  expect(few.p50!).toBeGreaterThan(1_000);
});

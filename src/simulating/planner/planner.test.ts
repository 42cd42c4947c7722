import { describe, expect, it } from 'vitest';
import { nearest } from '../../deciding/routing/policies/nearest.ts';
import { bindPolicy } from '../../deciding/routing/policy.ts';
import { recipe } from '../../deploying/recipe.ts';
import { deployment } from '../deployment.ts';
import { simulateFleet } from '../fleet/event-loop.ts';
import { ringPrompts } from '../fleet/prompts.ts';
import { findGpu } from '../hardware/gpu.ts';
import { PRECISIONS } from '../hardware/precision.ts';
import { DEFAULT_LIMITS } from '../memory.ts';
import { findModel } from '../model/catalog.ts';
import { steadyState } from '../steady-state.ts';
import { planFigures, usdPerMillion } from './figures.ts';
import { type Demand, searchPlacements } from './placements.ts';

const lengths = { promptTokens: 1000, outputTokens: 200 };
const at = (model: string, tensorParallel = 1, gpu = 'h100') =>
  deployment({ model, gpu, precision: 'fp8', tensorParallel });

describe('the steady state by arithmetic', () => {
  it.each([
    ['llama-3.1-8b', 1, 20],
    ['llama-3.1-8b', 1, 150],
    ['llama-3.1-70b', 4, 100],
  ])('%s over %i GPUs agrees with the simulation at %i users', (model, tp, users) => {
    const d = at(model, tp);
    const run = simulateFleet({
      experts: [
        {
          id: 'e',
          deployment: d,
          replicas: 1,
          limits: DEFAULT_LIMITS,
          admission: 'guaranteed-no-evict',
          chunkedPrefill: true,
        },
      ],
      shares: [1],
      prompts: ringPrompts(1, 1),
      arrivals: { kind: 'closed', users, thinkSeconds: 0 },
      lengths: {
        kind: 'independent',
        prompt: { kind: 'lognormal', median: 1000, p95: 1100, max: 2000 },
        output: { kind: 'lognormal', median: 200, p95: 230, max: 400 },
      },
      policy: bindPolicy(nearest),
      seconds: 200,
      warmupSeconds: 60,
      seed: 1,
    });
    const state = steadyState(d, DEFAULT_LIMITS, lengths, users);
    expect(Math.abs((1000 * state.tpotSeconds) / run.tpot_ms.mean - 1)).toBeLessThan(0.08);
    expect(Math.abs(state.tokensPerSecond / run.tokens_per_second - 1)).toBeLessThan(0.08);
    expect(Math.abs((1000 * state.ttftSeconds) / run.ttft_ms.mean - 1)).toBeLessThan(0.35);
  });
});

describe('plan figures', () => {
  it('add up: weights, reserve and cache never exceed the memory', () => {
    const f = planFigures(at('llama-2-13b'), DEFAULT_LIMITS, lengths);
    expect(f.weights_gb + f.reserve_gb + f.kv_cache_gb).toBeLessThanOrEqual(f.gpu_memory_gb);
    expect(f.max_tokens_in_kv * f.kv_bytes_per_token).toBeLessThanOrEqual(f.kv_cache_gb * 1e9 * 1.001);
    expect(f.max_concurrent * 1200).toBeLessThanOrEqual(f.max_tokens_in_kv);
  });

  it('give more users more throughput and longer waits', () => {
    const { load } = planFigures(at('llama-3.1-8b'), DEFAULT_LIMITS, lengths);
    for (let i = 1; i < load.length; i++) {
      expect(load[i]!.tokens_per_second).toBeGreaterThanOrEqual(load[i - 1]!.tokens_per_second);
      expect(load[i]!.ttft_ms).toBeGreaterThanOrEqual(load[i - 1]!.ttft_ms);
    }
  });

  it('price a million tokens: 3.6 dollars an hour at 1,000 tokens a second is one dollar', () => {
    expect(usdPerMillion(3.6, 1000)).toBe(1);
  });
});

describe('the search', () => {
  const demand: Demand = {
    users: 600,
    lengths,
    level: { ttftSeconds: 1, tpotSeconds: 0.05 },
    limits: DEFAULT_LIMITS,
    usdPerGpuHour: 2,
  };
  const space = {
    models: [findModel('llama-3.1-8b'), findModel('llama-3.1-70b')],
    gpus: [findGpu('h100')],
    precisions: [PRECISIONS.fp8, PRECISIONS.fp16],
    engine: 'tensorrt-llm' as const,
    experts: 1,
    maxGpus: 8,
  };

  it('ranks what meets the level first, cheapest first, and keeps within the GPUs there are', () => {
    const found = searchPlacements(space, demand);
    expect(found[0]!.meets).toBe(true);
    const meets = found.map((p) => Number(p.meets));
    expect(meets).toEqual(meets.toSorted((a, b) => b - a));
    const cheapest = found.filter((p) => p.meets).map((p) => p.gpus);
    expect(cheapest).toEqual(cheapest.toSorted((a, b) => a - b));
    for (const p of found) expect(p.gpus).toBeLessThanOrEqual(8);
  });

  it('takes no more copies than the level needs', () => {
    const [best] = searchPlacements(space, demand);
    if (best!.copies > 1)
      expect(searchPlacements({ ...space, maxGpus: best!.gpus - 1 }, demand)[0]!.gpus).not.toBe(best!.gpus);
  });

  it('keeps copies a multiple of the experts asked for', () => {
    for (const p of searchPlacements({ ...space, experts: 4 }, demand)) expect(p.copies % 4).toBe(0);
  });

  it('leaves out what fits nowhere', () => {
    expect(searchPlacements({ ...space, models: [findModel('llama-3.1-405b')], maxGpus: 1 }, demand)).toEqual(
      [],
    );
  });
});

describe('recipes', () => {
  it('number ports and GPUs without overlap', () => {
    const { config, commands } = recipe(at('llama-3.1-8b', 2), DEFAULT_LIMITS, 4, 'owner/model', 100);
    expect(config.match(/- id: /g)).toHaveLength(4);
    expect(commands.map((c) => /DEVICES=(\S+)/.exec(c)![1])).toEqual(['0,1', '2,3', '4,5', '6,7']);
    expect(new Set(commands.map((c) => /--port (\d+)/.exec(c)![1])).size).toBe(4);
    expect(commands[0]).toContain('--max_batch_size 100');
  });
});

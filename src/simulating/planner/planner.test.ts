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
import { type Demand, parseLevels, shortfall } from './demand.ts';
import { planFigures, usdPerMillion } from './figures.ts';
import { type SearchSpace, search } from './placements.ts';
import { pricesFrom } from './prices.ts';

const lengths = { promptTokens: 1000, outputTokens: 200 };
const at = (model: string, tensorParallel = 1, gpu = 'h100') =>
  deployment({ model, gpu, precision: 'fp8', tensorParallel });

describe('the steady state by arithmetic', () => {
  it.each([
    ['llama-3.1-8b', 1, 20, 1000, 200],
    ['llama-3.1-8b', 1, 150, 1000, 200],
    ['llama-3.1-70b', 4, 100, 1000, 200],
    // Many prompts a step, whose experts' weights are read once for all of them.
    ['qwen3-30b-a3b', 1, 1024, 100, 30],
    ['qwen3-30b-a3b', 1, 4096, 100, 30],
    // Steps full of prompts, so that prompts wait for steps and not for places.
    ['llama-3.1-8b', 1, 330, 1500, 10],
  ])('%s over %i GPUs agrees with the simulation at %i users, %i/%i', (model, tp, users, prompt, output) => {
    const d = at(model, tp);
    const around = (tokens: number) =>
      ({ kind: 'lognormal', median: tokens, p95: 1.2 * tokens, max: 2 * tokens }) as const;
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
      lengths: { kind: 'independent', prompt: around(prompt), output: around(output) },
      policy: bindPolicy(nearest),
      seconds: 40,
      warmupSeconds: 30,
      seed: 1,
    });
    const state = steadyState(d, DEFAULT_LIMITS, { promptTokens: prompt, outputTokens: output }, users);
    expect(Math.abs((1000 * state.tpotSeconds) / run.tpot_ms.mean - 1)).toBeLessThan(0.05);
    expect(Math.abs(state.tokensPerSecond / run.tokens_per_second - 1)).toBeLessThan(0.03);
    expect(Math.abs((1000 * state.ttftSeconds) / run.ttft_ms.mean - 1)).toBeLessThan(0.25);
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

const demand: Demand = {
  load: { users: 600, thinkSeconds: 0 },
  mean: lengths,
  lengths: {
    kind: 'independent',
    prompt: { kind: 'lognormal', median: 970, p95: 1450, max: 2900 },
    output: { kind: 'lognormal', median: 194, p95: 290, max: 580 },
  },
  levels: parseLevels('ttft=1s,tpot=50ms'),
  limits: DEFAULT_LIMITS,
  prices: pricesFrom('h100=2,h200=3'),
};
const space: SearchSpace = {
  models: [findModel('llama-3.1-8b'), findModel('llama-3.1-70b')],
  gpus: [findGpu('h100')],
  precisions: [PRECISIONS.fp8, PRECISIONS.fp16],
  engine: 'tensorrt-llm',
  experts: 1,
  maxGpus: 8,
};

describe('the search', () => {
  it('proposes what a simulation confirms, cheapest first, and says how far the edge is', () => {
    const { proposed, rejected } = search(space, demand);
    expect(proposed.length).toBeGreaterThan(0);
    const costs = proposed.map((p) => p.usd_per_hour!);
    expect(costs).toEqual(costs.toSorted((a, b) => a - b));
    for (const p of proposed) {
      expect(p.gpus).toBeLessThanOrEqual(8);
      expect(shortfall(p.simulated, demand.levels)).toBeNull();
      expect('users' in p.headroom.holds && p.headroom.holds.users).toBeGreaterThanOrEqual(600);
    }
    for (const { reason } of rejected) expect(reason).not.toBe('');
  });

  it('keeps copies a multiple of the experts asked for, and leaves out what fits nowhere', () => {
    const { proposed, rejected } = search({ ...space, experts: 4 }, demand);
    for (const p of [...proposed, ...rejected]) expect(p.copies % 4).toBe(0);
    const large = { ...space, models: [findModel('llama-3.1-405b')], maxGpus: 1 };
    expect(search(large, demand)).toEqual({ proposed: [], rejected: [], unexamined: [] });
  });

  it('does not propose at a percentile what it proposes at the mean', () => {
    const means = { ...demand, levels: parseLevels('ttft=400ms') };
    const tails = { ...demand, levels: parseLevels('ttft.p99=400ms') };
    const cheapest = (d: Demand): number =>
      search({ ...space, models: [space.models[0]!] }, d).proposed[0]?.gpus ?? 9;
    expect(cheapest(tails)).toBeGreaterThanOrEqual(cheapest(means));
  });

  it('says how many requests a second come out of what cannot answer all that come', () => {
    const { rejected } = search({ ...space, maxGpus: 1 }, { ...demand, load: { perSecond: 1000 } });
    expect(rejected.length).toBeGreaterThan(0);
    for (const { reason } of rejected) {
      const most = Number(/^answers ([\d.]+) requests\/s at most$/.exec(reason)![1]);
      expect(most).toBeGreaterThan(0);
      expect(most).toBeLessThan(1000);
    }
  });

  it('needs less for users who think, and takes a rate as the users who would make it', () => {
    const cheapest = (load: Demand['load']): number =>
      search({ ...space, maxGpus: 64, models: [findModel('llama-3.1-70b')] }, { ...demand, load })
        .proposed[0]!.gpus;
    const busy = cheapest({ users: 300, thinkSeconds: 0 });
    const thinking = cheapest({ users: 300, thinkSeconds: 60 });
    expect(thinking).toBeLessThan(busy);
    // 300 users who think a minute and wait for some seconds ask about 4.5 times a second.
    expect(Math.abs(cheapest({ perSecond: 4.5 }) - thinking)).toBeLessThanOrEqual(2);
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

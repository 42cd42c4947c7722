import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../core/errors.ts';
import { leastLoaded } from '../../deciding/routing/policies/least-loaded.ts';
import { nearest } from '../../deciding/routing/policies/nearest.ts';
import { bindPolicy } from '../../deciding/routing/policy.ts';
import { deployment } from '../deployment.ts';
import { DEFAULT_LIMITS } from '../memory.ts';
import { zipfShares } from '../workload/clusters.ts';
import { simulateFleet } from './event-loop.ts';
import { ringPrompts } from './prompts.ts';
import type { FleetScenario } from './scenario.ts';

function scenario(change: Partial<FleetScenario> = {}, experts = 4): FleetScenario {
  const d = deployment({ model: 'llama-3.1-8b', gpu: 'h100', precision: 'fp8' });
  return {
    experts: Array.from({ length: experts }, (_, i) => ({
      id: `expert-${i}`,
      deployment: d,
      replicas: 1,
      limits: DEFAULT_LIMITS,
      admission: 'guaranteed-no-evict' as const,
      chunkedPrefill: true,
    })),
    shares: zipfShares(experts, 0),
    prompts: ringPrompts(experts, experts),
    arrivals: { kind: 'closed', users: 40, thinkSeconds: 0 },
    lengths: {
      kind: 'independent',
      prompt: { kind: 'lognormal', median: 300, p95: 900, max: 2000 },
      output: { kind: 'lognormal', median: 100, p95: 300, max: 500 },
    },
    policy: bindPolicy(nearest),
    seconds: 20,
    warmupSeconds: 5,
    seed: 1,
    ...change,
  };
}

describe('the fleet simulation', () => {
  it('repeats exactly for a seed, and differs for another', () => {
    expect(simulateFleet(scenario())).toEqual(simulateFleet(scenario()));
    expect(simulateFleet(scenario({ seed: 2 })).ttft_ms).not.toEqual(simulateFleet(scenario()).ttft_ms);
  });

  it('obeys Little: users = throughput x (answer time + think time)', () => {
    fc.assert(
      fc.property(fc.integer({ min: 5, max: 200 }), fc.integer({ min: 0, max: 4 }), (users, thinkSeconds) => {
        const run = simulateFleet(
          scenario({ arrivals: { kind: 'closed', users, thinkSeconds }, seconds: 120 }),
        );
        const perSecond = run.experts.reduce((sum, e) => sum + e.requests, 0) / run.seconds;
        const present = perSecond * (run.e2e_ms.mean / 1000 + thinkSeconds);
        expect(Math.abs(present / users - 1)).toBeLessThan(0.15);
      }),
      { numRuns: 8 },
    );
  });

  it('serves an open loop at the rate it is offered when it can', () => {
    const run = simulateFleet(scenario({ arrivals: { kind: 'poisson', perSecond: 30 }, seconds: 60 }));
    expect(run.requests / 60).toBeGreaterThan(26);
    expect(run.requests / 60).toBeLessThan(34);
    expect(run.unfinished).toBeLessThan(0.1);
  });

  it('ends, and says so, when more is offered than can be served', () => {
    const run = simulateFleet(scenario({ arrivals: { kind: 'poisson', perSecond: 2000 }, seconds: 10 }, 1));
    expect(run.unfinished).toBeGreaterThan(0.5);
    expect(run.ttft_ms.at_least).toContain('p50');
    expect(run.ttft_ms.p50).toBeGreaterThan(1000);
    expect(run.little.steady).toBe(false);
  });

  it('reports times that obey Little wherever it is not saturated', () => {
    for (const users of [5, 40, 300]) {
      const { little, unfinished, ttft_ms } = simulateFleet(
        scenario({ arrivals: { kind: 'closed', users, thinkSeconds: 2 }, seconds: 120, warmupSeconds: 20 }),
      );
      expect(unfinished).toBe(0);
      expect(ttft_ms.at_least).toEqual([]);
      expect(little.steady).toBe(true);
      expect(little.present).toBeLessThan(users);
    }
  });

  it('lets a skewed cluster overload its own expert under nearest, and not under a policy that sees load', () => {
    const skewed = {
      shares: zipfShares(4, 1.5),
      arrivals: { kind: 'closed' as const, users: 800, thinkSeconds: 0 },
    };
    const home = simulateFleet(scenario(skewed));
    const balanced = simulateFleet(scenario({ ...skewed, policy: bindPolicy(leastLoaded) }));
    expect(home.at_home).toBe(1);
    expect(balanced.at_home).toBeLessThan(0.8);
    expect(balanced.tokens_per_second).toBeGreaterThan(1.3 * home.tokens_per_second);
  });

  it('gives more tokens a second from two replicas than from one', () => {
    const one = scenario({ arrivals: { kind: 'closed', users: 1500, thinkSeconds: 0 } }, 1);
    const two = { ...one, experts: one.experts.map((e) => ({ ...e, replicas: 2 })) };
    expect(simulateFleet(two).tokens_per_second).toBeGreaterThan(1.5 * simulateFleet(one).tokens_per_second);
  });

  it('refuses and counts replayed requests that could never run, and finishes the others', () => {
    const replay = [
      { promptTokens: 100, outputTokens: 10 },
      { promptTokens: 50_000_000, outputTokens: 10 },
      { promptTokens: 100, outputTokens: 10 },
    ];
    const run = simulateFleet(
      scenario({ replay, arrivals: { kind: 'trace', times: [0.1, 0.2, 0.3] }, warmupSeconds: 0 }),
    );
    expect([run.requests, run.errors]).toEqual([2, 1]);
  });
});

describe('scenarios that cannot be', () => {
  const over = {
    kind: 'independent',
    prompt: { kind: 'fixed', tokens: 1 },
    output: { kind: 'fixed', tokens: 1 },
  } as const;
  const long = {
    kind: 'independent',
    prompt: { kind: 'lognormal', median: 1000, p95: 9000, max: 200_000 },
    output: { kind: 'lognormal', median: 20, p95: 50, max: 72 },
  } as const;
  it.each([
    [{ seconds: 0 }, /seconds: must be above 0/],
    [{ arrivals: { kind: 'closed', users: -1, thinkSeconds: 0 } }, /arrivals.users/],
    [{ arrivals: { kind: 'poisson', perSecond: -2 } }, /arrivals.rate/],
    [{ arrivals: { kind: 'closed', users: 3, thinkSeconds: -1 } }, /arrivals.think/],
    [{ lengths: { ...over, prompt: { kind: 'fixed', tokens: 0 } } }, /lengths.prompt.tokens/],
    [{ lengths: { ...over, prompt: { kind: 'fixed', tokens: 500_000 } } }, /trained for 131072/],
    [{ experts: [] }, /experts: at least one/],
    [{ lengths: long }, /this would do: lengths: \{ prompt: .*max: 131000 \}/],
    [
      { seconds: 900_000, arrivals: { kind: 'closed', users: 1e5, thinkSeconds: 0 } },
      /seconds: [\d,]+ answers would not end; .* would/,
    ],
    [{ seconds: 1e12 }, /seconds: 1,000,000,000,000 s would not end; at most 1,000,000 s/],
    [{ arrivals: { kind: 'closed', users: 1e99, thinkSeconds: 0 } }, /users: .* would not end/],
    [{ arrivals: { kind: 'poisson', perSecond: 1e7 } }, /arrivals.rate: 250,000,000 requests would not end/],
  ] as const)('%j is refused by name', (change, message) => {
    const run = () => simulateFleet(scenario(change as unknown as Partial<FleetScenario>));
    expect(run).toThrow(UserError);
    expect(run).toThrow(message);
  });

  it('says by how much a model does not fit', () => {
    const big = deployment({ model: 'llama-3.1-70b', gpu: 'h100', precision: 'fp16' });
    const experts = scenario().experts.map((e) => ({ ...e, deployment: big }));
    expect(() => simulateFleet(scenario({ experts }))).toThrow(/does not fit/);
  });
});

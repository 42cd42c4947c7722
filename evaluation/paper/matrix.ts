/**
 * The configurations that the paper's evaluation compares on one DGX H100: experts side by side against tensor-parallel
 * baselines.
 */
import type { BoundPolicy } from '../../src/deciding/routing/policy.ts';
import { type Deployment, deployment } from '../../src/simulating/deployment.ts';
import { simulateFleet } from '../../src/simulating/fleet/event-loop.ts';
import type { StageMeasures } from '../../src/simulating/fleet/measures.ts';
import { ringPrompts } from '../../src/simulating/fleet/prompts.ts';
import { DEFAULT_LIMITS } from '../../src/simulating/memory.ts';
import { zipfShares } from '../../src/simulating/workload/clusters.ts';
import { NAMED_LENGTHS } from '../../src/simulating/workload/lengths.ts';

export const USERS = [1, 10, 50, 100, 250, 500, 750, 1000] as const;

export interface Contender {
  readonly name: string;
  readonly model: string;
  readonly precision: string;
  readonly experts: number;
  readonly tensorParallel: number;
  /** Equal copies of one expert behind plain balancing, instead of experts of their own. */
  readonly replicas?: number;
}

const contender = (
  name: string,
  model: string,
  precision: string,
  experts: number,
  tensorParallel: number,
): Contender => ({ name, model, precision, experts, tensorParallel });

/** Experts side by side: the router's own configurations. */
export const EXPERTS = {
  small7Fp16: contender('8 x 7B FP16', 'llama-2-7b', 'fp16', 8, 1),
  small7Fp8: contender('8 x 7B FP8', 'llama-2-7b', 'fp8', 8, 1),
  medium13: contender('8 x 13B FP8', 'llama-2-13b', 'fp8', 8, 1),
  small8: contender('8 x 8B FP8', 'llama-3.1-8b', 'fp8', 8, 1),
  large70: contender('8 x 70B FP8', 'llama-3.1-70b', 'fp8', 8, 1),
  large70by2: contender('4 x 70B FP8 TP2', 'llama-3.1-70b', 'fp8', 4, 2),
} as const;

/** The rival that needs no clusters: eight equal copies, each request to the one with the fewest. */
const equal = (name: string, model: string, precision: string): Contender => ({
  ...contender(name, model, precision, 1, 1),
  replicas: 8,
});

export const EQUALS = {
  equal8: equal('8 equal 8B FP8', 'llama-3.1-8b', 'fp8'),
  equal13: equal('8 equal 13B FP8', 'llama-2-13b', 'fp8'),
} as const;

/** One model over all GPUs, or two over half of them each. */
export const BASELINES = {
  tp8of70: contender('70B FP8 TP8', 'llama-3.1-70b', 'fp8', 1, 8),
  tp4of70: contender('2 x 70B FP8 TP4', 'llama-3.1-70b', 'fp8', 2, 4),
  tp8of7Fp16: contender('7B FP16 TP8', 'llama-2-7b', 'fp16', 1, 8),
  tp8of7: contender('7B FP8 TP8', 'llama-2-7b', 'fp8', 1, 8),
  tp8of13: contender('13B FP8 TP8', 'llama-2-13b', 'fp8', 1, 8),
  tp8of8: contender('8B FP8 TP8', 'llama-3.1-8b', 'fp8', 1, 8),
} as const;

export interface Conditions {
  readonly lengths: 'c4' | 'chat';
  readonly skew: number;
  readonly policy: BoundPolicy;
  /** Requests that the router lets into a replica at once; the engine's own limit where there is none. */
  readonly slots?: number;
}

export interface Line {
  readonly name: string;
  /** Of the first seed. */
  readonly stages: readonly StageMeasures[];
  /** Throughput at each number of users under every seed. */
  readonly throughputs: readonly (readonly number[])[];
  readonly deployment: Deployment;
}

export const SEEDS = [1, 2, 3] as const;

/** One contender at every number of users and every seed; two minutes are measured after two of warm-up. */
export function runLine(c: Contender, conditions: Conditions, name = c.name): Line {
  const d = deployment({
    model: c.model,
    gpu: 'h100',
    precision: c.precision,
    tensorParallel: c.tensorParallel,
  });
  const bySeed = SEEDS.map((seed) => USERS.map((users) => runStage(c, conditions, d, users, seed)));
  const throughputs = USERS.map((_, i) => bySeed.map((stages) => stages[i]!.tokens_per_second));
  return { name, stages: bySeed[0]!, throughputs, deployment: d };
}

function runStage(
  c: Contender,
  conditions: Conditions,
  d: Deployment,
  users: number,
  seed: number,
): StageMeasures {
  return simulateFleet({
    experts: Array.from({ length: c.experts }, (_, i) => ({
      id: `expert-${i + 1}`,
      deployment: d,
      replicas: c.replicas ?? 1,
      limits: DEFAULT_LIMITS,
      admission: 'guaranteed-no-evict',
      chunkedPrefill: true,
      slots: conditions.slots ?? DEFAULT_LIMITS.maxBatch,
    })),
    shares: zipfShares(8, conditions.skew),
    prompts: ringPrompts(8, c.experts),
    arrivals: { kind: 'closed', users, thinkSeconds: 0 },
    lengths: NAMED_LENGTHS[conditions.lengths]!,
    policy: conditions.policy,
    seconds: 120,
    warmupSeconds: 120,
    seed,
  });
}

/**
 * Searches how to serve a number of users: which model, precision and split, in how many copies.
 * It knows what a placement must reach, and ranks by what it costs; it knows nothing of printing.
 */

import type { EngineName } from '../cost/efficiency.ts';
import { type Deployment, describeDeployment, possibleDegrees } from '../deployment.ts';
import type { Gpu } from '../hardware/gpu.ts';
import type { Precision } from '../hardware/precision.ts';
import { type EngineLimits, memoryBudget } from '../memory.ts';
import type { TransformerShape } from '../model/shape.ts';
import { type MeanLengths, maxConcurrent, type SteadyState, steadyState } from '../steady-state.ts';
import { round, usdPerMillion } from './figures.ts';

/** What must hold on average for every user; absent means anything goes. */
export interface ServiceLevel {
  readonly ttftSeconds?: number;
  readonly tpotSeconds?: number;
}

export interface SearchSpace {
  readonly models: readonly TransformerShape[];
  readonly gpus: readonly Gpu[];
  readonly precisions: readonly Precision[];
  readonly engine: EngineName;
  /** Copies come in multiples of this: so many different experts share the users. */
  readonly experts: number;
  /** GPUs there are, of one kind. */
  readonly maxGpus: number;
}

export interface Demand {
  readonly users: number;
  readonly lengths: MeanLengths;
  readonly level: ServiceLevel;
  readonly limits: EngineLimits;
  readonly usdPerGpuHour?: number;
}

export interface Placement {
  readonly deployment: Deployment;
  readonly name: string;
  readonly copies: number;
  readonly gpus: number;
  readonly users_per_copy: number;
  readonly max_concurrent: number;
  readonly tokens_per_second: number;
  readonly ttft_ms: number;
  readonly tpot_ms: number;
  readonly bound_by: SteadyState['boundBy'];
  readonly meets: boolean;
  readonly usd_per_million_output_tokens?: number;
}

/**
 * One placement for every model, GPU, precision and degree: the fewest copies that meet the service level, or as many
 * as there is room for when none does. Best first: those that meet it by GPUs and then throughput, the others by
 * throughput.
 */
export function searchPlacements(space: SearchSpace, demand: Demand): readonly Placement[] {
  const found = deployments(space).flatMap((d) => {
    const most = Math.floor(space.maxGpus / d.tensorParallel / space.experts) * space.experts;
    if (most === 0 || maxConcurrent(memoryBudget(d, demand.limits), demand.limits, demand.lengths) === 0)
      return [];
    for (let copies = space.experts; copies < most; copies += space.experts) {
      const placement = place(d, copies, demand);
      if (placement.meets) return [placement];
    }
    return [place(d, most, demand)];
  });
  return found.sort(
    (a, b) =>
      Number(b.meets) - Number(a.meets) ||
      (a.meets ? a.gpus - b.gpus : 0) ||
      b.tokens_per_second - a.tokens_per_second,
  );
}

function deployments(space: SearchSpace): readonly Deployment[] {
  const all: Deployment[] = [];
  for (const model of space.models)
    for (const gpu of space.gpus)
      for (const precision of space.precisions)
        if (gpu.peak[precision.arithmetic] !== undefined)
          for (const tensorParallel of possibleDegrees(model))
            all.push({ model, gpu, precision, tensorParallel, engine: space.engine });
  return all;
}

/** Users spread evenly over the copies: what a balanced router gives; a skewed load is what `simulate` is for. */
export function place(d: Deployment, copies: number, demand: Demand): Placement {
  const { users, lengths, level, limits, usdPerGpuHour } = demand;
  const perCopy = Math.max(1, Math.ceil(users / copies));
  const state = steadyState(d, limits, lengths, perCopy);
  const gpus = copies * d.tensorParallel;
  const tokensPerSecond = Math.min(users, copies) * state.tokensPerSecond;
  const meets =
    state.running > 0 &&
    state.ttftSeconds <= (level.ttftSeconds ?? Number.POSITIVE_INFINITY) &&
    state.tpotSeconds <= (level.tpotSeconds ?? Number.POSITIVE_INFINITY);
  return {
    deployment: d,
    name: `${copies} x (${describeDeployment(d)})`,
    copies,
    gpus,
    users_per_copy: perCopy,
    max_concurrent: copies * maxConcurrent(memoryBudget(d, limits), limits, lengths),
    tokens_per_second: round(tokensPerSecond),
    ttft_ms: round(1000 * state.ttftSeconds),
    tpot_ms: round(1000 * state.tpotSeconds, 1),
    bound_by: state.boundBy,
    meets,
    ...(usdPerGpuHour === undefined
      ? {}
      : { usd_per_million_output_tokens: usdPerMillion(usdPerGpuHour * gpus, tokensPerSecond) }),
  };
}

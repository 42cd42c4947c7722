/** What one deployment offers: memory, tokens in its cache, users it holds, speed and cost at given lengths. */
import { type Deployment, describeDeployment, splitOf } from '../deployment.ts';
import { type EngineLimits, memoryBudget } from '../memory.ts';
import { bytesPerSequence, countParameters, kvBytesPerToken } from '../model/shape.ts';
import {
  type MeanLengths,
  maxConcurrent,
  maxThroughput,
  type SteadyState,
  steadyState,
} from '../steady-state.ts';

/** Field names are those of the JSON output. GB are 10^9 bytes, over all GPUs of one replica. */
export interface PlanFigures {
  readonly deployment: string;
  /** 10^9 weights: all, and those a token passes. */
  readonly parameters_b: number;
  readonly active_parameters_b: number;
  readonly gpus: number;
  readonly gpu_memory_gb: number;
  readonly weights_gb: number;
  readonly reserve_gb: number;
  readonly kv_cache_gb: number;
  /**
   * One more token of the model while it is within every window; and a whole request over all GPUs: windows cut off,
   * recurrent state added, replicas of what cannot be split counted.
   */
  readonly kv_bytes_per_token: number;
  readonly kv_bytes_per_request: number;
  readonly max_tokens_in_kv: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  /** Requests of these lengths that run at once. */
  readonly max_concurrent: number;
  /** Output tokens per second with all of them running, tokens not streamed: what published benchmarks state. */
  readonly tokens_per_second: number;
  readonly bound_by: SteadyState['boundBy'];
  /** At growing numbers of users, each asking again at once, tokens streamed. */
  readonly load: readonly LoadPoint[];
  readonly usd_per_million_output_tokens?: number;
}

export interface LoadPoint {
  readonly users: number;
  readonly tokens_per_second: number;
  readonly ttft_ms: number;
  readonly tpot_ms: number;
  readonly bound_by: SteadyState['boundBy'];
}

const USERS = [1, 8, 32, 64, 125, 250, 500, 1000];

/**
 * @param usdPerGpuHour price of one GPU for an hour; cost is left out without it
 * @param users an exact number of users to show beside the usual ones
 */
export function planFigures(
  d: Deployment,
  limits: EngineLimits,
  lengths: MeanLengths,
  usdPerGpuHour?: number,
  users?: number,
): PlanFigures {
  const tokens = lengths.promptTokens + lengths.outputTokens;
  const budget = memoryBudget(d, limits, tokens);
  const gpus = d.tensorParallel;
  const parameters = countParameters(d.model);
  const most = maxConcurrent(budget, limits, lengths);
  const full = maxThroughput(d, limits, lengths);
  const numbers = [...new Set([...USERS, ...(users ? [users] : [])])].sort((a, b) => a - b);
  return {
    deployment: describeDeployment(d),
    parameters_b: round(parameters.total / 1e9, 2),
    active_parameters_b: round(parameters.active / 1e9, 2),
    gpus,
    gpu_memory_gb: gb(gpus * budget.total),
    weights_gb: gb(gpus * budget.weights),
    reserve_gb: gb(gpus * budget.reserve),
    kv_cache_gb: gb(gpus * Math.max(0, budget.kvCache)),
    kv_bytes_per_token: kvBytesPerToken(d.model, d.precision.kvBytes),
    kv_bytes_per_request: gpus * bytesPerSequence(d.model, tokens, d.precision.kvBytes, splitOf(d)),
    max_tokens_in_kv: budget.kvTokens,
    input_tokens: lengths.promptTokens,
    output_tokens: lengths.outputTokens,
    max_concurrent: most,
    tokens_per_second: round(full.tokensPerSecond),
    bound_by: full.boundBy,
    load: numbers.map((n) => loadPoint(n, steadyState(d, limits, lengths, n))),
    ...(usdPerGpuHour === undefined
      ? {}
      : { usd_per_million_output_tokens: usdPerMillion(usdPerGpuHour * gpus, full.tokensPerSecond) }),
  };
}

function loadPoint(users: number, state: SteadyState): LoadPoint {
  return {
    users,
    tokens_per_second: round(state.tokensPerSecond),
    ttft_ms: round(1000 * state.ttftSeconds),
    tpot_ms: round(1000 * state.tpotSeconds, 2),
    bound_by: state.boundBy,
  };
}

/** Dollars per million output tokens of hardware that costs `usdPerHour` and is busy all the time. */
export function usdPerMillion(usdPerHour: number, tokensPerSecond: number): number {
  return round((usdPerHour / 3600 / tokensPerSecond) * 1e6, 4);
}

const gb = (bytes: number): number => round(bytes / 1e9, 2);

export function round(value: number, digits = 0): number {
  return Number(value.toFixed(digits));
}

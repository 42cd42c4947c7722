/**
 * One replica in its steady state, by arithmetic instead of simulation: time per token, time to first token and
 * throughput at a constant number of users.
 */
import { type StepCost, type StepLoad, stepCost } from './cost/step.ts';
import type { Deployment } from './deployment.ts';
import { type EngineLimits, type MemoryBudget, memoryBudget } from './memory.ts';

export interface MeanLengths {
  readonly promptTokens: number;
  readonly outputTokens: number;
}

export interface SteadyState {
  /** Requests that run at once: users, or fewer when cache or batch are full; the others wait. */
  readonly running: number;
  readonly tokensPerSecond: number;
  readonly tpotSeconds: number;
  readonly ttftSeconds: number;
  /** What keeps it from being faster. */
  readonly boundBy: 'memory capacity' | 'memory bandwidth' | 'compute' | 'communication';
}

/** Requests of these lengths that the cache and the batch hold at once, room for the whole output reserved. */
export function maxConcurrent(budget: MemoryBudget, limits: EngineLimits, lengths: MeanLengths): number {
  const blocks = Math.ceil((lengths.promptTokens + lengths.outputTokens) / limits.blockTokens);
  const held = Math.floor(budget.kvTokens / (blocks * limits.blockTokens));
  return Math.max(0, Math.min(held, limits.maxBatch));
}

function load(sequences: number, context: number, prompts: number, promptTokens: number): StepLoad {
  const tokens = prompts * promptTokens;
  return {
    decodeSequences: sequences,
    decodeContext: sequences * context,
    prefillTokens: tokens,
    prefillSequences: prompts,
    prefillPairs: (prompts * promptTokens * (promptTokens + 1)) / 2,
    logitRows: sequences + prompts,
  };
}

/**
 * A request's life is the step that reads its prompt and `output - 1` steps that decode, and in each of these every other
 * running request is read with a chance of one in `output`. A step's prompts therefore are binomial: none with a chance
 * of (1 - 1/output)^others, and where some are read, they are so together and share what a step costs whatever is in it,
 * as mixtures of experts whose weights are all read do. Steps that are full (`maxTokens`) keep prompts waiting.
 * @param streaming false for offline runs, whose tokens are not sent to clients one by one
 */
export function steadyState(
  d: Deployment,
  limits: EngineLimits,
  lengths: MeanLengths,
  users: number,
  streaming = true,
): SteadyState {
  const budget = memoryBudget(d, limits, lengths.promptTokens + lengths.outputTokens);
  const most = maxConcurrent(budget, limits, lengths);
  const running = Math.min(users, most);
  if (running < 1)
    return {
      running: 0,
      tokensPerSecond: 0,
      tpotSeconds: Infinity,
      ttftSeconds: Infinity,
      boundBy: 'memory capacity',
    };
  const cost = stepCost(d, undefined, undefined, streaming);
  const { promptTokens, outputTokens } = lengths;
  const context = promptTokens + outputTokens / 2;
  const others = running - 1;
  // Each prompt that a full step reads is followed by `output - 1` tokens that take room in steps as well.
  const full = limits.maxTokens / (promptTokens + outputTokens - 1);
  const prompts = Math.min(others / outputTokens, full);
  const decoding = prompts * (outputTokens - 1);
  const step = (own: number, read: number): number =>
    cost.seconds(load(decoding + own, context, read, promptTokens));
  const reading = prompts < full ? 1 - (1 - 1 / outputTokens) ** others : 1;
  const [idle, busy] = [step(1, 0), step(1, Math.max(1, prompts / reading || 1))];
  const tpot = (1 - reading) * idle + reading * busy;
  const later = (outputTokens - 1) * tpot;
  // Whoever comes finds a step under way, unless alone, and a long one more likely than a short one (mean residual life).
  const left = (((1 - reading) * idle ** 2 + reading * busy ** 2) / (2 * tpot)) * Math.min(1, others);
  const away = cost.perRequest + left;
  const queued = users > running;
  const inside = step(0, 1 + prompts) + later;
  // Of a user's round; where others wait for the place, it is not empty meanwhile.
  const round = Math.max(queued ? inside : away + inside, (running * tpot) / full);
  const queue = queued ? away + (round * (users - running)) / running : 0;
  return {
    running,
    tokensPerSecond: (running * outputTokens) / round,
    tpotSeconds: tpot,
    ttftSeconds: round - later + queue,
    boundBy: bound(cost, load(decoding + 1, context, prompts + 1 / outputTokens, promptTokens), queued),
  };
}

function bound(cost: StepCost, mixed: StepLoad, full: boolean): SteadyState['boundBy'] {
  const parts = cost.breakdown(mixed);
  if (full && parts.productsBoundBy === 'memory') return 'memory capacity';
  const bandwidth = parts.attention + (parts.productsBoundBy === 'memory' ? parts.products : 0);
  const compute = parts.productsBoundBy === 'compute' ? parts.products : 0;
  if (parts.communication > Math.max(bandwidth, compute)) return 'communication';
  return bandwidth >= compute ? 'memory bandwidth' : 'compute';
}

/** The most a replica gives: every sequence it can hold is running, tokens are not streamed. */
export function maxThroughput(d: Deployment, limits: EngineLimits, lengths: MeanLengths): SteadyState {
  return steadyState(d, limits, lengths, Number.MAX_SAFE_INTEGER, false);
}

/** What one copy is asked: users of its own, or requests a second. */
export type CopyLoad =
  | { readonly users: number; readonly thinkSeconds: number }
  | { readonly perSecond: number };

export interface LoadedState {
  readonly state: SteadyState;
  /** Requests in the copy on average: fewer than users, as some are thinking. */
  readonly present: number;
  /** More is asked than it can ever answer. */
  readonly saturated: boolean;
}

/** Rounds of the fixed point below; each brings it several times nearer. */
const ROUNDS = 40;

/**
 * The steady state of a copy whose users think, or to which requests come at a rate: Little's law gives the number
 * present from the time each stays, and that depends on the number present. Users of 0 seconds' thinking are all present.
 */
export function steadyStateOf(
  d: Deployment,
  limits: EngineLimits,
  lengths: MeanLengths,
  load: CopyLoad,
): LoadedState {
  const at = (present: number): SteadyState => steadyState(d, limits, lengths, Math.max(1, present));
  const stay = (s: SteadyState): number =>
    s.ttftSeconds + Math.max(0, lengths.outputTokens - 1) * s.tpotSeconds;
  const most = maxConcurrent(
    memoryBudget(d, limits, lengths.promptTokens + lengths.outputTokens),
    limits,
    lengths,
  );
  const perSecond = 'perSecond' in load ? load.perSecond : null;
  const next = (present: number): number => {
    const seconds = stay(at(present));
    if (perSecond !== null) return perSecond * seconds;
    const { users, thinkSeconds } = load as Extract<CopyLoad, { users: number }>;
    return Number.isFinite(seconds) ? (users * seconds) / (seconds + thinkSeconds) : users;
  };
  // Users are all present at first, a stream finds the copy empty: both come near from the side where they stay finite.
  let present = perSecond === null ? (load as Extract<CopyLoad, { users: number }>).users : 0;
  for (let i = 0; i < ROUNDS; i++) {
    const then = next(present);
    const settled = Math.abs(then - present) < 1e-3 * present;
    present = then;
    if (settled || present > most) break;
  }
  const saturated = perSecond !== null && present > most;
  const state = at(present);
  // Below one request at a time it is idle in between.
  const share = Math.min(1, present);
  return {
    state: saturated
      ? { ...state, ttftSeconds: Number.POSITIVE_INFINITY }
      : { ...state, tokensPerSecond: state.tokensPerSecond * share },
    present,
    saturated,
  };
}

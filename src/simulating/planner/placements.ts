/**
 * Searches how to serve a load: which model, precision and split, in how many copies. Arithmetic finds candidates;
 * only what a simulation confirms is proposed.
 */
import { UserError } from '../../core/errors.ts';
import type { EngineName } from '../cost/efficiency.ts';
import type { MeasuredConstants } from '../cost/measured.ts';
import {
  type Deployment,
  type DeploymentNames,
  deployment,
  describeDeployment,
  possibleDegrees,
} from '../deployment.ts';
import type { StageMeasures } from '../fleet/measures.ts';
import type { Gpu } from '../hardware/gpu.ts';
import { defaultPrecision, PRECISIONS, type Precision, supports } from '../hardware/precision.ts';
import { memoryBudget } from '../memory.ts';
import type { TransformerShape } from '../model/shape.ts';
import { maxConcurrent, type SteadyState, steadyStateOf } from '../steady-state.ts';
import type { Demand, Level } from './demand.ts';
import { round, usdPerMillion } from './figures.ts';
import { type Rent, rentFor } from './instances.ts';
import { type Headroom, headroom, type Verdict, verify } from './verify.ts';

export interface SearchSpace {
  readonly models: readonly TransformerShape[];
  readonly gpus: readonly Gpu[];
  /** Each GPU's usual ones when null. */
  readonly precisions: readonly Precision[] | null;
  readonly engine: EngineName;
  /** Copies come in multiples of this: so many different experts share the load. */
  readonly experts: number;
  /** GPUs there are, of one kind. */
  readonly maxGpus: number;
  /** What is not searched but given for every candidate. */
  readonly given?: Pick<DeploymentNames, 'tensorParallel' | 'kvBytes' | 'expertParallel' | 'attentionData'>;
  /** Times of the engine as its owner measured it, instead of the model's. */
  readonly measured?: MeasuredConstants;
}

/** A placement as arithmetic sees it. */
export interface Placement {
  readonly deployment: Deployment;
  readonly name: string;
  readonly copies: number;
  readonly gpus: number;
  /** Requests each copy has in it. */
  readonly users_per_copy: number;
  readonly max_concurrent: number;
  readonly tokens_per_second: number;
  readonly ttft_ms: number;
  readonly tpot_ms: number;
  readonly bound_by: SteadyState['boundBy'];
  readonly meets: boolean;
  readonly usd_per_hour?: number;
  readonly usd_per_million_output_tokens?: number;
  /** The machines that this is the price of, where whole ones are rented. */
  readonly rent?: Rent;
}

/** A placement that a simulation has confirmed. */
export interface Proposal extends Placement {
  readonly simulated: StageMeasures;
  readonly headroom: Headroom;
}

export interface Rejected extends Placement {
  readonly reason: string;
  /** Absent where arithmetic alone said no. */
  readonly simulated?: StageMeasures;
}

export interface SearchResult {
  /** Cheapest first. */
  readonly proposed: readonly Proposal[];
  readonly rejected: readonly Rejected[];
  /** Dearer than what is proposed, and therefore not simulated. */
  readonly unexamined: readonly Placement[];
}

/** How many confirmed placements are enough to choose from, and how many copies more a refuted one is tried with. */
const ENOUGH = 3;
const MORE_COPIES = 3;

/** Confirms candidates, cheapest first, until there are enough to choose from. */
export function search(
  space: SearchSpace,
  demand: Demand,
  told: (what: string) => void = () => {},
): SearchResult {
  const candidates = [...candidatesOf(space, demand)].sort(order);
  const proposed: Proposal[] = [];
  const rejected: Rejected[] = candidates
    .filter((c) => !c.meets)
    .map((c) => ({ ...c, reason: arithmeticReason(c, demand) }));
  const unexamined: Placement[] = [];
  for (const candidate of candidates.filter((c) => c.meets)) {
    if (proposed.length >= ENOUGH) {
      unexamined.push(candidate);
      continue;
    }
    told(candidate.name);
    const found = confirm(candidate, space, demand, rejected);
    if (found) proposed.push(found);
  }
  return { proposed: proposed.sort(order), rejected, unexamined };
}

/** The candidate with as many more copies as a simulation finds it to need; null when none in reach holds. */
function confirm(
  candidate: Placement,
  space: SearchSpace,
  demand: Demand,
  rejected: Rejected[],
): Proposal | null {
  const d = candidate.deployment;
  const most = mostCopies(d, space);
  const step = Math.max(space.experts, Math.ceil(candidate.copies / 10 / space.experts) * space.experts);
  for (let more = 0; more <= MORE_COPIES; more++) {
    const copies = candidate.copies + more * step;
    if (copies > most) return null;
    const placement = place(d, copies, demand);
    const seconds = answerSeconds(placement, demand);
    const verdict = verdictOf(d, copies, demand, seconds);
    if (typeof verdict === 'string') {
      rejected.push({ ...placement, reason: verdict });
      return null;
    }
    if (verdict.shortfall === null)
      return { ...placement, simulated: verdict.run, headroom: headroom(d, copies, demand, seconds) };
    rejected.push({ ...placement, reason: verdict.shortfall, simulated: verdict.run });
  }
  return null;
}

/** A verdict, or why it cannot even be simulated: the longest requests do not fit. */
export function verdictOf(d: Deployment, copies: number, demand: Demand, seconds: number): Verdict | string {
  try {
    return verify(d, copies, demand, seconds);
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}

export function answerSeconds({ ttft_ms, tpot_ms }: Placement, { mean }: Demand): number {
  const seconds = (ttft_ms + tpot_ms * mean.outputTokens) / 1000;
  return Number.isFinite(seconds) ? seconds : 600;
}

/** By price, where every GPU has one; else by GPUs; more throughput first among equals. */
function order(a: Placement, b: Placement): number {
  const cost = (p: Placement): number => p.usd_per_hour ?? p.gpus;
  return cost(a) - cost(b) || b.tokens_per_second - a.tokens_per_second;
}

function arithmeticReason(p: Placement, { levels, load, mean }: Demand): string {
  if (!Number.isFinite(p.ttft_ms) && 'perSecond' in load)
    return `answers ${round(p.tokens_per_second / mean.outputTokens, 2)} requests/s at most`;
  const missed = levels.find(({ metric, seconds }) => p[`${metric}_ms`] > 1000 * seconds);
  if (missed)
    return `mean ${missed.metric.toUpperCase()} by arithmetic ${Math.round(p[`${missed.metric}_ms`])} ms`;
  return 'saturated by arithmetic';
}

/** One candidate for every model, GPU, precision and degree: the fewest copies that arithmetic finds enough, or all. */
function* candidatesOf(space: SearchSpace, demand: Demand): Generator<Placement> {
  for (const d of deployments(space)) {
    const most = mostCopies(d, space);
    if (most === 0 || requestsAtOnce(d, demand) === 0) continue;
    if (demand.instances && !rentFor(d, 1, demand.instances)) continue;
    yield fewestCopies(d, space.experts, most, demand);
  }
}

function requestsAtOnce(d: Deployment, { limits, mean }: Demand): number {
  return maxConcurrent(memoryBudget(d, limits, mean.promptTokens + mean.outputTokens), limits, mean);
}

/** The fewest GPUs on which one copy of each expert fits at all, however many there are; null when none does. */
export function leastThatFits(space: SearchSpace, demand: Demand): Deployment | null {
  const fitting = deployments(space).filter((d) => requestsAtOnce(d, demand) > 0);
  return fitting.toSorted((a, b) => a.tensorParallel - b.tensorParallel)[0] ?? null;
}

function fewestCopies(d: Deployment, step: number, most: number, demand: Demand): Placement {
  // More copies never make it worse: halve the range.
  let [low, high] = [1, most / step];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (place(d, middle * step, demand).meets) high = middle;
    else low = middle + 1;
  }
  return place(d, low * step, demand);
}

export function mostCopies(d: Deployment, { maxGpus, experts }: SearchSpace): number {
  return Math.floor(maxGpus / d.tensorParallel / experts) * experts;
}

/** @throws {UserError} for a given degree or split that a model cannot have */
export function deployments({
  models,
  gpus,
  precisions,
  engine,
  given = {},
  measured,
}: SearchSpace): readonly Deployment[] {
  return models.flatMap((model) => {
    const degrees = given.tensorParallel
      ? [given.tensorParallel]
      : possibleDegrees(model, given.expertParallel);
    return gpus.flatMap((gpu) =>
      (precisions ?? usualPrecisions(model, gpu))
        .filter((precision) => supports(gpu, precision))
        .flatMap((precision) =>
          degrees.map((tensorParallel) => ({
            ...deployment({
              ...{ model, gpu: gpu.name, precision: precision.name, engine },
              ...{ ...given, tensorParallel },
            }),
            ...(measured ? { measured } : {}),
          })),
        ),
    );
  });
}

/** What this GPU serves this model in without a checkpoint of one's own making: as published, FP8, and 16 bit. */
export function usualPrecisions(model: TransformerShape, gpu: Gpu): readonly Precision[] {
  const first = defaultPrecision(model, gpu);
  // Whoever publishes in 4 bits has no wider weights to offer.
  if (first.weightBytes < 1) return [first];
  return first.name === 'bf16' ? [first] : [first, PRECISIONS.bf16];
}

/** The load spread evenly over the copies: what a balanced router gives; a skewed load is what `simulate` is for. */
export function place(d: Deployment, copies: number, demand: Demand): Placement {
  const { load, mean, levels, limits, prices } = demand;
  const each =
    'users' in load
      ? { users: load.users / copies, thinkSeconds: load.thinkSeconds }
      : { perSecond: load.perSecond / copies };
  const { state, present, saturated } = steadyStateOf(d, limits, mean, each);
  const gpus = copies * d.tensorParallel;
  const busy = 'users' in load ? Math.min(load.users, copies) : copies;
  const tokensPerSecond = busy * state.tokensPerSecond;
  const keeps = ({ metric, seconds }: Level): boolean =>
    (metric === 'ttft' ? state.ttftSeconds : state.tpotSeconds) <= seconds;
  const price = prices[d.gpu.name];
  const rent = demand.instances ? rentFor(d, copies, demand.instances) : null;
  const usdPerHour = rent ? rent.usdPerHour : price === undefined ? null : price * gpus;
  return {
    deployment: d,
    name: `${copies} x (${describeDeployment(d)})`,
    copies,
    gpus,
    users_per_copy: round(present, 1),
    max_concurrent: copies * requestsAtOnce(d, demand),
    tokens_per_second: round(tokensPerSecond, tokensPerSecond < 10 ? 3 : 0),
    ttft_ms: round(1000 * state.ttftSeconds),
    tpot_ms: round(1000 * state.tpotSeconds, 1),
    bound_by: state.boundBy,
    // A percentile is never below what arithmetic says of the mean by much: only a simulation confirms it.
    meets: state.running > 0 && !saturated && levels.every(keeps),
    ...(usdPerHour === null
      ? {}
      : {
          usd_per_hour: round(usdPerHour, 2),
          usd_per_million_output_tokens: usdPerMillion(usdPerHour, tokensPerSecond),
        }),
    ...(rent ? { rent } : {}),
  };
}

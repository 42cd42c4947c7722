/** What would have been: recorded requests through the simulator on a fleet, under a policy, beside what really happened. */
import type { BoundPolicy } from '../deciding/routing/policy.ts';
import type { EngineName } from '../simulating/cost/efficiency.ts';
import type { MeasuredConstants } from '../simulating/cost/measured.ts';
import { type Deployment, deployment, type TensorParallel } from '../simulating/deployment.ts';
import { simulateFleet } from '../simulating/fleet/event-loop.ts';
import type { SimulatedExpertSpec } from '../simulating/fleet/scenario.ts';
import type { Percentiles } from '../simulating/fleet/sketch.ts';
import { findGpu } from '../simulating/hardware/gpu.ts';
import { defaultPrecision } from '../simulating/hardware/precision.ts';
import { DEFAULT_LIMITS } from '../simulating/memory.ts';
import { findModel } from '../simulating/model/catalog.ts';
import type { WhatIfExpert } from './asked.ts';
import { movedTo } from './calibrated.ts';
import type { Notice } from './notices.ts';
import { type Miss, missOf } from './reality.ts';
import { type Recorded, type RecordedLoad, recordedPrompts } from './recorded.ts';

export interface SimulatedFleet {
  /** By id; one for each expert of the load. */
  readonly experts: Readonly<Record<string, WhatIfExpert>>;
  /** By id, as far as they are known: the engine, and its times as records have them for these experts. */
  readonly engines: Readonly<Record<string, EngineName>>;
  readonly measured: Readonly<Record<string, MeasuredConstants>>;
  /** Requests that a replica is given at most, where the config says. */
  readonly slots: Readonly<Record<string, number>>;
  readonly policy: BoundPolicy;
  /** US dollars per GPU and hour. */
  readonly prices: Readonly<Record<string, number>>;
}

const TOLD = ['p50', 'p95', 'p99'] as const;
type Told = (typeof TOLD)[number];

/** Milliseconds; null where nothing was measured. */
export interface Times {
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  /** Which of them are lower bounds: too many requests had not got so far when the simulation ended. */
  readonly at_least: readonly Told[];
}

/** One way it went, or would have gone. */
export interface Outcome {
  readonly requests: number;
  readonly errors: number;
  readonly tokens_per_second: number;
  readonly ttft_ms: Times;
  readonly tpot_ms: Times;
  readonly e2e_ms: Times;
  /** Share of requests at the expert that suits them best. */
  readonly at_home: number;
  /** Requests by expert. */
  readonly experts: Readonly<Record<string, number>>;
}

export interface SimulatedOutcome extends Outcome {
  /** Share of the requests that were unanswered long after the last had come. */
  readonly unfinished: number;
  /** By how much it misses what was recorded. */
  readonly miss: Miss;
  readonly gpus: number;
  /** US dollars for all GPUs; null where one has no price. */
  readonly usd_per_hour: number | null;
}

export interface WhatIfAnswer {
  readonly recorded: Outcome & { readonly seconds: number };
  /** The fleet and the policy as they were: its miss is the simulator's own error. */
  readonly as_was: SimulatedOutcome;
  readonly changed: SimulatedOutcome;
  readonly notices: readonly Notice[];
}

const SEED = 1;

/** @throws UserError for a fleet that cannot be simulated */
export function simulated(load: RecordedLoad, fleet: SimulatedFleet): SimulatedOutcome {
  const experts = load.experts.map((id) => assumedOf(id, fleet));
  return replayed(load, experts, fleet.policy, fleet.prices);
}

/** @param experts one for each of the load, in its order @throws UserError for a fleet that cannot be simulated */
export function replayed(
  load: RecordedLoad,
  experts: readonly SimulatedExpertSpec[],
  policy: BoundPolicy,
  prices: SimulatedFleet['prices'],
): SimulatedOutcome {
  const seconds = Math.max(1, load.times.at(-1)! + 1e-3);
  const measures = simulateFleet({
    experts,
    ...recordedPrompts(load, experts.length),
    arrivals: { kind: 'trace', times: load.times },
    lengths: { kind: 'observed', pairs: load.replay },
    replay: load.replay,
    policy,
    seconds,
    warmupSeconds: 0,
    seed: SEED,
  });
  const dollars = experts.map(({ deployment: { gpu, tensorParallel }, replicas }) => {
    const price = prices[gpu.name];
    return price === undefined ? null : price * tensorParallel * replicas;
  });
  return {
    requests: measures.requests,
    errors: measures.errors,
    tokens_per_second: measures.tokens_per_second,
    ttft_ms: timesOf(measures.ttft_ms),
    tpot_ms: timesOf(measures.tpot_ms),
    e2e_ms: timesOf(measures.e2e_ms),
    at_home: measures.at_home,
    experts: Object.fromEntries(measures.experts.map(({ id, requests }) => [id, requests])),
    unfinished: measures.unfinished,
    miss: missOf(load.really, measures),
    gpus: measures.experts.reduce((sum, { gpus }) => sum + gpus, 0),
    usd_per_hour: dollars.includes(null) ? null : dollars.reduce<number>((sum, one) => sum + one!, 0),
  };
}

/** Further simulations by which measured engines are brought nearer to what was recorded; none of a load that takes long. */
const ROUNDS = 3;
const MOST_REQUESTS = 20_000;
/** A miss that is near enough. */
const NEAR = 0.05;

/**
 * The fleet as it was. Where its measured engines miss the recorded times, because theirs are of no line, they are made so
 * much faster or slower, as long as that brings them nearer.
 * @throws UserError for a fleet that cannot be simulated
 */
export function asItWas(
  load: RecordedLoad,
  given: SimulatedFleet,
): { readonly fleet: SimulatedFleet; readonly outcome: SimulatedOutcome } {
  let best = { fleet: given, outcome: simulated(load, given) };
  for (let round = 0; round < ROUNDS && load.times.length <= MOST_REQUESTS; round++) {
    const { fleet, outcome } = best;
    if (Object.keys(fleet.measured).length === 0 || farthest(outcome.miss) <= NEAR) break;
    const nearer = { ...fleet, measured: nudged(fleet.measured, outcome.miss) };
    const next = { fleet: nearer, outcome: simulated(load, nearer) };
    if (farthest(next.outcome.miss) >= farthest(outcome.miss)) break;
    best = next;
  }
  return best;
}

function farthest({ ttft_p50: ttft, tpot_p50: tpot }: Miss): number {
  return Math.max(Math.abs(ttft ?? 0), Math.abs(tpot ?? 0));
}

function nudged(
  measured: SimulatedFleet['measured'],
  { ttft_p50: ttft, tpot_p50: tpot }: Miss,
): SimulatedFleet['measured'] {
  const [first, step] = [1 / (1 + (ttft ?? 0)), 1 / (1 + (tpot ?? 0))];
  return Object.fromEntries(
    Object.entries(measured).map(([id, one]) => [
      id,
      {
        ...one,
        firstToken: one.firstToken * first,
        perPromptToken: one.perPromptToken * Math.min(first, step),
        perStep: one.perStep * step,
        perSequence: one.perSequence * step,
      },
    ]),
  );
}

export function reallyOutcome(really: Recorded): WhatIfAnswer['recorded'] {
  const { ttft_ms: ttft, tpot_ms: tpot, e2e_ms: e2e } = really;
  return { ...really, ttft_ms: timesOf(ttft), tpot_ms: timesOf(tpot), e2e_ms: timesOf(e2e) };
}

function deploymentOf(expert: WhatIfExpert, engine: EngineName = 'vllm'): Deployment {
  const { model: name, gpu, tensor_parallel: degree } = expert;
  const model = findModel(name);
  const { name: precision } = defaultPrecision(model, findGpu(gpu));
  return deployment({ model, gpu, precision, tensorParallel: degree as TensorParallel, engine });
}

/** The fleet with other experts, whose measured engines become faster or slower with what they run on. */
export function changedFleet(
  fleet: SimulatedFleet,
  others: Readonly<Record<string, WhatIfExpert>>,
): SimulatedFleet {
  const measured = Object.fromEntries(
    Object.entries(fleet.measured).map(([id, constants]) => {
      const [was, is] = [fleet.experts[id]!, others[id]].map(
        (expert) => expert && deploymentOf(expert, fleet.engines[id]),
      );
      return [id, is ? movedTo(constants, was!, is) : constants];
    }),
  );
  return { ...fleet, experts: { ...fleet.experts, ...others }, measured };
}

function assumedOf(id: string, { experts, slots, engines, measured }: SimulatedFleet): SimulatedExpertSpec {
  const expert = experts[id]!;
  const modelled = deploymentOf(expert, engines[id]);
  const own = measured[id];
  const spec = specOf(id, own === undefined ? modelled : { ...modelled, measured: own }, expert.replicas);
  const most = slots[id];
  return most === undefined ? spec : { ...spec, slots: most };
}

export function specOf(id: string, asked: Deployment, replicas: number): SimulatedExpertSpec {
  return {
    id,
    deployment: asked,
    replicas,
    limits: DEFAULT_LIMITS,
    admission: asked.engine.startsWith('tensorrt') ? 'guaranteed-no-evict' : 'optimistic',
    chunkedPrefill: true,
  };
}

function timesOf({ p50, p95, p99, at_least: bounds }: Percentiles): Times {
  return {
    p50: known(p50),
    p95: known(p95),
    p99: known(p99),
    at_least: TOLD.filter((one) => bounds.includes(one)),
  };
}

function known(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

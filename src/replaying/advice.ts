/**
 * Which fleet would serve what was recorded: for each expert the cheapest deployment and number of replicas that keep the
 * service level at its peak, by the planner's arithmetic and a simulation, and then all of it replayed together.
 */
import type { BoundPolicy } from '../deciding/routing/policy.ts';
import { DEFAULT_LIMITS } from '../simulating/memory.ts';
import type { TransformerShape } from '../simulating/model/shape.ts';
import type { Demand, Level } from '../simulating/planner/demand.ts';
import { type Proposal, type SearchSpace, search } from '../simulating/planner/placements.ts';
import type { Prices } from '../simulating/planner/prices.ts';
import { type ExpertDemand, isMostlyQuiet, meanLengthsOf, peakOf } from './demand.ts';
import type { RecordedLoad } from './recorded.ts';
import { replayed, type SimulatedOutcome, specOf } from './what-if.ts';

export interface AdviceParts {
  /** By expert. */
  readonly models: ReadonlyMap<string, TransformerShape>;
  /** Where its servers may run. */
  readonly space: Omit<SearchSpace, 'models' | 'experts'>;
  readonly levels: readonly Level[];
  readonly prices: Prices;
  /** Replicas that the config has now, by expert; null for those that are found while it serves. */
  readonly now: ReadonlyMap<string, number | null>;
  told(expert: string): void;
}

export interface AdvisedExpert {
  readonly expert: string;
  readonly model: string;
  readonly requests: number;
  /** Of these, answered by another expert. */
  readonly elsewhere: number;
  readonly peak_per_second: number;
  readonly prompt_tokens: number;
  readonly output_tokens: number;
  /** What serves its peak; null where nobody asked, or nothing keeps the level. */
  readonly placement: AdvisedPlacement | null;
  /** Replicas to scale between. */
  readonly min: number;
  readonly max: number;
  readonly replicas_now: number | null;
  /** What to do, in words. */
  readonly change: string;
}

export interface AdvisedPlacement {
  readonly replicas: number;
  readonly gpu: string;
  readonly precision: string;
  readonly tensor_parallel: number;
  readonly gpus: number;
  /** US dollars at the peak; null where the GPU has no price. */
  readonly usd_per_hour: number | null;
  /** The same on average, where the replicas follow each window's requests. */
  readonly usd_per_hour_scaled: number | null;
  readonly ttft_ms_p95: number;
  readonly tpot_ms_p95: number;
  /** Requests a second that it was found to hold. */
  readonly holds_per_second: number;
}

export interface Advice {
  readonly experts: readonly AdvisedExpert[];
  /** All of them together, with the records replayed; null where one has no placement though it is asked. */
  readonly replayed: SimulatedOutcome | null;
}

/** @throws UserError for what cannot be simulated */
export function advise(
  load: RecordedLoad,
  demands: readonly ExpertDemand[],
  policy: BoundPolicy,
  parts: AdviceParts,
): Advice {
  const found = demands.map((demand) => {
    parts.told(demand.expert);
    return { demand, best: demand.requests === 0 ? null : bestOf(demand, parts) };
  });
  const experts = found.map(({ demand, best }) => advised(demand, best, parts));
  const served = found.every(({ demand, best }) => best !== null || demand.requests === 0);
  return { experts, replayed: served ? together(load, found, policy, parts) : null };
}

interface Found {
  readonly demand: ExpertDemand;
  readonly best: Proposal | null;
}

function bestOf(demand: ExpertDemand, { models, space, levels, prices }: AdviceParts): Proposal | null {
  const asked: Demand = {
    load: { perSecond: peakOf(demand) },
    mean: meanLengthsOf(demand),
    lengths: { kind: 'observed', pairs: demand.lengths },
    levels,
    limits: DEFAULT_LIMITS,
    prices,
  };
  return search({ ...space, models: [models.get(demand.expert)!], experts: 1 }, asked).proposed[0] ?? null;
}

function advised(demand: ExpertDemand, best: Proposal | null, parts: AdviceParts): AdvisedExpert {
  const { expert, requests, elsewhere } = demand;
  const { promptTokens, outputTokens } = meanLengthsOf(demand);
  const now = parts.now.get(expert) ?? null;
  const min = best === null || isMostlyQuiet(demand) ? 0 : 1;
  return {
    expert,
    model: parts.models.get(expert)!.name,
    requests,
    elsewhere,
    peak_per_second: peakOf(demand),
    prompt_tokens: requests === 0 ? 0 : promptTokens,
    output_tokens: requests === 0 ? 0 : outputTokens,
    placement: best && placementOf(demand, best, min, parts.prices),
    min,
    max: best?.copies ?? 0,
    replicas_now: now,
    change: changeOf(requests, best, min, now),
  };
}

function placementOf(demand: ExpertDemand, best: Proposal, min: number, prices: Prices): AdvisedPlacement {
  const { gpu, precision, tensorParallel } = best.deployment;
  const price = prices[gpu.name] ?? null;
  const { holds } = best.headroom;
  const most = 'perSecond' in holds ? holds.perSecond : peakOf(demand);
  const needed = demand.windows.map((rate) => Math.max(min, Math.ceil((rate / most) * best.copies)));
  const mean = needed.reduce((sum, replicas) => sum + replicas, 0) / needed.length;
  return {
    replicas: best.copies,
    gpu: gpu.name,
    precision: precision.name,
    tensor_parallel: tensorParallel,
    gpus: best.gpus,
    usd_per_hour: price && price * best.gpus,
    usd_per_hour_scaled: price && price * tensorParallel * mean,
    ttft_ms_p95: best.simulated.ttft_ms.p95,
    tpot_ms_p95: best.simulated.tpot_ms.p95,
    holds_per_second: most,
  };
}

function changeOf(requests: number, best: Proposal | null, min: number, now: number | null): string {
  if (requests === 0) return 'nobody asked for it: run it only while it is needed, or leave it out';
  if (best === null) return 'nothing within reach keeps the level: allow more GPUs, or a lower level';
  const count =
    now === null
      ? `up to ${best.copies} replicas`
      : now === best.copies
        ? `as it is: ${now}`
        : `${now} → ${best.copies} replicas`;
  return min === 0 ? `${count}; none while nobody asks` : count;
}

/** One without demand gets a replica of what it could be, since the policy may send it what others cannot take. */
function together(
  load: RecordedLoad,
  found: readonly Found[],
  policy: BoundPolicy,
  { prices }: AdviceParts,
): SimulatedOutcome | null {
  const some = found.find(({ best }) => best !== null)?.best;
  if (!some) return null;
  const specs = found.map(({ demand: { expert }, best }) =>
    specOf(expert, (best ?? some).deployment, best?.copies ?? 1),
  );
  return replayed(load, specs, policy, prices);
}

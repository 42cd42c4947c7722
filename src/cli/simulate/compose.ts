/** Turns a scenario file into the simulation's input: deployments, clusters, lengths, arrivals. */
import { readFile } from 'node:fs/promises';
import { parseDuration } from '../../core/duration.ts';
import { UserError } from '../../core/errors.ts';
import type { BoundPolicy } from '../../deciding/routing/policy.ts';
import { calibrated } from '../../replaying/calibrated.ts';
import type { Notice } from '../../replaying/notices.ts';
import { type RecordedLoad, readDecisions, recordedPrompts, replayOf } from '../../replaying/recorded.ts';
import { composeRouter, idleLoads, loadRouterModel } from '../../serving/app/compose.ts';
import { loadConfig } from '../../serving/config/load.ts';
import type { MeasuredConstants } from '../../simulating/cost/measured.ts';
import { deployment } from '../../simulating/deployment.ts';
import { ringPrompts } from '../../simulating/fleet/prompts.ts';
import type { FleetScenario, ReplayedRequest, SimulatedExpertSpec } from '../../simulating/fleet/scenario.ts';
import { findGpu } from '../../simulating/hardware/gpu.ts';
import { defaultPrecision } from '../../simulating/hardware/precision.ts';
import { DEFAULT_LIMITS, type EngineLimits } from '../../simulating/memory.ts';
import type { Arrivals } from '../../simulating/workload/arrivals.ts';
import { normalised, zipfShares } from '../../simulating/workload/clusters.ts';
import {
  type LengthDistribution,
  type LengthModel,
  NAMED_LENGTHS,
} from '../../simulating/workload/lengths.ts';
import { MOONCAKE_BLOCK_TOKENS, parseTrace } from '../../simulating/workload/traces.ts';
import { readCalibrationFile } from '../calibrate/file.ts';
import { modelNamed } from '../plan/model-option.ts';
import { replicasOf } from '../replicas.ts';
import { realPrompts } from './real-prompts.ts';
import {
  BY_RECORDS,
  type ExpertKindFile,
  kindsOf,
  type PlacementFile,
  type RecordsFile,
  type ScenarioFile,
} from './scenario-file.ts';

/** A file's load, read once and shared by all runs. */
export interface Load {
  readonly lengths: LengthModel;
  /** One entry per stage: numbers of users, or the one open loop. */
  readonly stages: readonly Arrivals[];
  readonly replay?: readonly ReplayedRequest[];
  /** What was recorded, where that is replayed, and the times of its experts' engines, by place in the config. */
  readonly recorded?: RecordedLoad;
  readonly timed?: readonly RecordedEngine[];
}

interface RecordedEngine {
  readonly id: string;
  /** Null where too few answers tell. */
  readonly constants: MeasuredConstants | null;
}

export async function composeLoad(file: ScenarioFile): Promise<Load> {
  const lengths = lengthsOf(file);
  const { arrivals } = file;
  if (!arrivals) {
    const users = typeof file.users === 'number' ? [file.users] : file.users!;
    return {
      lengths,
      stages: users.map((n) => ({ kind: 'closed', users: n, thinkSeconds: file.think ?? 0 })),
    };
  }
  if ('poisson' in arrivals)
    return { lengths, stages: [{ kind: 'poisson', perSecond: arrivals.poisson.rate }] };
  if ('bursts' in arrivals) {
    const { rate, factor, busy, share } = arrivals.bursts;
    return {
      lengths,
      stages: [{ kind: 'bursts', perSecond: rate, factor, busySeconds: busy, busyShare: share }],
    };
  }
  if ('records' in arrivals) return recorded(arrivals, file.placements.flatMap(kindsOf));
  const requests = parseTrace(await readText(arrivals.trace), arrivals.trace);
  const replay = requests.map(({ prefixIds, ...lengthsOnly }) => ({
    promptTokens: lengthsOnly.promptTokens,
    outputTokens: lengthsOnly.outputTokens,
    // The last id's block is rarely full, so only whole blocks are shared.
    ...(prefixIds
      ? {
          prefix: {
            ids: prefixIds.slice(0, Math.floor(lengthsOnly.promptTokens / MOONCAKE_BLOCK_TOKENS)),
            tokensPerId: MOONCAKE_BLOCK_TOKENS,
          },
        }
      : {}),
  }));
  return {
    lengths: { kind: 'observed', pairs: replay },
    stages: [{ kind: 'trace', times: requests.map((r) => r.time / arrivals.speed) }],
    replay,
  };
}

async function recorded(
  { records, config, last, speed }: RecordsFile,
  kinds: readonly ExpertKindFile[],
): Promise<Load> {
  const loaded = await loadConfig(config, process.env);
  const router = await composeRouter(loaded, await loadRouterModel(loaded), idleLoads(loaded));
  const decisions = await readDecisions(records, router.model, parseDuration(last)!);
  const load = replayOf(decisions, router);
  const times = load.times.map((time) => time / speed);
  const byRecords = kinds.some((kind) => kind.calibrated === BY_RECORDS);
  const timed = loaded.experts.map(({ id, url, discover }) => ({
    id,
    constants: calibrated(decisions.lines, id, replicasOf(url, discover) ?? 1),
  }));
  const { replay } = load;
  return {
    lengths: { kind: 'observed', pairs: replay },
    stages: [{ kind: 'trace', times }],
    replay,
    recorded: byRecords ? { ...load, notices: [...load.notices, ...timedBy(timed)] } : load,
    timed,
  };
}

function timedBy(engines: readonly RecordedEngine[]): readonly Notice[] {
  const ids = (known: boolean) =>
    engines.filter(({ constants }) => (constants !== null) === known).map(({ id }) => id);
  const notices = [
    { kind: 'timed', experts: ids(true) },
    { kind: 'modelled', experts: ids(false) },
  ] as const;
  return notices.filter(({ experts }) => experts.length > 0);
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new UserError(`arrivals.trace: cannot read ${path}.`, { cause });
  }
}

function lengthsOf({ lengths }: ScenarioFile): LengthModel {
  if (typeof lengths !== 'string') {
    const side = (value: typeof lengths.prompt): LengthDistribution =>
      typeof value === 'number' ? { kind: 'fixed', tokens: value } : { kind: 'lognormal', ...value };
    return { kind: 'independent', prompt: side(lengths.prompt), output: side(lengths.output) };
  }
  const named = NAMED_LENGTHS[lengths];
  if (named) return named;
  throw new UserError(`lengths: "${lengths}" is not known. Known: ${Object.keys(NAMED_LENGTHS).join(', ')}.`);
}

/** @param load whose records may time the experts' engines */
export async function composeExperts(
  p: PlacementFile,
  load: Pick<Load, 'timed'>,
): Promise<readonly SimulatedExpertSpec[]> {
  const kinds = kindsOf(p).flatMap((kind) => Array.from({ length: kind.experts }, () => kind));
  return Promise.all(
    kinds.map(async (kind, i) => ({ id: `expert-${i + 1}`, ...(await expertOfKind(kind, load.timed, i)) })),
  );
}

async function measuredOf(
  calibrated: string,
  timed: Load['timed'],
  index: number,
): Promise<MeasuredConstants | null> {
  if (calibrated !== BY_RECORDS) return readCalibrationFile(calibrated);
  if (timed === undefined)
    throw new UserError(
      'calibrated: records: there are none here; replay some with --records, or name a file of expert-router calibrate.',
    );
  // A placement of another number of experts is refused where they are laid beside the config's.
  return timed[index]?.constants ?? null;
}

async function expertOfKind(
  p: ExpertKindFile,
  timed: Load['timed'],
  index: number,
): Promise<Omit<SimulatedExpertSpec, 'id'>> {
  const model = await modelNamed(p.model);
  const found = p.calibrated ? await measuredOf(p.calibrated, timed, index) : null;
  const measured = found ? { measured: found } : {};
  const names = {
    model,
    gpu: p.gpu,
    precision: p.precision ?? defaultPrecision(model, findGpu(p.gpu)).name,
    tensorParallel: p.tensor_parallel,
    engine: p.engine,
    ...(p.kv_cache ? { kvBytes: p.kv_cache === '8bit' ? (1 as const) : (2 as const) } : {}),
    ...(p.expert_parallel ? { expertParallel: true } : {}),
    ...(p.attention_data_parallel ? { attentionData: true } : {}),
  };
  const d = { ...deployment(names), ...measured };
  const limits: EngineLimits = {
    ...DEFAULT_LIMITS,
    ...(p.max_batch ? { maxBatch: p.max_batch } : {}),
    ...(p.max_tokens ? { maxTokens: p.max_tokens } : {}),
    ...(p.kv_fraction ? { kvFraction: p.kv_fraction } : {}),
  };
  const reserves = d.engine.startsWith('tensorrt');
  const admission = p.admission ?? (reserves ? 'guaranteed-no-evict' : 'optimistic');
  return {
    deployment: d,
    replicas: p.replicas,
    limits,
    admission,
    chunkedPrefill: p.chunked_prefill,
    ...(p.slots ? { slots: p.slots } : {}),
    ...(p.front_end ? { frontEnd: p.front_end } : {}),
  };
}

/** The kinds of prompts and their frequencies: real prompts if given, else one kind per expert by default. */
export async function composeClusters(
  file: ScenarioFile,
  experts: number,
  { recorded }: Load,
): Promise<Pick<FleetScenario, 'shares' | 'prompts'>> {
  if (recorded) return recordedPrompts(recorded, experts);
  const { count, skew, shares, prompts, config } = file.clusters;
  if (prompts !== undefined) return realPrompts(prompts, config, experts);
  const given = shares ? normalised(shares) : zipfShares(count ?? experts, skew);
  return { shares: given, prompts: ringPrompts(given.length, experts) };
}

export function composeScenario(
  file: ScenarioFile,
  load: Load,
  experts: readonly SimulatedExpertSpec[],
  clusters: Pick<FleetScenario, 'shares' | 'prompts'>,
  policy: BoundPolicy,
  arrivals: Arrivals,
): FleetScenario {
  const ids = load.recorded?.experts;
  return {
    experts: ids ? experts.map((spec, index) => ({ ...spec, id: ids[index]! })) : experts,
    ...clusters,
    arrivals,
    lengths: load.lengths,
    ...(load.replay ? { replay: load.replay } : {}),
    policy,
    ...timesOf(file, load),
    seed: file.seed,
    turns: file.turns,
  };
}

/** Of records all is measured, from the first request to the last. */
function timesOf(
  { seconds, warmup }: ScenarioFile,
  { recorded, stages }: Load,
): Pick<FleetScenario, 'seconds' | 'warmupSeconds'> {
  const [first] = stages;
  if (!recorded || first?.kind !== 'trace') return { seconds, warmupSeconds: warmup };
  return { seconds: Math.max(1, first.times.at(-1)! + 1e-3), warmupSeconds: 0 };
}

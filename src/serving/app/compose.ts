/** Picks the parts: from a config to a router, its experts and a gateway. The only place that knows them all. */
import { createHash, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { describeError, UserError } from '../../core/errors.ts';
import { progressBar } from '../../core/progress.ts';
import { shipped } from '../../core/shipped.ts';
import { readRouterModel } from '../../deciding/model/artefact.ts';
import type { RouterModel } from '../../deciding/model/router-model.ts';
import {
  assignClusters,
  type ClusterAssignment,
  type ExpertProfile,
} from '../../deciding/routing/assignment.ts';
import { POLICIES } from '../../deciding/routing/policies/index.ts';
import type { AnyPolicy, LoadSnapshot } from '../../deciding/routing/policy.ts';
import { bindChoice } from '../../deciding/routing/policy-choice.ts';
import { plainText } from '../../deciding/text/routable.ts';
import { type Config, type ExpertConfig, kindOptions } from '../config/schema.ts';
import type { Expert } from '../experts/expert.ts';
import { EXPERT_KINDS } from '../experts/index.ts';
import type { ExpertDeps } from '../experts/kind.ts';
import { Fleet } from '../fleet/fleet.ts';
import { ExpertGroup } from '../fleet/group.ts';
import { Replica } from '../fleet/replica.ts';
import type { Permitted } from '../front/foreign-page.ts';
import { Gateway } from '../gateway/gateway.ts';
import { Router } from '../gateway/router.ts';
import type { EngineLoad, Telemetry } from '../telemetry/metrics.ts';
import { cacheFolder } from '../weights/cache-folder.ts';
import { placesKey } from '../workers/messages.ts';
import type { WorkerLink } from '../workers/worker-link.ts';
import { listenHost } from './listen-address.ts';
import { StandIns } from './stand-ins.ts';

/** Milliseconds that never run backwards: one clock for a fleet and its replicas. */
const MONOTONIC = (): number => performance.now();

export const DEFAULT_CONFIG = shipped('presets/embedded.yaml');
export const DEFAULT_MODEL = shipped('models/default.router.safetensors');

/** @throws UserError when the file is missing or no router model. */
export async function loadRouterModel(config: Pick<Config, 'router'>): Promise<RouterModel> {
  const file = config.router ?? DEFAULT_MODEL;
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (error) {
    throw new UserError(`Cannot read the router model ${file}: ${describeError(error)}`);
  }
  try {
    return readRouterModel(bytes);
  } catch (error) {
    throw new UserError(`${file}: ${describeError(error)}`);
  }
}

/** Which expert serves which cluster, by the config and the model alone: no expert is started. */
export async function assign(config: Config, model: RouterModel): Promise<readonly ClusterAssignment[]> {
  return assignClusters(model, await Promise.all(config.experts.map((expert) => profile(expert, model))));
}

async function profile(expert: ExpertConfig, { embedding }: RouterModel): Promise<ExpertProfile> {
  const texts = [...(expert.description ? [expert.description] : []), ...(expert.samples ?? [])];
  return {
    id: expert.id,
    clusters: expert.clusters ?? [],
    texts: await Promise.all(
      texts.map(async (text) => ({ text, vector: (await embedding.embed(plainText(text))).vector })),
    ),
    fallback: expert.fallback,
  };
}

/**
 * The router of a config, choosing by the load of the fleet.
 * @param policies the table in which the config's policy is found
 */
export async function composeRouter(
  config: Config,
  model: RouterModel,
  loads: () => readonly LoadSnapshot[],
  policies: readonly AnyPolicy[] = POLICIES,
): Promise<Router> {
  const fallback = config.experts.findIndex((expert) => expert.fallback);
  return new Router({
    model,
    territory: {
      experts: config.experts.map((expert) => expert.id),
      owners: (await assign(config, model)).map((one) => one.expert),
      fallback: fallback >= 0 ? fallback : null,
    },
    policy: bindChoice(policies, config.policy),
    requestTimeout: config.request_timeout,
    loads,
    random: Math.random,
  });
}

/** A load for every expert of the config as if nothing ran: what a decision without a fleet is made on. */
export function idleLoads(config: Config): () => readonly LoadSnapshot[] {
  const idle: LoadSnapshot = {
    inFlight: 0,
    queued: 0,
    outstandingTokens: 0,
    tokensPerSecond: 0,
    capacity: Number.POSITIVE_INFINITY,
    available: true,
  };
  const loads = config.experts.map(() => idle);
  return () => loads;
}

/**
 * Starts every expert of the config, in its order.
 * @param link to the primary, where this process is one of several @param processes how many
 */
export async function composeFleet(
  config: Config,
  deps: ExpertDeps,
  link: WorkerLink | null = null,
  processes = 1,
): Promise<Fleet> {
  const version = configVersion(config);
  const standIns = new StandIns(deps);
  const groups: ExpertGroup[] = [];
  for (const expert of config.experts) {
    const replicas = await composeReplicas(expert, standIns, deps, link, version);
    groups.push(
      new ExpertGroup(expert.id, replicas, {
        queueSize: expert.queue_size,
        queueTimeout: expert.queue_timeout,
      }),
    );
  }
  return new Fleet(groups, Math.random, { now: MONOTONIC, processes });
}

interface ReplicaMaker {
  readonly name: string;
  readonly weight: number;
  /** Rejects with `UserError` when it cannot be had. */
  make(): Promise<Expert>;
}

/** One a replica of an expert; none is made yet. @throws UserError for options that do not go together */
export function replicaMakers(
  expert: ExpertConfig,
  deps: ExpertDeps,
  standIns: StandIns,
): readonly ReplicaMaker[] {
  const kind = kindOf(expert);
  return replicaOptions(expert).map(({ name, weight, options }) => ({
    name,
    weight,
    make: () =>
      standIns.instead(expert.id, kind, kindOptions(expert), () => kind.create(expert.id, options, deps)),
  }));
}

async function composeReplicas(
  expert: ExpertConfig,
  standIns: StandIns,
  deps: ExpertDeps,
  link: WorkerLink | null,
  version: string,
): Promise<readonly Replica[]> {
  const limit = limitOf(expert);
  const made: Replica[] = [];
  for (const [index, { name, weight, make }] of replicaMakers(expert, deps, standIns).entries()) {
    const speaker = await make();
    const shared =
      link && Number.isFinite(limit)
        ? { slots: link.slots(placesKey(version, expert.id, index), limit) }
        : {};
    made.push(new Replica(name, speaker, { weight, limit, now: MONOTONIC, ...shared }));
  }
  return made;
}

/** The whole gateway over a fleet. */
export async function composeGateway(
  config: Config,
  model: RouterModel,
  fleet: Fleet,
  telemetry: Telemetry,
  policies: readonly AnyPolicy[] = POLICIES,
): Promise<Gateway> {
  const firstToken = new Map(
    config.experts.map((expert) => [
      expert.id,
      expert.first_token_timeout ?? kindOf(expert).admission.firstTokenMs,
    ]),
  );
  return new Gateway(await composeRouter(config, model, () => fleet.loads(), policies), fleet, telemetry, {
    requestTimeout: config.request_timeout,
    heartbeat: config.heartbeat,
    hedge: config.hedge,
    firstTokenTimeout: (expert) => firstToken.get(expert)!,
  });
}

/** Where web pages may come from, besides this machine itself. */
export function permittedPages(config: Config): Permitted {
  return { hosts: [listenHost(config), ...config.allowed_hosts], origins: config.allowed_origins };
}

/** Short and equal for equal configs, whichever process asks. */
function configVersion(config: Config): string {
  return createHash('sha256').update(JSON.stringify(config)).digest('hex').slice(0, 8);
}

/** The load of every expert in this process, for the metrics page. */
export function ownLoads(fleet: Fleet): ReadonlyMap<string, ReturnType<typeof ownLoad>> {
  return new Map(Array.from(fleet.groups, ([id, group]) => [id, ownLoad(group)]));
}

/** What engines last reported, for the metrics page. */
export function engineLoads(fleet: Fleet): readonly EngineLoad[] {
  return [...fleet.groups].flatMap(([expert, group]) =>
    group.replicas.flatMap((replica) => {
      const { seen } = replica.report;
      if (!seen || replica.reportState === 'lost') return [];
      return { expert, replica: replica.name, ...seen.load, ageSeconds: (replica.reportAge ?? 0) / 1000 };
    }),
  );
}

/** Of this process alone: metrics are added up over workers. */
function ownLoad(group: ExpertGroup): { inFlight: number; queued: number; available: boolean } {
  const inFlight = group.replicas.reduce((sum, replica) => sum + replica.own.inFlight, 0);
  return { inFlight, queued: group.queued, available: group.load().available };
}

/** Whether every expert is a server elsewhere, so that more processes of the gateway mean more throughput. */
export function canHaveWorkers(config: Config): boolean {
  return !config.experts.some(isInProcess);
}

/** Whether an expert computes inside this process. */
export function isInProcess(expert: ExpertConfig): boolean {
  return kindOf(expert).inProcess;
}

function limitOf(expert: ExpertConfig): number {
  return expert.max_concurrent ?? kindOf(expert).admission.maxConcurrent;
}

function replicaOptions(
  expert: ExpertConfig,
): readonly { readonly name: string; readonly weight: number; readonly options: unknown }[] {
  const options = kindOptions(expert);
  return kindOf(expert).replicas?.(options) ?? [{ name: expert.id, weight: 1, options }];
}

function kindOf(expert: ExpertConfig): (typeof EXPERT_KINDS)[number] {
  return EXPERT_KINDS.find((candidate) => candidate.kind === expert.kind)!;
}

export function expertDeps(log: (line: string) => void): ExpertDeps {
  return {
    cacheFolder: cacheFolder(process.env, process.platform, homedir()),
    environment: process.env,
    newId: (prefix) => `${prefix}-${randomUUID().replaceAll('-', '')}`,
    now: Date.now,
    progress: progressBar,
    log,
  };
}

/** Picks the parts of a gateway: from a config to a router, a fleet and what serves requests with them. */
import { stat } from 'node:fs/promises';
import type { z } from 'zod';
import { UserError } from '../../core/errors.ts';
import { shipped } from '../../core/shipped.ts';
import { DEFAULT_MODEL, loadModelFile } from '../../deciding/model/file.ts';
import type { RouterModel } from '../../deciding/model/router-model.ts';
import { clusterNumber } from '../../deciding/routing/assignment.ts';
import {
  type Described,
  type DescribedExpert,
  describeExperts,
  territoryOf,
} from '../../deciding/routing/described.ts';
import type { Locality } from '../../deciding/routing/locality.ts';
import { POLICIES } from '../../deciding/routing/policies/index.ts';
import { type AnyPolicy, idleLoad, type LoadSnapshot } from '../../deciding/routing/policy.ts';
import { bindChoice } from '../../deciding/routing/policy-choice.ts';
import { deidentifierOf } from '../../deciding/text/identifiers/deidentify.ts';
import type { AnyKind, Catalogue } from '../config/catalogue.ts';
import type { ExpertConfig } from '../config/expert-fields.ts';
import type { Config } from '../config/schema.ts';
import { startLimit } from '../config/start-fields.ts';
import type { Expert } from '../experts/expert.ts';
import { EXPERT_KINDS } from '../experts/index.ts';
import type { ExpertDeps } from '../experts/kind.ts';
import { writesText } from '../experts/option-types.ts';
import { BusyClock } from '../fleet/busy-clock.ts';
import type { ColdStarts } from '../fleet/cold-start.ts';
import type { Drains } from '../fleet/drains.ts';
import { Fleet } from '../fleet/fleet.ts';
import { type Cold, ExpertGroup } from '../fleet/group.ts';
import type { Declared } from '../fleet/known.ts';
import { Replica } from '../fleet/replica.ts';
import { type SlotSource, slotsKey } from '../fleet/slots.ts';
import type { Permitted } from '../front/foreign-page.ts';
import type { Conversations } from '../gateway/conversations.ts';
import { Gateway } from '../gateway/gateway.ts';
import { type Meaning, meaningOf, Names } from '../gateway/names.ts';
import { type Choice, Router } from '../gateway/router.ts';
import { Shadow } from '../gateway/shadow.ts';
import type { Telemetry } from '../telemetry/metrics.ts';
import { follow } from './follow.ts';
import { HealthLog } from './health-log.ts';
import { discoverOf, expertAt, isInProcess, kindOf, replicaMakers } from './kinds.ts';
import { listenHost } from './listen-address.ts';
import { StandIns } from './stand-ins.ts';
import { expertDeps, type World } from './world.ts';

export const DEFAULT_CONFIG = shipped('presets/embedded.yaml');

/** @throws UserError when the file is missing or no router model, and for names of clusters that it does not have or that are alike */
export async function loadRouterModel({
  router = DEFAULT_MODEL,
  cluster_names: wanted,
}: Pick<Config, 'router' | 'cluster_names'>): Promise<RouterModel> {
  const model = await loadModelFile(router);
  for (const number of Object.keys(wanted)) clusterNumber(model.names, 'cluster_names', Number(number));
  const names = model.names.map((name, cluster) => wanted[cluster] ?? name);
  const twice = names.find((name, cluster) => names.indexOf(name) !== cluster);
  if (twice !== undefined) throw new UserError(`cluster_names: two clusters would be called '${twice}'.`);
  return { ...model, names };
}

/** Null where the config names none, and for a file that does not exist yet. @throws UserError for one that is no router model */
async function loadShadow({ shadow }: Config): Promise<RouterModel | null> {
  const exists = shadow !== undefined && (await stat(shadow).catch(() => null)) !== null;
  return exists ? loadModelFile(shadow) : null;
}

/** Which expert serves what, by the config and the model alone: no expert is started. */
export function assign(config: Config, model: RouterModel): Promise<Described> {
  return describeExperts(model, config.experts.map(described));
}

/** One whose model writes no text claims no prompts. */
function described(expert: ExpertConfig): DescribedExpert {
  const { id, capabilities: list } = expert;
  return Array.isArray(list) && !writesText(list) ? { id } : expert;
}

interface Choosing {
  /** The table in which the config's policy is found. */
  readonly policies?: readonly AnyPolicy[];
  /** In which the kinds of its experts are found. */
  readonly kinds?: readonly AnyKind[];
  /** Uniform in [0, 1). */
  random?(): number;
}

/** The router of a config, choosing by these loads: those of a fleet, or `idleLoads`. */
export async function composeRouter(
  config: Config,
  model: RouterModel,
  loads: () => readonly LoadSnapshot[],
  { policies = POLICIES, kinds = EXPERT_KINDS, random = Math.random }: Choosing = {},
): Promise<Router> {
  const policy = bindChoice(policies, config.policy);
  return new Router({
    model,
    names: namesOf(config),
    choices: await choicesOf(config, model, { policies, policy, loads }),
    territory: await territoryOf(model, config.experts.map(described), config.worth),
    policy,
    locality: localityOf(config, model, kinds),
    deidentify: deidentifierOf(config.deidentify),
    exploration: config.exploration,
    sideRequests: config.side_requests,
    repeatedLines: config.repeated_lines,
    requestTimeout: config.request_timeout,
    loads,
    random,
  });
}

function namesOf({ experts, aliases }: Config): Names {
  const meanings = Object.entries(aliases).map(([name, alias]): [string, Meaning] => [
    name,
    typeof alias === 'string' ? meaningOf(alias) : { kind: 'choice', name },
  ]);
  return new Names(
    experts.map(({ id }) => id),
    new Map(meanings),
    modelsOf(experts),
  );
}

/** The models that experts are configured with, each with its expert; without those that several serve. */
function modelsOf(experts: Config['experts']): ReadonlyMap<string, string> {
  const named = experts.filter(({ model }) => typeof model === 'string');
  const alone = named.filter(({ id, model }) => named.every((one) => one.id === id || one.model !== model));
  return new Map(alone.map(({ id, model }) => [model as string, id]));
}

/** The choices that aliases stand for: each among its own experts, whose clusters are dealt out among them alone. */
async function choicesOf(
  { experts, aliases, worth }: Config,
  model: RouterModel,
  auto: { readonly policies: readonly AnyPolicy[] } & Pick<Choice, 'policy' | 'loads'>,
): Promise<ReadonlyMap<string, Choice>> {
  const choices = new Map<string, Choice>();
  for (const [name, alias] of Object.entries(aliases)) {
    if (typeof alias === 'string') continue;
    const among = experts.filter(({ id }) => alias.experts?.includes(id) ?? true);
    const positions = among.map((expert) => experts.indexOf(expert));
    choices.set(name, {
      territory: await territoryOf(model, among.map(described), worth),
      policy: alias.policy === null ? auto.policy : bindChoice(auto.policies, alias.policy),
      loads: () => {
        const all = auto.loads();
        return positions.map((position) => all[position]!);
      },
    });
  }
  return choices;
}

/** What computes in this process is local unless the config says otherwise. @throws UserError for an unknown cluster */
function localityOf(config: Config, { names }: RouterModel, kinds: readonly AnyKind[]): Locality {
  const local = config.experts.filter((expert) => expert.local ?? isInProcess(expert, kinds));
  const numbers = config.local_only_clusters.map((one) => clusterNumber(names, 'local_only_clusters', one));
  return { experts: new Set(local.map(({ id }) => id)), clusters: new Set(numbers) };
}

/** A load for every expert of the config as if nothing ran: what a decision without a fleet is made on. */
export function idleLoads(config: Config): () => readonly LoadSnapshot[] {
  const loads = config.experts.map(() => idleLoad);
  return () => loads;
}

export interface FleetParts {
  readonly world: World;
  readonly kinds: readonly AnyKind[];
  readonly slots: SlotSource;
  readonly coldStarts: ColdStarts;
  /** What operators have taken out of service. */
  readonly drains: Drains;
  /** How many processes serve, this one included. */
  readonly processes: number;
  /** Whether this process logs changes in the health of experts. */
  readonly tellsHealth: boolean;
}

/** Starts every expert of the config, in its order. Rejects with `UserError` when one cannot be had. */
export async function composeFleet(config: Config, parts: FleetParts): Promise<Fleet> {
  const { world, processes } = parts;
  const deps = expertDeps(world);
  const starting = { ...parts, deps, standIns: new StandIns(deps), clocks: new Map<string, BusyClock>() };
  const groups: ExpertGroup[] = [];
  try {
    for (const expert of config.experts) {
      groups.push(
        new ExpertGroup(expert.id, await composeReplicas(expert, starting), {
          face: await faceOf(expert, starting),
          queueSize: expert.queue_size,
          queueTimeout: expert.queue_timeout,
          declared: declaredOf(expert, parts.kinds),
          now: world.clock.monotonic,
          cold: coldOf(expert, starting),
        }),
      );
    }
  } catch (error) {
    await Promise.all(groups.flatMap(({ replicas }) => replicas.map((replica) => replica.expert.close())));
    throw error;
  }
  const health = parts.tellsHealth ? new HealthLog(world.log) : null;
  const firstToken = firstTokenTimeouts(config, parts.kinds);
  const fleet = new Fleet(groups, world.random, {
    now: world.clock.monotonic,
    processes,
    drains: parts.drains,
    proofMs: (expert) => firstToken.get(expert)!,
    heard: (expert, replica, found) => health?.found(expert, replica, found),
    gone: (expert, replica) => {
      health?.forget(expert, replica);
      parts.slots.drop(slotsKey(expert, replica, 0));
    },
  });
  await Promise.all(config.experts.map((expert, at) => follow(fleet, groups[at]!, expert, starting)));
  return fleet;
}

function declaredOf(expert: ExpertConfig, kinds: readonly AnyKind[]): Declared {
  const { context = expert.context_window, modalities = expert.takes } = expert;
  const { tools, structured_output, thinking } = expert;
  // What becomes of a context that its kind makes is told by the expert itself: weights may be made for less.
  const { shape } = kindOf(expert, kinds).options as z.ZodObject;
  return {
    context: 'context' in shape ? undefined : context,
    takes: modalities,
    tools,
    structured_output,
    thinking,
  };
}

/** How long its start is waited for; undefined for an expert that nobody starts. */
function coldOf(expert: ExpertConfig, { coldStarts }: FleetParts): Cold | undefined {
  const limitMs = startLimit(expert);
  return limitMs === undefined ? undefined : { limitMs, start: coldStarts.of(expert.id) };
}

/** What speaks for an expert while none of its replicas has been found. */
async function faceOf(expert: ExpertConfig, { deps, kinds }: Starting): Promise<Expert | undefined> {
  return discoverOf(expert, kinds) === null ? undefined : expertAt(expert, NOWHERE, deps, kinds);
}

/** An address that is never asked. */
const NOWHERE = 'http://nowhere.invalid';

interface Starting extends FleetParts {
  readonly deps: ExpertDeps;
  readonly standIns: StandIns;
  /** Of servers, by name: experts may share one. */
  readonly clocks: Map<string, BusyClock>;
}

async function composeReplicas(
  expert: ExpertConfig,
  { deps, standIns, kinds, slots, world, clocks }: Starting,
): Promise<readonly Replica[]> {
  const limit = expert.max_concurrent ?? kindOf(expert, kinds).admission.maxConcurrent;
  const made: Replica[] = [];
  const now = world.clock.monotonic;
  const its = { ...deps, loadedWhenNeeded: expert.start === 'engine' };
  for (const { name, weight, make } of replicaMakers(expert, its, standIns, kinds)) {
    const speaker = await make();
    const index = made.filter((one) => one.name === name).length;
    const own = slots.slots(slotsKey(expert.id, name, index));
    const clock = clocks.get(name) ?? new BusyClock();
    clocks.set(name, clock);
    made.push(new Replica(name, speaker, { weight, limit, now, slots: own, clock }));
  }
  return made;
}

export interface GatewayParts {
  readonly model: RouterModel;
  readonly fleet: Fleet;
  readonly telemetry: Telemetry;
  readonly catalogue: Catalogue;
  readonly world: World;
  readonly conversations: Conversations;
}

/** Milliseconds that an expert has to begin an answer. */
function firstTokenTimeouts(config: Config, kinds: readonly AnyKind[]): ReadonlyMap<string, number> {
  return new Map(
    config.experts.map((expert) => [
      expert.id,
      expert.first_token_timeout ?? kindOf(expert, kinds).admission.firstTokenMs,
    ]),
  );
}

/** The whole gateway over a fleet. */
export async function composeGateway(config: Config, parts: GatewayParts): Promise<Gateway> {
  const { model, fleet, telemetry, catalogue, world, conversations } = parts;
  const { random } = world;
  const firstToken = firstTokenTimeouts(config, catalogue.kinds);
  const choosing = { policies: catalogue.policies, kinds: catalogue.kinds, random };
  const router = await composeRouter(config, model, () => fleet.loads(), choosing);
  const shadow = await loadShadow(config);
  return new Gateway(router, fleet, telemetry, {
    shadow:
      shadow &&
      new Shadow(await composeRouter(config, shadow, idleLoads(config), choosing), world.clock.monotonic),
    requestTimeout: config.request_timeout,
    heartbeat: config.heartbeat,
    hedge: config.hedge,
    epoch: world.clock.epoch,
    now: world.clock.monotonic,
    firstTokenTimeout: (expert) => firstToken.get(expert)!,
    conversations,
  });
}

/** Where web pages may come from, besides this machine itself. */
export function permittedPages(config: Config): Permitted {
  return { hosts: [listenHost(config), ...config.allowed_hosts], origins: config.allowed_origins };
}

/** A gateway from its config: what every way to serve one shares, be it alone, as a worker or inside a program. */

import { randomBytes } from 'node:crypto';
import { spaceId } from '../../deciding/model/artefact.ts';
import { RecentShares } from '../../deciding/model/drift.ts';
import type { RouterModel } from '../../deciding/model/router-model.ts';
import type { LoadSnapshot } from '../../deciding/routing/policy.ts';
import { Arrivals } from '../../deciding/scaling/arrivals.ts';
import { textUsed } from '../../deciding/text/routable.ts';
import { Board } from '../board/board.ts';
import { BoardPages } from '../board/pages.ts';
import type { Question, Told } from '../board/wire.ts';
import type { Catalogue } from '../config/catalogue.ts';
import type { Config } from '../config/schema.ts';
import { ColdStarts } from '../fleet/cold-start.ts';
import { Drains } from '../fleet/drains.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { Signals } from '../fleet/keeping.ts';
import { OwnSlots } from '../fleet/slots.ts';
import type { RequestNote } from '../front/request-note.ts';
import { type GatewayServer, gatewayServer, type ServerOptions } from '../front/server.ts';
import { Conversations } from '../gateway/conversations.ts';
import type { Routed } from '../gateway/router.ts';
import { EmbeddedStore } from '../limits/embedded-store.ts';
import type { LimitStore } from '../limits/store.ts';
import { Audit, type AuditedCall, changesOf } from '../records/audit.ts';
import type { DecisionFeatures } from '../records/record.ts';
import { Records } from '../records/records.ts';
import { Demands } from '../scaler/demands.ts';
import { SpanExporter } from '../telemetry/exporter.ts';
import { watchDrift, watchGateways } from '../telemetry/gauges.ts';
import { Telemetry } from '../telemetry/metrics.ts';
import { otelSettings } from '../telemetry/otel-environment.ts';
import { Tracing } from '../telemetry/tracing.ts';
import type { WorkerLink } from '../workers/worker-link.ts';
import { IdleGpus } from './idle-gpus.ts';
import { hasLimits, openLimits } from './limits.ts';
import { operationsOf } from './operating.ts';
import { Retraining } from './retraining.ts';
import { Setup } from './setup.ts';
import { sharing } from './sharing.ts';
import { startMemory } from './start-memory.ts';
import { WhatIf } from './what-if.ts';
import type { World } from './world.ts';

/** A choice, for a log: it holds nothing of the prompt. */
export interface DecisionNote {
  readonly traceId: string;
  /** Id of the expert chosen. */
  readonly expert: string;
  /** Why, as in the header `x-expert-router-reason`. */
  readonly reason: string;
  readonly cluster: number;
  readonly clusterName: string;
  /** 0 to 1. */
  readonly confidence: number;
}

export interface AssemblyParts {
  readonly world: World;
  readonly catalogue: Catalogue;
  /** In place of the one that the config names; null for that. */
  readonly routerModel: RouterModel | null;
  /** Whether the metrics page also has CPU, memory and event-loop delay of the process. */
  readonly processMetrics: boolean;
  /** Whether experts are asked for health and load between requests. */
  readonly probes: boolean;
  /** Has every process take up the config as it is now; rejects with the reason where they do not. */
  reload(): Promise<unknown>;
  onDecision(note: DecisionNote): void;
  onRequest(note: RequestNote): void;
}

/** One process of several: its link to the primary, and how many there are. */
export interface Shared {
  readonly link: WorkerLink;
  readonly processes: number;
  /** What the dashboard's sessions are signed with, the same in all. */
  readonly secret: string;
  /** Whether this one logs what all of them see alike. */
  readonly speaks: boolean;
}

export interface Assembly {
  readonly server: GatewayServer;
  readonly setup: Setup;
  readonly telemetry: Telemetry;
  /** Of one request, where it is traced. */
  readonly spans: ServerOptions['spans'];
  /** To be called once a request, whatever transport it came by. */
  ended(note: RequestNote): void;
  readonly demands: Demands;
  /** What this process sees of experts that are started as they are needed. */
  signals(): Signals;
  /** Null where the config asks for none. */
  readonly records: Records | null;
  /** Where limits are counted; null where there are none. */
  readonly limits: LimitStore | null;
  /** Ends the log of who called, and what is told to other gateways. */
  closeTelling(): void;
  /** What the dashboard shows of this process. */
  readonly board: Board;
  /** Ends with the gateway. */
  readonly retraining: Retraining;
  /** Null unless OpenTelemetry's variables ask for it. */
  readonly tracing: Tracing | null;
}

/** @param shared null in the only process. Rejects with `UserError` when the config cannot be made ready. */
export async function assemble(
  config: Config,
  { world, catalogue, routerModel, processMetrics, probes, reload, onDecision, onRequest }: AssemblyParts,
  shared: Shared | null = null,
): Promise<Assembly> {
  const { log, clock } = world;
  const telemetry = new Telemetry({ processMetrics, now: clock.monotonic });
  const { registry } = telemetry;
  const records = config.records ? await openRecords(config.records, world, shared?.processes ?? 1) : null;
  const otel = otelSettings(world.environment);
  const tracing = otel && new Tracing(otel.sampler, new SpanExporter({ ...otel, log }));
  const spaces = new Spaces();
  const shares = new Shares();
  const arrivals = new Arrivals(clock.monotonic);
  const audit = config.audit ? new Audit({ dir: config.audit.dir, log }) : null;
  const keeping = hasLimits(config) ? await openLimits(config, world) : null;
  const limits = {
    store: keeping,
    standIn: new EmbeddedStore({ dir: null, clock, log }),
  };
  const conversations = new Conversations();
  shared?.link.share(conversations);
  const drains = shared?.link.drains ?? new Drains();
  const retraining = new Retraining({
    config: () => setup.current().config,
    now: clock.epoch,
    log,
    reload,
  });
  const setup: Setup = await Setup.start(config, {
    limits,
    keysChanged: (before, after) =>
      audit?.write({ event: 'config', at: isoOf(clock.epoch()), ...changesOf(before, after) }),
    world,
    catalogue,
    telemetry,
    routerModel,
    probes,
    drains,
    operations: operationsOf({
      world,
      drains,
      link: shared?.link ?? null,
      audit,
      reload,
      retraining,
      inForce: () => inForce(setup),
    }),
    slots: shared?.link ?? new OwnSlots(),
    coldStarts: new ColdStarts(clock.monotonic, config.records && startMemory(config.records.dir, log)),
    conversations,
    processes: shared?.processes ?? 1,
    tellsHealth: shared?.speaks ?? true,
    metrics: async () => ({
      contentType: registry.contentType,
      page: await (shared ? shared.link.metricsPage() : registry.metrics()),
    }),
    onRouted: (routed, note) => {
      arrivals.note(routed.decision.home, routed.view.promptTokens + routed.view.outputTokens);
      const { gateway, board: shown } = setup.current().context;
      gateway.fleet.groups.get(routed.decision.home)?.wanted();
      shares.of(gateway.router.model).note(routed.classification.cluster, routed.classification.outside);
      if (shown) board.opened(routed, note);
      onDecision(noteOf(routed, note.traceId));
      const shadow = gateway.shadow?.see(routed) ?? null;
      records?.decided({
        ...featuresOf(routed, note.traceId, spaces.of(gateway.router.model)),
        out: outOf(gateway.fleet),
        prompt: config.records?.prompts ? textUsed(routed.text) : null,
        shadow,
      });
    },
    feedback: records && ((feedback) => records.feedback(feedback)),
    gateways: () => {
      const { digest, context } = setup.current();
      const routerModel = context.gateway.router.model.id;
      return { config: digest, routerModel, peers: hints?.peers() ?? [] };
    },
    board: { answer: (exchange) => pages.answer(exchange) },
  }).catch(async (error: unknown) => {
    await keeping?.close();
    throw error;
  });
  const secret = shared?.secret ?? randomBytes(32).toString('hex');
  const drift = () => shares.of(setup.current().context.gateway.router.model).drift();
  watchDrift(registry, drift);
  const board = new Board(() => setup.current().context.gateway, clock.epoch, secret, drift);
  const pages = new BoardPages({
    board,
    whatIf: new WhatIf(() => setup.current().config),
    gather: async (question) =>
      shared ? ((await shared.link.askAll(question)) as readonly Told[] | null) : [board.answer(question)],
    secret,
    now: clock.epoch,
    current: () => setup.current(),
  });
  const signals = () => setup.current().context.gateway.fleet.signals((expert) => arrivals.count(expert));
  if (shared) {
    shared.link.onQuestion = (question) => board.answer(question as Question);
    shared.link.onSignals = signals;
  }
  const ended = (note: RequestNote): void => {
    telemetry.ended(note);
    if (setup.current().context.board) board.ended(note);
    records?.ended(note);
    audit?.write(auditedCall(note, setup.current()));
    if (note.span) tracing?.ended({ ...note, span: note.span });
    onRequest(note);
  };
  const speaks = shared?.speaks ?? true;
  const idle = audit && speaks ? idleOf(audit, setup, clock) : null;
  const demands = new Demands({
    fleet: () => setup.current().context.gateway.fleet,
    arrivals,
    elsewhere: (expert) => hints?.demandsOf(expert) ?? [],
    now: clock.monotonic,
  });
  const hints = await sharing(config, {
    setup: () => setup,
    conversations,
    demands,
    clock,
    log: speaks ? log : () => {},
  });
  if (hints) watchGateways(registry, () => hints.peers());
  const closeTelling = (): void => {
    for (const one of [hints, idle, audit]) one?.close();
  };
  const spans: ServerOptions['spans'] = (traceparent, traceId) =>
    tracing?.spans(traceparent, traceId) ?? null;
  const current = () => setup.current();
  const server = gatewayServer({ log, clock, current, spans, ended });
  return {
    server,
    setup,
    telemetry,
    spans,
    ended,
    records,
    limits: keeping,
    closeTelling,
    demands,
    signals,
    board,
    retraining,
    tracing,
  };
}

/** What serves. */
export function inForce(setup: Setup): { readonly experts: readonly string[]; readonly routerModel: string } {
  const { fleet, router } = setup.current().context.gateway;
  return { experts: [...fleet.groups.keys()], routerModel: router.model.id };
}

function idleOf(audit: Audit, setup: Setup, clock: World['clock']): IdleGpus {
  return new IdleGpus({
    fleet: () => setup.current().context.gateway.fleet,
    prices: () => setup.current().prices,
    now: clock.monotonic,
    at: () => isoOf(clock.epoch()),
    write: (entry) => audit.write(entry),
  });
}

function openRecords(
  { dir, max_bytes: maxBytes }: NonNullable<Config['records']>,
  { clock, log }: World,
  writers: number,
): Promise<Records> {
  const name = `${Math.floor(clock.epoch())}-${process.pid}`;
  return Records.open({ dir, maxBytes, writers, name, log }, clock.epoch);
}

const isoOf = (epochMs: number): string => new Date(epochMs).toISOString();

function auditedCall(note: RequestNote, { keys }: ReturnType<Setup['current']>): AuditedCall {
  const { key, expert, promptTokens, cachedTokens, completionTokens } = note;
  return {
    event: 'call',
    at: isoOf(note.at),
    trace_id: note.traceId,
    key,
    team: key === null ? null : (keys.find(({ name }) => name === key)?.team ?? null),
    path: note.path,
    expert,
    cluster: note.clusterName,
    status: note.status,
    error: note.error,
    prompt_tokens: promptTokens,
    cached_tokens: cachedTokens,
    completion_tokens: completionTokens,
    gpu_seconds: note.gpuSeconds,
    usd: note.usd,
  };
}

/** The latest requests by cluster, begun anew with another router model. */
class Shares {
  #id: string | null = null;
  #recent = new RecentShares([]);

  of({ id, sizes }: RouterModel): RecentShares {
    if (id !== this.#id) {
      this.#id = id;
      this.#recent = new RecentShares(sizes);
    }
    return this.#recent;
  }
}

/** Names of embedding spaces, computed once a router model. */
class Spaces {
  readonly #known = new WeakMap<RouterModel, string>();

  of(model: RouterModel): string {
    const space = this.#known.get(model) ?? spaceId(model);
    this.#known.set(model, space);
    return space;
  }
}

function featuresOf(
  { decision, classification }: Routed,
  traceId: string,
  space: string,
): Omit<DecisionFeatures, 'out' | 'prompt' | 'shadow'> {
  const { cluster, vector, outside } = classification;
  const { expert, home, reason, livedAt, spilledFor } = decision;
  return { traceId, space, vector, cluster, outside, expert, home, reason, livedAt, spilledFor };
}

/** Those that take no requests now, and are not to be started for one either. */
function outOf({ groups }: Fleet): readonly string[] {
  const isOut = ({ available, startsIn }: LoadSnapshot): boolean => !available && startsIn === undefined;
  return [...groups.values()].filter((group) => isOut(group.load())).map(({ id }) => id);
}

function noteOf({ decision, classification }: Routed, traceId: string): DecisionNote {
  const { cluster, name, confidence } = classification;
  const { expert, reason } = decision;
  return { traceId, expert, reason, cluster, clusterName: name, confidence };
}

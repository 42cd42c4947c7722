/** A gateway from its config: what every way to serve one shares, be it alone, as a worker or inside a program. */
import { spaceId } from '../../deciding/model/artefact.ts';
import type { RouterModel } from '../../deciding/model/router-model.ts';
import type { Catalogue } from '../config/catalogue.ts';
import type { Config } from '../config/schema.ts';
import { OwnSlots } from '../fleet/slots.ts';
import type { RequestNote } from '../front/request-note.ts';
import { type GatewayServer, gatewayServer } from '../front/server.ts';
import type { Routed } from '../gateway/router.ts';
import type { DecisionFeatures } from '../records/record.ts';
import { Records } from '../records/records.ts';
import { Arrivals } from '../scaler/arrivals.ts';
import { Telemetry } from '../telemetry/metrics.ts';
import type { WorkerLink } from '../workers/worker-link.ts';
import { Setup } from './setup.ts';
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
  onDecision(note: DecisionNote): void;
  onRequest(note: RequestNote): void;
}

/** One process of several: its link to the primary, and how many there are. */
export interface Shared {
  readonly link: WorkerLink;
  readonly processes: number;
  /** Whether this one logs what all of them see alike. */
  readonly speaks: boolean;
}

export interface Assembly {
  readonly server: GatewayServer;
  readonly setup: Setup;
  readonly telemetry: Telemetry;
  /** To be called once a request, whatever transport it came by. */
  ended(note: RequestNote): void;
  /** Of every request, by the expert that it belongs to. */
  readonly arrivals: Arrivals;
  /** Null where the config asks for none. */
  readonly records: Records | null;
}

/** @param shared null in the only process. Rejects with `UserError` when the config cannot be made ready. */
export async function assemble(
  config: Config,
  { world, catalogue, routerModel, processMetrics, probes, onDecision, onRequest }: AssemblyParts,
  shared: Shared | null = null,
): Promise<Assembly> {
  const { log, clock } = world;
  const telemetry = new Telemetry({ processMetrics, now: clock.monotonic });
  const { registry } = telemetry;
  const records = config.records ? await openRecords(config.records, world, shared?.processes ?? 1) : null;
  const spaces = new Spaces();
  const arrivals = new Arrivals(clock.monotonic);
  const setup = await Setup.start(config, {
    world,
    catalogue,
    telemetry,
    routerModel,
    probes,
    slots: shared?.link ?? new OwnSlots(),
    processes: shared?.processes ?? 1,
    tellsHealth: shared?.speaks ?? true,
    metrics: async () => ({
      contentType: registry.contentType,
      page: await (shared ? shared.link.metricsPage() : registry.metrics()),
    }),
    onRouted: (routed, traceId) => {
      arrivals.note(routed.decision.home, routed.view.promptTokens + routed.view.outputTokens);
      onDecision(noteOf(routed, traceId));
      records?.decided(featuresOf(routed, traceId, spaces.of(setup.current().context.gateway.router.model)));
    },
    feedback: records && ((feedback) => records.feedback(feedback)),
  });
  const ended = (note: RequestNote): void => {
    telemetry.ended(note);
    records?.ended(note);
    onRequest(note);
  };
  const current = () => setup.current();
  const server = gatewayServer({ log, clock, current, ended });
  return { server, setup, telemetry, ended, records, arrivals };
}

function openRecords(
  { dir, max_bytes: maxBytes }: NonNullable<Config['records']>,
  { clock, log }: World,
  writers: number,
): Promise<Records> {
  const name = `${Math.floor(clock.epoch())}-${process.pid}`;
  return Records.open({ dir, maxBytes, writers, name, log }, clock.epoch);
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

function featuresOf({ decision, classification }: Routed, traceId: string, space: string): DecisionFeatures {
  const { cluster, vector, outside } = classification;
  const { expert, reason } = decision;
  return { traceId, space, vector, cluster, outside, expert, reason };
}

function noteOf({ decision, classification }: Routed, traceId: string): DecisionNote {
  const { cluster, name, confidence } = classification;
  const { expert, reason } = decision;
  return { traceId, expert, reason, cluster, clusterName: name, confidence };
}

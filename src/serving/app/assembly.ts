/** A gateway from its config: what every way to serve one shares, be it alone, as a worker or inside a program. */
import type { RouterModel } from '../../deciding/model/router-model.ts';
import type { Catalogue } from '../config/catalogue.ts';
import type { Config } from '../config/schema.ts';
import { OwnSlots } from '../fleet/slots.ts';
import type { RequestNote } from '../front/request-note.ts';
import { type GatewayServer, gatewayServer } from '../front/server.ts';
import type { Routed } from '../gateway/router.ts';
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
    onRouted: (routed, traceId) => onDecision(noteOf(routed, traceId)),
  });
  const ended = (note: RequestNote): void => {
    telemetry.ended(note);
    onRequest(note);
  };
  const current = () => setup.current();
  const server = gatewayServer({ log, clock, current, ended });
  return { server, setup, telemetry, ended };
}

function noteOf({ decision, classification }: Routed, traceId: string): DecisionNote {
  const { cluster, name, confidence } = classification;
  const { expert, reason } = decision;
  return { traceId, expert, reason, cluster, clusterName: name, confidence };
}

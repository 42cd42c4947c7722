/**
 * A config made ready to serve, and its replacement by a newer one while requests run: new requests go to the new
 * fleet, running ones end with the old, and a config that cannot be made ready changes nothing.
 */
import type { Config } from '../config/schema.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { HashedKey } from '../front/auth.ts';
import type { Permitted } from '../front/foreign-page.ts';
import { Readiness } from '../front/readiness.ts';
import type { RouteContext } from '../front/routes.ts';
import type { Telemetry } from '../telemetry/metrics.ts';
import type { Prepared, WorkerLink } from '../workers/worker-link.ts';
import {
  composeFleet,
  composeGateway,
  engineLoads,
  expertDeps,
  loadRouterModel,
  ownLoads,
  permittedPages,
} from './compose.ts';

export interface SetupParts {
  readonly telemetry: Telemetry;
  readonly link: WorkerLink | null;
  /** How many processes serve, this one included. */
  readonly processes: number;
  readonly metrics: RouteContext['metrics'];
  readonly onRouted: RouteContext['onRouted'];
  log(line: string): void;
}

interface Serving {
  readonly keys: readonly HashedKey[];
  readonly permitted: Permitted;
  readonly context: RouteContext;
}

/** How often an outgoing fleet is asked whether its last request has ended. */
const RETIRE_EVERY_MS = 500;

export class Setup {
  readonly #parts: SetupParts;
  readonly #startedAt = Math.floor(Date.now() / 1000);
  #serving: Serving;

  private constructor(parts: SetupParts, serving: Serving) {
    this.#parts = parts;
    this.#serving = serving;
    parts.telemetry.watchLoads(() => ownLoads(this.#serving.context.gateway.fleet));
    parts.telemetry.watchEngines(() => engineLoads(this.#serving.context.gateway.fleet));
    this.#begin();
  }

  static async start(config: Config, parts: SetupParts): Promise<Setup> {
    return new Setup(parts, await prepare(config, parts, Math.floor(Date.now() / 1000)));
  }

  current(): Serving {
    return this.#serving;
  }

  /** Makes another config ready. Rejects with the reason, and then nothing has changed. */
  async prepare(config: Config): Promise<Prepared & { readonly model: string }> {
    const next = await prepare(config, this.#parts, this.#startedAt);
    const { fleet, router } = next.context.gateway;
    return {
      model: router.model.id,
      commit: () => {
        const old = this.#serving;
        this.#serving = next;
        this.#begin();
        retire(old.context.gateway.fleet, this.#parts.link);
      },
      abandon: () => void fleet.close(),
    };
  }

  #begin(): void {
    const { fleet } = this.#serving.context.gateway;
    this.#parts.link?.connect(fleet);
    fleet.watch();
  }
}

async function prepare(config: Config, parts: SetupParts, startedAt: number): Promise<Serving> {
  const model = await loadRouterModel(config);
  const fleet = await composeFleet(config, expertDeps(parts.log), parts.link, parts.processes);
  return {
    keys: config.keys,
    permitted: permittedPages(config),
    context: {
      gateway: await composeGateway(config, model, fleet, parts.telemetry),
      metrics: parts.metrics,
      readiness: new Readiness(fleet),
      maxBodyMb: config.max_body_mb,
      startedAt,
      onRouted: parts.onRouted,
    },
  };
}

/** Closes a fleet once nothing is with it any more. */
function retire(fleet: Fleet, link: WorkerLink | null): void {
  const timer = setInterval(() => {
    const busy = [...fleet.groups.values()].some(
      (group) => group.queued > 0 || group.replicas.some((replica) => replica.own.inFlight > 0),
    );
    if (busy) return;
    clearInterval(timer);
    link?.disconnect(fleet);
    void fleet.close();
  }, RETIRE_EVERY_MS);
  timer.unref();
}

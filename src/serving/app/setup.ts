/**
 * A config made ready to serve, and its replacement by a newer one while requests run: new requests go to the new
 * fleet, running ones end with the old, and a bad config changes nothing.
 */
import { unwatchFile, watchFile } from 'node:fs';
import { resolve } from 'node:path';
import { describeError } from '../../core/errors.ts';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { HashedKey } from '../front/auth.ts';
import { Readiness } from '../front/readiness.ts';
import type { RouteContext } from '../front/routes.ts';
import type { Telemetry } from '../telemetry/metrics.ts';
import type { WorkerLink } from '../workers/worker-link.ts';
import {
  composeFleet,
  composeGateway,
  DEFAULT_MODEL,
  engineLoads,
  expertDeps,
  loadRouterModel,
  ownLoads,
} from './compose.ts';

export interface SetupParts {
  /** The config's file, read again on a reload. */
  readonly file: string;
  readonly telemetry: Telemetry;
  readonly link: WorkerLink | null;
  /** How many processes serve, this one included. */
  readonly processes: number;
  readonly metrics: RouteContext['metrics'];
  readonly onRouted: RouteContext['onRouted'];
  log(line: string): void;
}

interface Serving {
  readonly config: Config;
  readonly keys: readonly HashedKey[];
  readonly context: RouteContext;
}

/** How often the files are looked at; a poll sees replaced files and those on network disks alike. */
const LOOK_EVERY_MS = 1_000;
/** How often an outgoing fleet is asked whether its last request has ended. */
const RETIRE_EVERY_MS = 500;

export class Setup {
  readonly #parts: SetupParts;
  readonly #startedAt = Math.floor(Date.now() / 1000);
  #serving: Serving;
  #watched: readonly string[] = [];
  #reloading = false;
  /** The files changed while they were being taken up. */
  #changedMeanwhile = false;

  private constructor(parts: SetupParts, config: Config, serving: Serving) {
    this.#parts = parts;
    this.#serving = serving;
    parts.telemetry.watchLoads(() => ownLoads(this.#serving.context.gateway.fleet));
    parts.telemetry.watchEngines(() => engineLoads(this.#serving.context.gateway.fleet));
    this.#begin(config);
  }

  static async start(config: Config, parts: SetupParts): Promise<Setup> {
    return new Setup(parts, config, await prepare(config, parts, Math.floor(Date.now() / 1000)));
  }

  current(): Serving {
    return this.#serving;
  }

  /** Takes up the files as they are now; says so, or why not. */
  async reload(): Promise<void> {
    if (this.#reloading) {
      this.#changedMeanwhile = true;
      return;
    }
    this.#reloading = true;
    this.#changedMeanwhile = false;
    const { file, log } = this.#parts;
    try {
      const config = await loadConfig(file, process.env);
      const next = await prepare(config, this.#parts, this.#startedAt);
      const old = this.#serving;
      this.#serving = next;
      this.#begin(config);
      retire(old.context.gateway.fleet, this.#parts.link);
      const moved =
        config.listen === old.config.listen ? '' : ` The address stays ${old.config.listen} until a restart.`;
      log(
        `Reloaded ${file}: ${config.experts.length} experts, router model ${next.context.gateway.router.model.id}.${moved}`,
      );
    } catch (error) {
      log(`Not reloaded, still serving as before: ${describeError(error)}`);
    } finally {
      this.#reloading = false;
    }
    if (this.#changedMeanwhile) await this.reload();
  }

  /** Stops looking at the files. */
  close(): void {
    for (const file of this.#watched) unwatchFile(file);
  }

  #begin(config: Config): void {
    const { gateway } = this.#serving.context;
    this.#parts.link?.connect(gateway.fleet);
    gateway.fleet.watch();
    this.close();
    this.#watched = [resolve(this.#parts.file), config.router ?? DEFAULT_MODEL];
    for (const file of this.#watched) {
      watchFile(file, { interval: LOOK_EVERY_MS, persistent: false }, () => void this.reload());
    }
  }
}

async function prepare(config: Config, parts: SetupParts, startedAt: number): Promise<Serving> {
  const model = await loadRouterModel(config);
  const fleet = await composeFleet(config, expertDeps(parts.log), parts.link, parts.processes);
  return {
    config,
    keys: config.keys,
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

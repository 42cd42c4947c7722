/**
 * A config made ready to serve, and its replacement by a newer one while requests run: new requests go to the new
 * fleet, running ones end with the old, and a config that cannot be made ready changes nothing.
 */

import type { RouterModel } from '../../deciding/model/router-model.ts';
import { isBalanced } from '../../deciding/routing/territory.ts';
import { NOTHING_TO_ROUTE_BY, notWeighed } from '../../deciding/routing/warnings.ts';
import { deidentifierOf } from '../../deciding/text/identifiers/deidentify.ts';
import type { Catalogue } from '../config/catalogue.ts';
import { digestOf } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import type { ExtProcSettings } from '../extproc/reading.ts';
import type { ColdStarts } from '../fleet/cold-start.ts';
import type { Drains } from '../fleet/drains.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { SlotSource } from '../fleet/slots.ts';
import type { HashedKey } from '../front/auth.ts';
import type { ConnectionLimits } from '../front/connections.ts';
import type { Permitted } from '../front/foreign-page.ts';
import type { RouteContext } from '../front/handler.ts';
import type { Identity } from '../front/listener.ts';
import { Readiness } from '../front/readiness.ts';
import { Redaction } from '../front/redaction.ts';
import type { Conversations } from '../gateway/conversations.ts';
import type { Price } from '../limits/price.ts';
import type { LimitStore } from '../limits/store.ts';
import { watchBreakers, watchEngines, watchLoads, watchShadow } from '../telemetry/gauges.ts';
import type { Telemetry } from '../telemetry/metrics.ts';
import type { Prepared } from '../workers/worker-link.ts';
import { composeFleet, composeGateway, loadRouterModel, permittedPages } from './compose.ts';
import { hasLimits, limiterOf, pricesOf, priceWarnings } from './limits.ts';
import { breakerLevels, engineLoads, ownLoads } from './loads.ts';
import { secretsOf } from './secrets.ts';
import { readIdentity } from './tls.ts';
import type { World } from './world.ts';

export interface SetupParts {
  readonly world: World;
  readonly catalogue: Catalogue;
  readonly telemetry: Telemetry;
  /** In place of the config's; null for that. */
  readonly routerModel: RouterModel | null;
  /** Whether experts are asked for health and load between requests. */
  readonly probes: boolean;
  /** Of every config, one after another. */
  readonly slots: SlotSource;
  /** Of every config, one after another. */
  readonly coldStarts: ColdStarts;
  /** What is remembered of them, beyond a config. */
  readonly conversations: Conversations;
  /** What operators have taken out of service, under every config. */
  readonly drains: Drains;
  readonly operations: RouteContext['operations'];
  /** How many processes serve, this one included. */
  readonly processes: number;
  /** Whether this process logs changes in the health of experts. */
  readonly tellsHealth: boolean;
  readonly metrics: RouteContext['metrics'];
  readonly onRouted: RouteContext['onRouted'];
  readonly feedback: RouteContext['feedback'];
  /** A config with these keys has replaced one with those. */
  keysChanged(before: readonly HashedKey[], after: readonly HashedKey[]): void;
  /** Where limits are counted, under this config and the next, and where while that is away. */
  readonly limits: { readonly store: LimitStore | null; readonly standIn: LimitStore | null };
  readonly board: RouteContext['board'];
  readonly gateways: RouteContext['gateways'];
}

interface Serving {
  readonly reports: string | null;
  readonly config: Config;
  /** The same in every process that serves the same. */
  readonly digest: string;
  readonly prices: ReadonlyMap<string, Price>;
  /** Of the experts that have one. */
  readonly descriptions: ReadonlyMap<string, string>;
  readonly keys: readonly HashedKey[];
  readonly permitted: Permitted;
  readonly identity: Identity | null;
  readonly connections: ConnectionLimits;
  readonly context: RouteContext;
  readonly extproc: ExtProcSettings;
}

/** How often an outgoing fleet is asked whether its last request has ended. */
const RETIRE_EVERY_MS = 500;

export class Setup {
  readonly #parts: SetupParts;
  #serving: Serving;
  /** Fleets whose last requests still run. */
  readonly #retiring = new Map<Fleet, NodeJS.Timeout>();

  private constructor(parts: SetupParts, serving: Serving) {
    this.#parts = parts;
    this.#serving = serving;
    const { registry } = parts.telemetry;
    watchLoads(registry, () => ownLoads(this.#serving.context.gateway.fleet));
    watchEngines(registry, () => engineLoads(this.#serving.context.gateway.fleet));
    watchShadow(registry, () => this.#serving.context.gateway.shadow?.counts.pairs ?? []);
    watchBreakers(registry, () => breakerLevels(this.#serving.context.gateway.fleet));
    parts.drains.onChange = () => {
      for (const fleet of [this.#serving.context.gateway.fleet, ...this.#retiring.keys()])
        fleet.applyDrains();
    };
    this.#begin();
  }

  /** Rejects with `UserError` when the config cannot be made ready. */
  static async start(config: Config, parts: SetupParts): Promise<Setup> {
    return new Setup(parts, await prepare(config, parts, epochSeconds(parts)));
  }

  current(): Serving {
    return this.#serving;
  }

  /** Makes another config ready. Rejects with the reason, and then nothing has changed. */
  async prepare(config: Config): Promise<Prepared & { readonly model: string }> {
    const next = await prepare(config, this.#parts, this.#serving.context.startedAt);
    const { fleet, router } = next.context.gateway;
    return {
      model: router.model.id,
      commit: () => {
        const old = this.#serving;
        if (old.context.readiness.draining) next.context.readiness.drain();
        this.#serving = next;
        this.#begin();
        if (this.#parts.tellsHealth) this.#parts.keysChanged(old.keys, next.keys);
        this.#retire(old.context.gateway.fleet);
      },
      abandon: () => void fleet.close(),
    };
  }

  /** Ends the fleets that earlier configs left behind, whatever they do; the one that serves is the server's to close. */
  async close(): Promise<void> {
    await Promise.all(Array.from(this.#retiring.keys(), (fleet) => this.#end(fleet)));
  }

  #begin(): void {
    const { fleet } = this.#serving.context.gateway;
    fleet.applyDrains(); // perhaps changed since it was made
    this.#parts.slots.connect(fleet);
    if (this.#parts.probes) fleet.watch();
  }

  /** Closes a fleet once nothing is with it any more. */
  #retire(fleet: Fleet): void {
    const timer = setInterval(() => {
      if (!fleet.busy) void this.#end(fleet);
    }, RETIRE_EVERY_MS);
    this.#retiring.set(fleet, timer.unref());
  }

  async #end(fleet: Fleet): Promise<void> {
    clearInterval(this.#retiring.get(fleet));
    this.#retiring.delete(fleet);
    this.#parts.slots.disconnect(fleet);
    await fleet.close();
  }
}

async function prepare(config: Config, parts: SetupParts, startedAt: number): Promise<Serving> {
  const { world, catalogue, telemetry, slots, coldStarts, conversations, processes, tellsHealth, drains } =
    parts;
  const model = parts.routerModel ?? (await loadRouterModel(config));
  const identity = await readIdentity(config);
  const fleet = await composeFleet(config, {
    world,
    kinds: catalogue.kinds,
    slots,
    coldStarts,
    drains,
    processes,
    tellsHealth,
  });
  // The first request already finds who is there, and which model they serve.
  if (parts.probes) await fleet.check();
  const gateway = await composeGateway(config, { model, fleet, telemetry, catalogue, world, conversations });
  if (tellsHealth) for (const line of notWeighed(gateway.router.territory)) world.log(line);
  if (tellsHealth && config.experts.length > 1 && isBalanced(gateway.router.territory)) {
    world.log(NOTHING_TO_ROUTE_BY);
  }
  if (tellsHealth) for (const warning of priceWarnings(config)) world.log(warning);
  return {
    config,
    digest: digestOf(config, catalogue),
    reports: config.reports ?? null,
    prices: pricesOf(config),
    descriptions: descriptionsOf(config),
    keys: config.keys,
    permitted: permittedPages(config),
    identity,
    connections: connectionLimits(config, processes),
    extproc: extProcSettings(config),
    context: {
      gateway,
      metrics: parts.metrics,
      limiter: hasLimits(config) ? limiterOf(config, gateway.router.model.clusters, parts.limits) : null,
      readiness: new Readiness(fleet, world.clock.monotonic),
      redaction: new Redaction(secretsOf(config)),
      maxBodyMb: config.max_body_mb,
      forwarded: new Set(config.forward_headers),
      namesAsAsked: config.model_in_answers === 'asked',
      startedAt,
      onRouted: parts.onRouted,
      feedback: deidentifiedFeedback(parts.feedback, config),
      operations: parts.operations,
      gateways: parts.gateways,
      board: config.dashboard ? parts.board : null,
    },
  };
}

function descriptionsOf({ experts }: Config): ReadonlyMap<string, string> {
  return new Map(
    experts.flatMap(({ id, description }) => (description === undefined ? [] : [[id, description]])),
  );
}

/** A comment is somebody's prose, as a prompt is. */
function deidentifiedFeedback(keep: SetupParts['feedback'], config: Config): SetupParts['feedback'] {
  const deidentify = deidentifierOf(config.deidentify);
  if (!keep || !deidentify) return keep;
  return (feedback) =>
    keep({ ...feedback, comment: feedback.comment === null ? null : deidentify(feedback.comment) });
}

function extProcSettings({ extproc }: Config): ExtProcSettings {
  const { expert_headers: expert, model_headers: model, endpoints, deadline } = extproc;
  return { headers: { expert, model }, endpoints, deadline };
}

/** A process's share. */
function connectionLimits(config: Config, processes: number): ConnectionLimits {
  const { max_connections: total, max_connections_per_address: perAddress = total } = config;
  return { total: Math.ceil(total / processes), perAddress: Math.ceil(perAddress / processes) };
}

function epochSeconds({ world }: SetupParts): number {
  return Math.floor(world.clock.epoch() / 1000);
}

/** The gateway for a program to embed. It reads its config, listens where it is told to, and leaves the process alone. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { RouterError, UserError } from '../../core/errors.ts';
import type { RouterModel } from '../../deciding/model/router-model.ts';
import { type Catalogue, catalogueWith } from '../config/catalogue.ts';
import { dialectTold } from '../dialects/index.ts';
import { Addresses } from '../extproc/addresses.ts';
import type { ExtProcServer } from '../extproc/server.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { decisionBody } from '../front/decision-wire.ts';
import type { RequestNote } from '../front/request-note.ts';
import { readRequest, received } from '../gateway/read-request.ts';
import type { ScalerServer } from '../scaler/server.ts';
import type { Starter } from '../starting/starter.ts';
import { admit } from './admission.ts';
import { type Assembly, assemble, type DecisionNote, inForce } from './assembly.ts';
import { asUserError, extProcAddress, listenAddress, requestedAddress } from './listen-address.ts';
import { Reloader } from './reloader.ts';
import { type ConfigSource, readSource, type Source, sourceOf } from './source.ts';
import { SERVERS_END_MS, starterOf, startSpecs } from './starts.ts';
import { realWorld, type World } from './world.ts';

/** What a gateway takes besides its config; all of it may be left out. */
export interface GatewayOptions extends Partial<World>, Partial<Catalogue> {
  /** The router model to decide with, in place of the one that the config names. */
  readonly routerModel?: RouterModel;
  /** Takes up the config's file and its router model when they change; for a config that is a file. */
  readonly watchFiles?: boolean;
  /** Whether experts are asked for health and load between requests; true when absent. */
  readonly probes?: boolean;
  /** Whether the metrics have CPU, memory and event-loop delay of the process; false when absent. */
  readonly processMetrics?: boolean;
  /** Called for every request that is given to an expert. */
  readonly onDecision?: (note: DecisionNote) => void;
  /** Called for every request when it has ended, the refused among them. */
  readonly onRequest?: (note: RequestNote) => void;
}

/** What `POST /v1/route` answers: the expert chosen, and everything the choice was made of. */
export type RouteDecision = ReturnType<typeof decisionBody>;

export interface InForce {
  /** Ids, in the config's order. */
  readonly experts: readonly string[];
  /** Id of the router model. */
  readonly routerModel: string;
}

/** A gateway with its experts started. It keeps no process alive unless it listens. */
export interface EmbeddedGateway {
  /**
   * Listens, once. Without arguments where the config says; while it has no keys, on loopback only.
   * @param at `port` 0 takes a free one
   * @returns `http://host:port` as bound
   * @throws UserError when the address cannot be had, or is open to others and the config has no keys
   */
  listen(at?: { readonly host?: string; readonly port?: number }): Promise<string>;
  /**
   * Serves Envoy as an external processor over gRPC, once. Without a port where the config says (`extproc`); while it has
   * no keys, on loopback only.
   * @returns `host:port` as bound
   * @throws UserError when the address cannot be had, or no expert is one that Envoy can reach
   */
  listenExtProc(at?: { readonly port?: number }): Promise<string>;
  /**
   * Serves KEDA as an external scaler over gRPC, once; while the config has no keys, on loopback only.
   * @returns `host:port` as bound
   * @throws UserError when the address cannot be had
   */
  listenScaler(at: { readonly port: number }): Promise<string>;
  /**
   * Answers one request of a `node:http` server of your own, as if it had come to `listen`'s: with keys, limits and
   * errors as configured. Who can connect is then your server's to decide.
   */
  handle(request: IncomingMessage, response: ServerResponse): void;
  /**
   * Decides without asking an expert.
   * @param body of a request, such as `{ messages }` or `{ prompt }`: an object, or JSON
   * @param options `expert`: one to choose whatever the prompt says; `dialect`: of the body, where its fields do not tell
   *   it, such as `openai-completions`
   * @throws RouterError for what `POST /v1/route` refuses, with the same code and message
   */
  route(
    body: string | Uint8Array | Readonly<Record<string, unknown>>,
    options?: { readonly expert?: string; readonly dialect?: string },
  ): Promise<RouteDecision>;
  /** Whether it starts and stops servers of experts, for which `close` may wait 15 s more. */
  readonly startsServers: boolean;
  /** The metrics in Prometheus's text format. */
  metrics(): Promise<string>;
  /**
   * Serves another config, or its file read again; running requests end with the old one. Calls wait for each other.
   * @throws UserError with the reason; everything stays as it was then. Keys may change, but not end
   */
  reload(config?: ConfigSource): Promise<InForce>;
  /**
   * Begins nothing new, lets running answers finish, then cuts what is left and closes the experts. Further calls
   * wait for the same end, and ask the servers that it has started to end at once.
   * @param options `graceMs`: milliseconds that running answers have; 20,000 when absent
   */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}

/** Milliseconds. */
const GRACE = 20_000;

/**
 * Starts a gateway: reads the config, loads the router model and starts every expert. Two gateways in a process share
 * nothing but its limits: the memory for request bodies and the thread that parses very large ones.
 *
 * It installs no signal handlers, prints nothing and never ends the process.
 *
 * @param config a path, a `file:` URL, YAML or an object
 * @throws UserError naming every problem of the config, or what is missing to start an expert
 * @example
 * const gateway = await createGateway({ experts: [{ id: 'code', kind: 'openai', url: 'http://gpu1:8000' }] });
 * const url = await gateway.listen({ port: 0 });
 * const { expert } = await gateway.route({ prompt: 'Reverse a list in Python' });
 * await gateway.close();
 */
export async function createGateway(
  config: ConfigSource,
  options: GatewayOptions = {},
): Promise<EmbeddedGateway> {
  const world = realWorld(options);
  const catalogue = catalogueWith(options);
  const source = await readSource(config, { environment: world.environment, catalogue });
  if (options.watchFiles && source.file === null)
    throw new UserError('watchFiles: the config is no file; give its path, or reload it yourself.');
  admit(source.config, {}, null, catalogue.kinds);
  let app: App | null = null;
  const assembly = await assemble(source.config, {
    world,
    catalogue,
    routerModel: options.routerModel ?? null,
    probes: options.probes ?? true,
    processMetrics: options.processMetrics ?? false,
    reload: async () => app?.reload(),
    onDecision: options.onDecision ?? (() => {}),
    onRequest: options.onRequest ?? (() => {}),
  });
  app = new App({ world, catalogue, watchFiles: options.watchFiles ?? false, ...assembly }, source);
  return app;
}

interface AppParts extends Assembly {
  readonly world: World;
  readonly catalogue: Catalogue;
  readonly watchFiles: boolean;
}

class App implements EmbeddedGateway {
  readonly #parts: AppParts;
  #source: Source;
  #reloader: Reloader | null;
  /** The last of the reloads that wait for each other. */
  #reloading: Promise<unknown> = Promise.resolve();
  #listening = false;
  #extProc: ExtProcServer | null = null;
  #scaler: ScalerServer | null = null;
  #closing: Promise<void> | null = null;
  readonly #starter: Starter;

  constructor(parts: AppParts, source: Source) {
    this.#parts = parts;
    this.#source = source;
    const { setup, signals, world } = parts;
    this.#starter = starterOf(
      source,
      { world, kinds: parts.catalogue.kinds },
      {
        own: signals,
        tell: (expert, keeping) => setup.current().context.gateway.fleet.groups.get(expert)?.keep(keeping),
      },
    );
    this.#reloader = this.#watch();
  }

  async listen({ host, port }: { readonly host?: string; readonly port?: number } = {}): Promise<string> {
    this.#refuseClosed();
    if (this.#listening) throw new UserError('The gateway listens already.');
    const { config } = this.#source;
    const address = host === undefined ? listenAddress(config, port) : requestedAddress(config, host, port);
    this.#listening = true;
    try {
      return await this.#parts.server.listen(address.host, address.port);
    } catch (error) {
      this.#listening = false;
      throw asUserError(error, address);
    }
  }

  async listenExtProc({ port }: { readonly port?: number } = {}): Promise<string> {
    this.#refuseClosed();
    if (this.#extProc !== null) throw new UserError('Envoy is served already.');
    const address = extProcAddress(this.#source.config, port);
    const { setup, telemetry, spans, ended, world } = this.#parts;
    refuseUnreachable(setup.current().context.gateway.fleet);
    // Loaded here alone: gRPC takes memory and time to start.
    const { ExtProcServer } = await import('../extproc/server.ts');
    const { log, clock } = world;
    const addresses = new Addresses(clock.monotonic);
    const server = new ExtProcServer({
      current: () => setup.current(),
      telemetry,
      addresses,
      log,
      clock,
      spans,
      ended,
    });
    this.#extProc = server;
    try {
      return await server.listen(address.host, address.port);
    } catch (error) {
      this.#extProc = null;
      throw asUserError(error, address);
    }
  }

  async listenScaler({ port }: { readonly port: number }): Promise<string> {
    this.#refuseClosed();
    if (this.#scaler !== null) throw new UserError('KEDA is served already.');
    const address = listenAddress(this.#source.config, port);
    const { ScalerServer } = await import('../scaler/server.ts');
    const server = new ScalerServer(this.#parts.demands);
    this.#scaler = server;
    try {
      return await server.listen(address.host, address.port);
    } catch (error) {
      this.#scaler = null;
      throw asUserError(error, address);
    }
  }

  readonly handle = (request: IncomingMessage, response: ServerResponse): void =>
    this.#parts.server.handle(request, response);

  async route(
    body: string | Uint8Array | Readonly<Record<string, unknown>>,
    { expert, dialect }: { readonly expert?: string; readonly dialect?: string } = {},
  ): Promise<RouteDecision> {
    this.#refuseClosed();
    const { gateway, maxBodyMb } = this.#parts.setup.current().context;
    const whole = received(
      typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
    );
    if (whole.bytes.length > maxBodyMb * 1024 * 1024)
      throw new RouterError('body_too_large', `The body is larger than ${maxBodyMb} MB (max_body_mb).`);
    const told = dialect === undefined ? null : dialectTold(dialect);
    const routed = await gateway.route(await readRequest(told, whole), expert);
    return decisionBody(gateway.router, routed, null);
  }

  metrics(): Promise<string> {
    return this.#parts.telemetry.registry.metrics();
  }

  async reload(given?: ConfigSource): Promise<InForce> {
    this.#refuseClosed();
    if (given !== undefined) {
      const { world, catalogue } = this.#parts;
      await this.#take(await readSource(given, { environment: world.environment, catalogue }));
      this.#reloader?.close();
      this.#reloader = this.#watch();
    } else if (this.#reloader) await this.#reloader.reload();
    else if (this.#source.file !== null) await this.reload(this.#source.file);
    else throw new UserError('The config was no file that could be read again; give the new one.');
    return inForce(this.#parts.setup);
  }

  get startsServers(): boolean {
    return this.#starter.busy;
  }

  close({ graceMs = GRACE }: { readonly graceMs?: number } = {}): Promise<void> {
    if (this.#closing) this.#starter.endServers();
    this.#closing ??= this.#close(graceMs);
    return this.#closing;
  }

  async #close(graceMs: number): Promise<void> {
    this.#reloader?.close();
    await this.#reloading.catch(() => {});
    const { setup, server, records, limits, closeTelling, board, retraining, tracing } = this.#parts;
    retraining.close();
    setup.current().context.readiness.drain();
    await Promise.all([this.#extProc?.close(graceMs), server.close(graceMs)]);
    this.#scaler?.close();
    await this.#starter.close(SERVERS_END_MS);
    await setup.close();
    await records?.close();
    await limits?.close();
    closeTelling();
    board.close();
    await tracing?.close();
  }

  /** Puts a config into force when those before it have been. @returns the id of its router model */
  #take(next: Source): Promise<string> {
    const taken = this.#reloading
      .catch(() => {})
      .then(async () => {
        this.#refuseClosed();
        const { setup, catalogue } = this.#parts;
        admit(next.config, {}, { config: this.#source.config, processes: 1 }, catalogue.kinds);
        const prepared = await setup.prepare(next.config);
        prepared.commit();
        this.#source = next;
        this.#starter.keep(startSpecs(next.config, { world: this.#parts.world, kinds: catalogue.kinds }));
        return prepared.model;
      });
    this.#reloading = taken;
    return taken;
  }

  #watch(): Reloader | null {
    const { world, catalogue, watchFiles } = this.#parts;
    const { file } = this.#source;
    if (!watchFiles || file === null) return null;
    return new Reloader({
      file,
      inForce: () => this.#source,
      read: (text) => sourceOf(text, file, { environment: world.environment, catalogue }),
      apply: (next) => this.#take(next),
      log: world.log,
    });
  }

  #refuseClosed(): void {
    if (this.#closing) throw new UserError('The gateway is closed.');
  }
}

/** @throws UserError where Envoy could ask none of the experts */
function refuseUnreachable({ groups }: Fleet): void {
  const reachable = [...groups.values()].some(({ replicas }) =>
    replicas.every(({ expert }) => expert.address !== undefined),
  );
  if (!reachable)
    throw new UserError(
      'Envoy can ask none of these experts: it needs servers with an address, of the kind `openai`.',
    );
}

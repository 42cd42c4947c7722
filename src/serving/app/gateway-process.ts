/** One process of the gateway, alone or one of several workers: its parts, its socket, its end. */
import cluster from 'node:cluster';
import type { Socket } from 'node:net';
import { AggregatorRegistry } from 'prom-client';
import { UserError } from '../../core/errors.ts';
import { configFrom } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import type { RouteContext } from '../front/routes.ts';
import { type GatewayServer, gatewayServer } from '../front/server.ts';
import type { Routed } from '../gateway/router.ts';
import { Telemetry } from '../telemetry/metrics.ts';
import type { ToWorker } from '../workers/messages.ts';
import { WorkerLink } from '../workers/worker-link.ts';
import type { Flags } from './admission.ts';
import { type Address, asUserError } from './listen-address.ts';
import { Reloader, type Source } from './reloader.ts';
import { Setup } from './setup.ts';

export interface ProcessOptions {
  readonly file: string;
  readonly source: Source;
  readonly verbose: boolean;
  /** How many processes serve, this one included. */
  readonly processes: number;
}

/** How long running answers may take to finish once the process was asked to end. */
const GRACE_MS = 20_000;

const log = (line: string): void => console.error(line);

/** Serves until the process ends. @returns the address */
export async function serveAlone(options: ProcessOptions, address: Address, flags: Flags): Promise<string> {
  const { server, setup } = await start({ ...options, config: options.source.config }, null);
  const url = await open(address, server);
  const reloader = new Reloader(options.source, {
    file: options.file,
    flags,
    processes: 1,
    log,
    apply: async ({ config }) => {
      const next = await setup.prepare(config);
      next.commit();
      return next.model;
    },
  });
  let ending = false;
  const end = (): void => {
    if (ending) process.exit(1);
    ending = true;
    reloader.close();
    log('Finishing running answers; once more to stop at once.');
    void server.close(GRACE_MS).then(() => process.exit(0));
  };
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
  process.on('SIGHUP', () => void reloader.reload());
  return url;
}

/** Serves as one of several workers, until the primary says to end or is gone. */
export async function serveAsWorker(file: string, verbose: boolean): Promise<void> {
  let server: GatewayServer | null = null;
  const end = (): void => {
    if (server) void server.close(GRACE_MS).then(() => process.exit(0));
    else process.exit(0);
  };
  const channel = {
    send: (message: object) => void process.send?.(message),
    onMessage: (listener: (message: ToWorker, socket?: Socket) => void) =>
      void process.on('message', listener),
  };
  const link = new WorkerLink(channel, end);
  // Signals to the terminal's group reach workers too; the primary alone answers them and tells its workers.
  process.on('SIGINT', () => {});
  process.on('SIGHUP', () => {});
  process.on('SIGTERM', end);
  process.on('disconnect', end);
  const { text, workers } = await link.begin();
  const read = (from: string): Config => configFrom(from, file, process.env);
  const starting = start({ config: read(text), verbose, processes: workers }, link);
  link.onPrepare = async (newText, model) => {
    const { setup } = await starting;
    const next = await setup.prepare(read(newText));
    if (next.model === model) return next;
    next.abandon();
    throw new UserError('the router model changed meanwhile.');
  };
  server = (await starting).server;
  link.serving(server.accept);
}

async function start(
  { config, verbose, processes }: { config: Config; verbose: boolean; processes: number },
  link: WorkerLink | null,
): Promise<{ server: GatewayServer; setup: Setup }> {
  const telemetry = new Telemetry({ processMetrics: true });
  const setup = await Setup.start(config, {
    telemetry,
    link,
    processes,
    log,
    metrics: metricsPage(telemetry, link),
    onRouted: verbose ? logDecision : () => {},
  });
  return { server: gatewayServer({ log, current: () => setup.current() }), setup };
}

/** Of this process, or of all workers together, whichever of them is asked. */
function metricsPage({ registry }: Telemetry, link: WorkerLink | null): RouteContext['metrics'] {
  if (cluster.isWorker) {
    new AggregatorRegistry(); // its construction makes this process answer the primary's question for metrics
    AggregatorRegistry.setRegistries([registry]);
  }
  return async () => ({
    contentType: registry.contentType,
    page: link ? await link.metricsPage() : await registry.metrics(),
  });
}

async function open({ host, port }: Address, server: GatewayServer): Promise<string> {
  try {
    return await server.listen(host, port);
  } catch (error) {
    await server.close(0);
    throw asUserError(error, { host, port });
  }
}

function logDecision({ decision, classification }: Routed, traceId: string): void {
  const confidence = classification.confidence.toFixed(2);
  log(
    `${traceId} -> ${decision.expert} (${decision.reason}, cluster ${classification.cluster}, confidence ${confidence})`,
  );
}

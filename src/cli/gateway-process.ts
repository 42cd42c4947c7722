/** One process of the gateway, alone or one of several workers: its parts, its socket, its end. */
import cluster from 'node:cluster';
import { AggregatorRegistry } from 'prom-client';
import type { Config } from '../config/schema.ts';
import { UserError } from '../core/errors.ts';
import type { Routed } from '../gateway/router.ts';
import { Readiness } from '../http/readiness.ts';
import { listen, type RunningServer } from '../http/server.ts';
import { Telemetry } from '../telemetry/metrics.ts';
import type { ToWorker } from '../workers/messages.ts';
import { WorkerLink } from '../workers/worker-link.ts';
import { composeFleet, composeGateway, expertDeps, loadRouterModel } from './compose.ts';
import type { Address } from './listen-address.ts';

/** How long running answers may take to finish once the process was asked to end. */
const GRACE_MS = 20_000;

const log = (line: string): void => console.error(line);

/** Serves until the process ends. @returns the address */
export async function serveAlone(config: Config, address: Address, verbose: boolean): Promise<string> {
  const server = await start(config, address, verbose, null);
  let ending = false;
  const end = (): void => {
    if (ending) process.exit(1);
    ending = true;
    log('Finishing running answers; once more to stop at once.');
    void server.close(GRACE_MS).then(() => process.exit(0));
  };
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
  return server.url;
}

/** Serves as one of several workers, until the primary says to end or is gone. */
export async function serveAsWorker(config: Config, address: Address, verbose: boolean): Promise<void> {
  let server: RunningServer | null = null;
  const end = (): void => {
    if (server) void server.close(GRACE_MS).then(() => process.exit(0));
    else process.exit(0);
  };
  const channel = {
    send: (message: object) => void process.send?.(message),
    onMessage: (listener: (message: ToWorker) => void) => void process.on('message', listener),
  };
  const link = new WorkerLink(channel, end);
  // Ctrl-C reaches the whole group; the primary alone answers it, so that every worker gets its time.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', end);
  process.on('disconnect', end);
  server = await start(config, address, verbose, link);
  link.serving(server.url);
}

async function start(
  config: Config,
  address: Address,
  verbose: boolean,
  link: WorkerLink | null,
): Promise<RunningServer> {
  const model = await loadRouterModel(config);
  const fleet = await composeFleet(config, expertDeps(log), link);
  const telemetry = new Telemetry({ processMetrics: true });
  const gateway = composeGateway(config, model, fleet, telemetry);
  fleet.watch();
  return await bind(address, {
    keys: config.keys,
    log,
    context: {
      gateway,
      metrics: metricsPage(telemetry, link),
      readiness: new Readiness(fleet),
      maxBodyMb: config.max_body_mb,
      startedAt: Math.floor(Date.now() / 1000),
      onRouted: verbose ? logDecision : () => {},
    },
  });
}

/** Of this process, or of all workers together, whichever of them is asked. */
function metricsPage(
  { registry }: Telemetry,
  link: WorkerLink | null,
): () => Promise<{ contentType: string; page: string }> {
  if (cluster.isWorker) {
    new AggregatorRegistry(); // its construction makes this process answer the primary's question for metrics
    AggregatorRegistry.setRegistries([registry]);
  }
  return async () => ({
    contentType: registry.contentType,
    page: link ? await link.metricsPage() : await registry.metrics(),
  });
}

type ListenOptions = Omit<Parameters<typeof listen>[0], 'host' | 'port'>;

async function bind({ host, port }: Address, options: ListenOptions): Promise<RunningServer> {
  try {
    return await listen({ ...options, host, port });
  } catch (error) {
    await options.context.gateway.fleet.close();
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'EADDRINUSE') {
      throw new UserError(
        `Port ${port} on ${host} is taken. Choose another with --port, or stop what listens there.`,
      );
    }
    if (code === 'EACCES')
      throw new UserError(
        `Port ${port} needs more rights than this user has. Choose one above 1023 with --port.`,
      );
    throw error;
  }
}

function logDecision({ decision, classification }: Routed, traceId: string): void {
  const confidence = classification.confidence.toFixed(2);
  log(
    `${traceId} -> ${decision.expert} (${decision.reason}, cluster ${classification.cluster}, confidence ${confidence})`,
  );
}

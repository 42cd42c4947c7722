/**
 * A worker process of the gateway: serves connections from the primary until it is told to stop or the primary is gone.
 */
import type { Socket } from 'node:net';
import { UserError } from '../../core/errors.ts';
import { progressBar } from '../../core/progress.ts';
import { assemble } from '../../serving/app/assembly.ts';
import type { Retraining } from '../../serving/app/retraining.ts';
import { realWorld } from '../../serving/app/world.ts';
import { SHIPPED } from '../../serving/config/catalogue.ts';
import { configFrom } from '../../serving/config/load.ts';
import type { Config } from '../../serving/config/schema.ts';
import type { GatewayServer } from '../../serving/front/server.ts';
import type { LimitStore } from '../../serving/limits/store.ts';
import type { Records } from '../../serving/records/records.ts';
import type { Tracing } from '../../serving/telemetry/tracing.ts';
import type { ToWorker } from '../../serving/workers/messages.ts';
import { WorkerLink } from '../../serving/workers/worker-link.ts';
import { endWithin, grace, log, requestLog } from './log.ts';

export async function serveAsWorker(file: string, verbose: boolean): Promise<void> {
  let server: GatewayServer | null = null;
  let records: Records | null = null;
  let limits: LimitStore | null = null;
  let tracing: Tracing | null = null;
  let retraining: Retraining | null = null;
  const end = (): void => {
    if (!server) process.exit(0);
    endWithin(grace());
    retraining?.close();
    void server
      .close(grace(), () => link.leave())
      .then(() => records?.close())
      .then(() => limits?.close())
      .then(() => tracing?.close())
      .then(() => process.exit(0));
  };
  const link = new WorkerLink(channel, end);
  // Ctrl-C reaches workers too, but only the primary handles signals and then stops its workers.
  process.on('SIGINT', () => {});
  process.on('SIGHUP', () => {});
  process.on('SIGTERM', end);
  process.on('disconnect', () => {
    link.closed();
    end();
  });
  const { text, workers: processes, speaks, secret } = await link.begin();
  const read = (from: string): Config => configFrom(from, file, process.env);
  const starting = assemble(
    read(text),
    {
      world: realWorld({ log, progress: progressBar }),
      catalogue: SHIPPED,
      routerModel: null,
      probes: true,
      processMetrics: true,
      reload: () => link.reload(),
      onDecision: () => {},
      onRequest: requestLog(verbose),
    },
    { link, processes, secret, speaks },
  );
  link.onPrepare = async (newText, model) => {
    const { setup } = await starting;
    const next = await setup.prepare(read(newText));
    if (next.model === model) return next;
    next.abandon();
    throw new UserError('the router model file changed while the config was being loaded; reload again.');
  };
  const {
    server: started,
    telemetry,
    records: kept,
    limits: counted,
    tracing: traced,
    retraining: training,
  } = await starting;
  link.onMetrics = () => telemetry.registry.getMetricsAsJSON();
  server = started;
  records = kept;
  limits = counted;
  tracing = traced;
  retraining = training;
  link.serving(server.accept);
}

const channel = {
  get open(): boolean {
    return process.connected;
  },
  /** Without a primary there is nobody to tell; what runs here ends as it would. */
  send: (message: object) => {
    if (process.connected) process.send?.(message, undefined, undefined, () => {});
  },
  onMessage: (listener: (message: ToWorker, socket?: Socket) => void) => void process.on('message', listener),
};

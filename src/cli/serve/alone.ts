/** The gateway in a single process, with its signals and log lines. */
import { describeError } from '../../core/errors.ts';
import { progressBar } from '../../core/progress.ts';
import { createGateway, type EmbeddedGateway } from '../../serving/app/app.ts';
import { SERVERS_END_MS } from '../../serving/app/starts.ts';
import { endWithin, grace, log, requestLog } from './log.ts';

interface Alone {
  readonly file: string;
  readonly verbose: boolean;
}

/** Serves until the process ends. @param open listens, and returns where */
export async function serveAlone<Where>(
  { file, verbose }: Alone,
  open: (gateway: EmbeddedGateway) => Promise<Where>,
): Promise<Where> {
  const gateway = await createGateway(file, {
    log,
    progress: progressBar,
    watchFiles: true,
    processMetrics: true,
    onRequest: requestLog(verbose),
  });
  const where = await open(gateway).catch(async (error: unknown) => {
    await gateway.close({ graceMs: 0 });
    throw error;
  });
  let ending = false;
  const end = (): void => {
    if (ending) {
      void gateway.close(); // asks the servers that it has started to end
      process.exit(1);
    }
    ending = true;
    log('Finishing running answers; signal again to stop at once.');
    endWithin(grace() + (gateway.startsServers ? SERVERS_END_MS : 0));
    void gateway.close({ graceMs: grace() }).then(() => process.exit(0));
  };
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
  process.on('SIGHUP', () => {
    gateway
      .reload()
      .catch((error: unknown) =>
        log(`Not reloaded, still serving the previous config:  ${describeError(error)}`),
      );
  });
  return where;
}

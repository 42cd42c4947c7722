/** The gateway in a single process, with its signals and log lines. */
import { describeError } from '../../core/errors.ts';
import { progressBar } from '../../core/progress.ts';
import { createGateway } from '../../serving/app/app.ts';
import { endWithin, GRACE_MS, log, requestLog } from './log.ts';

interface Alone {
  readonly file: string;
  readonly port: number | undefined;
  readonly verbose: boolean;
}

/** Serves until the process ends. @returns the address */
export async function serveAlone({ file, port, verbose }: Alone): Promise<string> {
  const gateway = await createGateway(file, {
    log,
    progress: progressBar,
    watchFiles: true,
    processMetrics: true,
    onRequest: requestLog(verbose),
  });
  const url = await gateway.listen(port === undefined ? {} : { port }).catch(async (error: unknown) => {
    await gateway.close({ graceMs: 0 });
    throw error;
  });
  let ending = false;
  const end = (): void => {
    if (ending) process.exit(1);
    ending = true;
    log('Finishing running answers; signal again to stop at once.');
    endWithin(GRACE_MS);
    void gateway.close({ graceMs: GRACE_MS }).then(() => process.exit(0));
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
  return url;
}

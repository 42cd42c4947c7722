/** The primary process of several workers: its socket, its signals and the shared config. */

import { admit, type Flags } from '../../serving/app/admission.ts';
import { loadRouterModel } from '../../serving/app/compose.ts';
import { type Address, asUserError } from '../../serving/app/listen-address.ts';
import { Reloader } from '../../serving/app/reloader.ts';
import { type Source, sourceOf } from '../../serving/app/source.ts';
import { SERVERS_END_MS, starterOf, startSpecs } from '../../serving/app/starts.ts';
import { realWorld } from '../../serving/app/world.ts';
import { SHIPPED } from '../../serving/config/catalogue.ts';
import { Primary } from '../../serving/workers/primary.ts';
import { grace, log } from './log.ts';

interface PrimaryServe {
  readonly file: string;
  readonly source: Source;
  readonly address: Address;
  readonly flags: Flags;
  readonly processes: number;
  onServing(url: string): void;
}

/** Returns once the socket is listening; the process then runs as long as its workers. */
export async function servePrimary(serve: PrimaryServe): Promise<void> {
  const { file, address, flags, processes, onServing } = serve;
  const { host, port } = address;
  let inForce = serve.source;
  // The workers speak TLS; the primary's own socket passes on what comes.
  const scheme = inForce.config.tls === undefined ? 'http' : 'https';
  const engines = { world: realWorld({ log }), kinds: SHIPPED.kinds };
  const starter = starterOf({ config: inForce.config, file }, engines, {
    tell: (expert, keeping) => primary.keep(expert, keeping),
  });
  const primary = new Primary({
    workers: processes,
    host,
    port,
    text: inForce.text,
    graceMs: grace(),
    log,
    onSignals: (worker, signals) =>
      signals === null ? starter.gone(worker) : starter.heard(worker, signals),
    onEnd: () => void starter.close(SERVERS_END_MS),
    reload: () => reloader.reload(),
    onServing: (url) => onServing(url.replace(/^http/, scheme)),
  });
  const reloader: Reloader = new Reloader({
    file,
    inForce: () => inForce,
    read: (text) => sourceOf(text, file, { environment: process.env, catalogue: SHIPPED }),
    apply: async (next) => {
      admit(next.config, flags, { config: inForce.config, processes });
      const { id } = await loadRouterModel(next.config);
      await primary.take(next.text, id);
      inForce = next;
      starter.keep(startSpecs(next.config, engines));
      return id;
    },
    log,
  });
  const end = (): void => {
    reloader.close();
    primary.end();
  };
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
  process.on('SIGHUP', () => void reloader.tryReload());
  await primary.run().catch((error: unknown) => {
    reloader.close();
    throw asUserError(error, address);
  });
}

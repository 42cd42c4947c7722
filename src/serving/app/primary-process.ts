/** The process above several workers: its socket, its signals, and the one config that all of them serve. */
import { Primary } from '../workers/primary.ts';
import type { Flags } from './admission.ts';
import { loadRouterModel } from './compose.ts';
import type { ProcessOptions } from './gateway-process.ts';
import { type Address, asUserError } from './listen-address.ts';
import { Reloader } from './reloader.ts';

const log = (line: string): void => console.error(line);

/** Returns once the socket listens; the process then lives as long as its workers. */
export async function servePrimary(
  { file, source, processes }: ProcessOptions,
  address: Address,
  flags: Flags,
  onServing: (url: string) => void,
): Promise<void> {
  const primary = new Primary({
    workers: processes,
    host: address.host,
    port: address.port,
    text: source.text,
    log,
    onServing,
  });
  const reloader = new Reloader(source, {
    file,
    flags,
    processes,
    log,
    apply: async ({ text, config }) => {
      const { id } = await loadRouterModel(config);
      await primary.take(text, id);
      return id;
    },
  });
  const end = (): void => {
    reloader.close();
    primary.end();
  };
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
  process.on('SIGHUP', () => void reloader.reload());
  await primary.run().catch((error: unknown) => {
    reloader.close();
    throw asUserError(error, address);
  });
}

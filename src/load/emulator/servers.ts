/** Several emulated experts on consecutive ports, sharing one clock. */
import { UserError } from '../../core/errors.ts';
import { seededRandom } from '../../core/random.ts';
import type { AdapterOptions } from './adapters.ts';
import type { Pacer } from './pacer.ts';
import { type EmulatedServer, type Mishap, startEmulatedServer } from './server.ts';
import { TimerWheel } from './timer-wheel.ts';

export interface EmulatedServersOptions {
  readonly experts: number;
  /** Names of the first servers; the others are `expert-N`. */
  readonly names?: readonly string[];
  readonly host: string;
  /** The first of consecutive ports; 0 takes free ones. */
  readonly port: number;
  /** Makes one server's engine on the shared clock, in milliseconds. */
  readonly engine: (wheel: TimerWheel, now: () => number) => Pacer;
  readonly outputTokens: number;
  readonly seed: number;
  readonly mishaps: readonly Mishap[];
  /** None when absent. */
  readonly adapters?: AdapterOptions | null;
  /** Epoch seconds given as `created` in answers. */
  readonly created: number;
}

export interface EmulatedServers {
  readonly servers: readonly EmulatedServer[];
  close(): Promise<void>;
}

const TICK_MS = 5;

/** @throws {UserError} when a port is taken; servers already started are closed again */
export async function startEmulatedServers(options: EmulatedServersOptions): Promise<EmulatedServers> {
  const now = (): number => performance.now();
  const wheel = new TimerWheel(now(), TICK_MS);
  const clock = setInterval(() => wheel.advance(now()), TICK_MS);
  const servers: EmulatedServer[] = [];
  const close = async (): Promise<void> => {
    clearInterval(clock);
    await Promise.all(servers.map((server) => server.close()));
  };
  try {
    for (let index = 0; index < options.experts; index += 1) {
      const port = options.port === 0 ? 0 : options.port + index;
      const own = {
        ...options,
        adapters: options.adapters ?? null,
        expert: options.names?.[index] ?? `expert-${index + 1}`,
        pacer: options.engine(wheel, now),
        wheel,
        now,
        random: seededRandom(options.seed).fork(index),
      };
      servers.push(await startEmulatedServer(own, options.host, port));
    }
  } catch (error) {
    await close();
    throw asUserError(error, options);
  }
  return { servers, close };
}

function asUserError(error: unknown, { host, port, experts }: EmulatedServersOptions): unknown {
  const { code, port: taken } = error as NodeJS.ErrnoException & { port?: number };
  const range = `${port} to ${port + experts - 1}`;
  if (code === 'EADDRINUSE')
    return new UserError(
      `Port ${taken ?? port} on ${host} is taken; ${experts} experts need ${range}. Choose others with --port.`,
    );
  if (code === 'EACCES')
    return new UserError(`This user may not open ports ${range}. Choose others with --port.`);
  return error;
}

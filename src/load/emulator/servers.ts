/** Several emulated experts on consecutive ports with one clock between them. */
import { UserError } from '../../core/errors.ts';
import { seededRandom } from '../../core/random.ts';
import type { Pacer } from './pacer.ts';
import { type EmulatedServer, type Mishap, startEmulatedServer } from './server.ts';
import { TimerWheel } from './timer-wheel.ts';

export interface FleetOptions {
  readonly experts: number;
  /** What the first of them call themselves; the others are `expert-N`. */
  readonly names?: readonly string[];
  readonly host: string;
  /** The first of consecutive ports; 0 takes free ones. */
  readonly port: number;
  /** Makes one server's engine on the fleet's clock, in milliseconds. */
  readonly engine: (wheel: TimerWheel, now: () => number) => Pacer;
  readonly outputTokens: number;
  readonly seed: number;
  readonly mishaps: readonly Mishap[];
  /** Epoch seconds for the answers' dates. */
  readonly created: number;
}

export interface Fleet {
  readonly servers: readonly EmulatedServer[];
  close(): Promise<void>;
}

const TICK_MS = 5;

/** @throws {UserError} when a port is taken; those opened before are closed again */
export async function startFleet(options: FleetOptions): Promise<Fleet> {
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

function asUserError(error: unknown, { host, port, experts }: FleetOptions): unknown {
  const { code, port: taken } = error as NodeJS.ErrnoException & { port?: number };
  const range = `${port} to ${port + experts - 1}`;
  if (code === 'EADDRINUSE')
    return new UserError(
      `Port ${taken ?? port} on ${host} is taken; ${experts} experts need ${range}. Choose others with --port.`,
    );
  if (code === 'EACCES')
    return new UserError(`Ports ${range} need more rights than this user has. Choose others with --port.`);
  return error;
}

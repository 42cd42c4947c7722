/** A real Redis for tests; null where none is installed. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';

export interface RealRedis {
  readonly url: string;
  readonly process: ChildProcess;
  close(): Promise<void>;
}

const NAMES = ['redis-server', 'valkey-server'];

/** The program on the path, or null. */
export function redisProgram(): string | null {
  const named = [process.env.REDIS_SERVER ?? '', ...NAMES].filter((name) => name !== '');
  return named.find((name) => spawnSync(name, ['--version']).status === 0) ?? null;
}

/** @param options more of its command line */
export async function startRedis(
  program: string,
  port = 0,
  options: readonly string[] = [],
): Promise<RealRedis> {
  const at = port || (await freePort());
  const child = spawn(
    program,
    ['--port', String(at), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', ...options],
    { cwd: tmpdir(), stdio: ['ignore', 'pipe', 'inherit'] },
  );
  for await (const text of child.stdout!) if (String(text).includes('eady to accept connections')) break;
  child.stdout!.resume();
  return {
    url: `redis://127.0.0.1:${at}`,
    process: child,
    close: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

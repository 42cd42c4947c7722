/** Runs the real program as a separate process, on a free port. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const BIN = join(import.meta.dirname, '..', '..', 'bin', 'expert-router.js');

export interface RouterProcess {
  readonly url: string;
  readonly process: ChildProcess;
  /** Ids of its workers. */
  children(): readonly number[];
  /** Everything printed so far, both streams. */
  output(): string;
  /** SIGTERM, then the exit code. */
  stop(): Promise<number | null>;
}

/**
 * Starts `expert-router serve --port 0` with more arguments. The built-in experts answer with the real engine where
 * it is already in the cache or EXPERT_ROUTER_TEST_LLAMA asks for it; else they are emulated and say so.
 *
 * @param onSpawn called with the process before it serves
 */
export async function routerProcess(
  args: readonly string[],
  environment: Record<string, string> = {},
  onSpawn: (child: ChildProcess) => void = () => {},
): Promise<RouterProcess> {
  const offline = process.env.EXPERT_ROUTER_TEST_LLAMA ? {} : { EXPERT_ROUTER_OFFLINE: '1' };
  const child = spawn(process.execPath, [BIN, 'serve', '--port', '0', ...args], {
    // What else runs on the machine is no part of a test, unless the test says so.
    env: { ...process.env, ...offline, EXPERT_ROUTER_DISCOVER: 'none', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onSpawn(child);
  let output = '';
  child.stdout.on('data', (text) => {
    output += text;
  });
  child.stderr.on('data', (text) => {
    output += text;
  });
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.on('data', () => {
      const found = /experts? on (http:\/\/\S+)/.exec(output);
      if (found) resolve(found[1]!);
    });
    child.on('exit', (code) => reject(new Error(`serve ended with ${code}:\n${output}`)));
  });
  return {
    url,
    process: child,
    children: () => childrenOf(child.pid!),
    output: () => output,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
      child.kill('SIGTERM');
      const [code] = (await once(child, 'exit')) as [number | null];
      return code;
    },
  };
}

/** Ids of the processes that a process has started; Linux alone tells them. */
export function childrenOf(pid: number): readonly number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .filter(Boolean)
    .map(Number);
}

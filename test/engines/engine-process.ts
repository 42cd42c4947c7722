/** Runs a real engine as a separate process, on loopback. */
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { eventually } from '../support/gateway.ts';

export interface EngineProcess {
  readonly url: string;
  /** Ends it at once, as a crash would. */
  kill(): Promise<void>;
}

export interface EngineCommand {
  readonly program: string;
  /** For a port that was free a moment ago. */
  readonly args: (port: number) => readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Answers 200 once it is ready. */
  readonly ready: string;
}

/** Rejects with everything it printed when it ends before it is ready. */
export async function engineProcess(command: EngineCommand): Promise<EngineProcess> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(command.program, command.args(port), {
    env: { ...process.env, ...command.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text: Buffer) => {
      output += text.toString();
    });
  const ended = new Promise<void>((resolve) => {
    child.on('close', () => resolve());
    child.on('error', (error) => {
      output += error.message;
      resolve();
    });
  });
  let gone = false;
  void ended.then(() => {
    gone = true;
  });
  await eventually(`${command.program} is ready`, async () => {
    if (gone) throw new Error(`${command.program} ended:\n${output}`);
    const answer = await fetch(url + command.ready).catch(() => null);
    await answer?.arrayBuffer();
    return answer?.status === 200;
  });
  return {
    url,
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

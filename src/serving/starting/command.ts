/** A command of the config: run without a shell, its output told line by line. It is asked to end, and never killed. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { excerpt } from '../../core/excerpt.ts';
import { notExecutable, notThere } from './program.ts';

export interface Running {
  /** What was wrong, in words without their first word's capital and full stop; null for an exit with code 0. */
  readonly ended: Promise<string | null>;
  /** Asks it, and what it has started, to end (SIGTERM). */
  end(): void;
}

export interface CommandOptions {
  /** Folder that it runs in. */
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Told each line that it writes. */
  line(text: string): void;
}

export type RunCommand = (argv: readonly string[], options: CommandOptions) => Running;

/** In a session of its own, so that Ctrl-C in a terminal ends the gateway alone, which then ends it in order. */
export const runCommand: RunCommand = ([program, ...rest], { cwd, environment, line }) => {
  const child = spawn(program!, rest, {
    cwd,
    env: environment,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // A server that is left alone at the end must not hold the gateway's process.
  child.unref();
  let last = '';
  const tell = (text: string): void => {
    if (text.trim() !== '') last = excerpt(text);
    line(text);
  };
  follow(child.stdout, tell);
  follow(child.stderr, tell);
  const ended = new Promise<string | null>((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => resolve(notRun(program!, error, cwd)));
    // Not 'close': a server that it left in the background may hold its output open for ever.
    child.once('exit', (code, signal) => resolve(code === 0 ? null : endedWith(code, signal, last)));
  });
  return {
    ended,
    end: () => {
      if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
      try {
        process.kill(-child.pid, 'SIGTERM');
      } catch {
        // It has ended meanwhile.
      }
    },
  };
};

function follow(stream: Readable, tell: (line: string) => void): void {
  stream.on('error', () => {});
  (stream as Readable & { unref?(): void }).unref?.();
  createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on('line', tell);
}

function notRun(program: string, { code, message }: NodeJS.ErrnoException, cwd: string): string {
  if (code === 'ENOENT') return notThere(program, cwd);
  if (code === 'EACCES') return notExecutable(program);
  return `'${program}' could not be run (${message})`;
}

function endedWith(code: number | null, signal: NodeJS.Signals | null, last: string): string {
  const how = signal === null ? `ended with code ${code}` : `was ended by ${signal}`;
  return `it ${how}${last === '' ? '' : `, having said '${last}'`}; run it by hand to see why`;
}

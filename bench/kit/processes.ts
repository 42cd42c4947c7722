/** Starts and ends the processes of a bench by pid, and measures the CPU and memory of a process tree. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** The kernel's clock for `utime` and `stime`: 100 ticks a second on every Linux that Node runs on. */
const MICROSECONDS_PER_TICK = 10_000;
const END_MS = 4_000;

export interface Started {
  readonly pid: number;
  /** What it has printed so far. */
  output(): string;
  /** Asks it to end, then insists. */
  end(): Promise<void>;
}

/** A temporary folder and the processes started in it; `end` removes both. */
export class Bench {
  readonly folder = mkdtempSync(join(tmpdir(), 'expert-router-bench-'));
  readonly #running = new Set<ChildProcess>();

  constructor() {
    process.once('exit', () => {
      for (const child of this.#running) kill(child.pid!, 'SIGKILL');
      rmSync(this.folder, { recursive: true, force: true });
    });
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
  }

  /** `env`: added to the bench's own environment. */
  start(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Started {
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    let output = '';
    child.stdout.on('data', (text) => (output += text));
    child.stderr.on('data', (text) => (output += text));
    child.on('error', (error) => (output += error.message));
    this.#running.add(child);
    child.once('exit', () => this.#running.delete(child));
    return {
      pid: child.pid ?? 0,
      output: () => output,
      end: async () => {
        if (!this.#running.has(child)) return;
        const below = tree(child.pid!);
        child.kill('SIGTERM');
        const over = performance.now() + END_MS;
        while (this.#running.has(child) && performance.now() < over) await sleep(20);
        if (this.#running.has(child)) for (const pid of below) kill(pid, 'SIGKILL');
      },
    };
  }

  /** Runs our own command, as a user would. */
  cli(...args: readonly string[]): Started {
    return this.cliOf('.', ...args);
  }

  /** The command of another checkout, which must be built. */
  cliOf(checkout: string, ...args: readonly string[]): Started {
    return this.start(process.execPath, [`${checkout}/bin/expert-router.js`, ...args]);
  }

  /** Runs our own command where no byte of what it prints can be written. */
  cliOnFullDisk(...args: readonly string[]): Started {
    const script = 'exec "$0" "$@" > /dev/full 2>&1';
    return this.start('bash', ['-c', script, process.execPath, './bin/expert-router.js', ...args]);
  }

  async end(): Promise<void> {
    for (const child of [...this.#running].reverse())
      for (const pid of tree(child.pid!).reverse()) kill(pid, 'SIGTERM');
    const over = performance.now() + END_MS;
    while (this.#running.size > 0 && performance.now() < over) await sleep(20);
    for (const child of this.#running) kill(child.pid!, 'SIGKILL');
  }
}

/** Resolves when the port accepts connections. @throws after the time limit, with the process's output */
export async function listening(port: number, started: Started, withinMs = 30_000): Promise<void> {
  const until = performance.now() + withinMs;
  while (performance.now() < until) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect({ host: '127.0.0.1', port }, () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => resolve(false));
    });
    if (open) return;
    await sleep(50);
  }
  throw new Error(`nothing listens on port ${port}: ${started.output()}`);
}

/** A process and all below it. */
export function tree(pid: number): number[] {
  const text = read(`/proc/${pid}/task/${pid}/children`) ?? '';
  return [pid, ...text.split(' ').filter(Boolean).map(Number).flatMap(tree)];
}

/** CPU microseconds of a process tree since its start, including children that have ended. */
export function cpuMicroseconds(pid: number): number {
  return tree(pid).reduce((sum, one) => {
    const stat = read(`/proc/${one}/stat`);
    if (stat === null) return sum;
    // The name in brackets may contain spaces; fields are counted after it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ticks = [11, 12, 13, 14].reduce((all, at) => all + Number(fields[at]), 0);
    return sum + ticks * MICROSECONDS_PER_TICK;
  }, 0);
}

/** Greatest resident memory of a process tree, in MB: each process at its own peak. */
export function peakMegabytes(pid: number): number {
  return memory(pid, /VmHWM:\s+(\d+)/);
}

/** Resident memory of a process tree now, in MB. */
export function residentMegabytes(pid: number): number {
  return memory(pid, /VmRSS:\s+(\d+)/);
}

function memory(pid: number, field: RegExp): number {
  return tree(pid).reduce(
    (sum, one) => sum + Number(field.exec(read(`/proc/${one}/status`) ?? '')?.[1] ?? 0) / 1000,
    0,
  );
}

function read(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has already ended.
  }
}

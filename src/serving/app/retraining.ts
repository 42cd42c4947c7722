/**
 * Trains a router model anew on the prompts that the records keep, by the command `train` in a process of its own. What comes
 * of it is the shadow model; it decides for real only when it is applied. How it goes stands in a file, so that every process
 * tells the same.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFile, rm, stat } from 'node:fs/promises';
import { constants, setPriority } from 'node:os';
import { join } from 'node:path';
import { describeError, RouterError } from '../../core/errors.ts';
import { writeFileAtomically } from '../../core/files.ts';
import { shipped } from '../../core/shipped.ts';
import { loadModelFile } from '../../deciding/model/file.ts';
import type { Config } from '../config/schema.ts';
import type { Lacking, RetrainingBody } from '../front/operator.ts';
import { withLock } from '../weights/lock.ts';

interface Kept extends Omit<RetrainingBody, 'lacking' | 'shadow'> {
  /** Of the process that follows it. */
  readonly pid: number;
}

const NEVER: Omit<Kept, 'pid'> = {
  state: 'idle',
  stage: null,
  began: null,
  ended: null,
  error: null,
  result: null,
};
const FILE = 'retraining.json';
/** Whoever holds it retrains: of all processes that share the records one at a time. */
const LOCK = 'retraining.lock';
/** More add time, and hardly anything to the clusters. */
const MOST_PROMPTS = 50_000;
const LONGEST_MS = 3_600_000;
const LONGEST_LINE = 300;
/** What a process that reads files and writes one needs of ours; keys of experts are not among it. */
const ENVIRONMENT = ['PATH', 'HOME', 'TMPDIR', 'TEMP', 'SystemRoot'];

interface Parts {
  config(): Config;
  /** Milliseconds since 1970. */
  now(): number;
  log(line: string): void;
  /** Has every process take up config and router model as they are. */
  reload(): Promise<unknown>;
}

export class Retraining {
  readonly #parts: Parts;
  #child: ChildProcess | null = null;
  #writing: Promise<void> = Promise.resolve();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async told(): Promise<RetrainingBody> {
    const config = this.#parts.config();
    const { pid: _, ...kept } = await this.#kept();
    const shadow = config.shadow !== undefined && (await stat(config.shadow).catch(() => null)) !== null;
    return { lacking: lackingIn(config), ...kept, shadow };
  }

  /** Begins; `told` says how it goes. @throws RouterError `invalid_request`, or `overloaded` while one runs */
  async begin(): Promise<void> {
    const config = this.#parts.config();
    refuseLacking(lackingIn(config));
    await new Promise<void>((begun, refused) => {
      const busy = new AbortController();
      const held = { signal: busy.signal, onWait: () => busy.abort() };
      const train = (): Promise<void> => this.#train(config, begun);
      withLock(join(config.records!.dir, LOCK), held, train).catch((error: Error) =>
        refused(error.name === 'AbortError' ? alreadyRunning() : error),
      );
    });
  }

  /** Resolves when it has ended. */
  async #train({ records, router, shadow }: Config, begun: () => void): Promise<void> {
    const options = ['--field', 'prompt', '--continue', router!, '--out', shadow!, '--no-report', '--json'];
    const limits = ['--exclude', FILE, '--threads', '1', '--sample', String(MOST_PROMPTS)];
    const child = spawn(
      process.execPath,
      [shipped('bin/expert-router.js'), 'train', records!.dir, ...options, ...limits],
      { stdio: ['ignore', 'pipe', 'pipe'], env: environment(), timeout: LONGEST_MS },
    );
    this.#child = child;
    if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_LOW);
    await this.#follow(child, records!.dir, begun);
  }

  /** Puts the shadow model into force; the one before it stays beside it. @throws RouterError `invalid_request`, `not_reloaded` */
  async apply(): Promise<void> {
    const { router, shadow } = this.#parts.config();
    if (shadow === undefined) refuseLacking(['shadow']);
    if (router === undefined) refuseLacking(['router']);
    const next = await readFile(shadow!).catch(() => null);
    if (next === null)
      throw new RouterError('invalid_request', `There is no shadow model yet: ${shadow} does not exist.`);
    const before = await readFile(router!);
    try {
      await loadModelFile(shadow!);
      await writeFileAtomically(`${router}.before`, before);
      await writeFileAtomically(router!, next);
      await rm(shadow!, { force: true });
      await this.#parts.reload();
    } catch (error) {
      await writeFileAtomically(router!, before);
      await writeFileAtomically(shadow!, next);
      throw new RouterError('not_reloaded', `Still serving as before: ${describeError(error)}`, {
        cause: error,
      });
    }
  }

  close(): void {
    this.#child?.kill();
  }

  async #follow(child: ChildProcess, dir: string, begun: () => void): Promise<void> {
    const began = this.#parts.now();
    const keep = (more: Partial<Kept>): Promise<void> =>
      this.#keep(dir, { ...NEVER, state: 'running', began, pid: process.pid, ...more });
    let [told, said] = ['', ''];
    child.stdout!.on('data', (text) => (told += text));
    child.stderr!.on('data', (text) => {
      said = `${said}${text}`.slice(-4_096);
      void keep({ stage: lastLine(said) });
    });
    child.once('error', (error) => (said += error.message));
    const closed = new Promise<[number | null, NodeJS.Signals | null]>((resolve) => {
      child.once('close', (...how) => resolve(how));
    });
    await keep({});
    begun();
    const [code, signal] = await closed;
    const result = code === 0 ? resultOf(told) : null;
    const why = signal === null ? lastLine(said) : `ended by ${signal}`;
    const failed = result === null ? why || `ended with ${code}` : await this.#reloaded();
    const state = failed === null ? 'done' : 'failed';
    await keep({ state, ended: this.#parts.now(), error: failed, result });
    this.#child = null;
    this.#parts.log(
      failed === null ? `Retrained: router model ${result!.router_model}.` : `Not retrained: ${failed}`,
    );
  }

  /** So that the new model decides in the shadow. @returns why it does not; null where it does */
  #reloaded(): Promise<string | null> {
    return this.#parts.reload().then(() => null, describeError);
  }

  #keep(dir: string, kept: Kept): Promise<void> {
    this.#writing = this.#writing
      .then(() => writeFileAtomically(join(dir, FILE), JSON.stringify(kept)))
      .catch((error: unknown) => this.#parts.log(`The retraining cannot be noted: ${describeError(error)}`));
    return this.#writing;
  }

  /** Whether somebody still does: another process may have its number by now. */
  #follows({ pid, began }: Kept, own: boolean): boolean {
    if (pid === process.pid) return own;
    return isAlive(pid) && this.#parts.now() - (began ?? 0) < LONGEST_MS;
  }

  async #kept(): Promise<Kept> {
    const { records } = this.#parts.config();
    // Before the file is read: the end is noted there first.
    const own = this.#child !== null;
    const text = records ? await readFile(join(records.dir, FILE), 'utf8').catch(() => null) : null;
    const kept = text === null ? { ...NEVER, pid: 0 } : (JSON.parse(text) as Kept);
    if (kept.state !== 'running' || this.#follows(kept, own)) return kept;
    return { ...kept, state: 'failed', error: 'the process that trained is gone' };
  }
}

function alreadyRunning(): RouterError {
  return new RouterError('overloaded', 'A retraining is running already.', { retryAfter: 30 });
}

function lastLine(text: string): string {
  return text
    .trimEnd()
    .split(/[\r\n]/)
    .at(-1)!
    .trim()
    .slice(0, LONGEST_LINE);
}

function environment(): Record<string, string> {
  return Object.fromEntries(
    ENVIRONMENT.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])),
  );
}

/** What a config must say first, in the order in which it is told. */
function lackingIn({ records, router, shadow }: Config): readonly Lacking[] {
  return [
    ...(records?.prompts ? [] : (['records'] as const)),
    ...(router === undefined ? (['router'] as const) : []),
    ...(shadow === undefined ? (['shadow'] as const) : []),
  ];
}

const CURES: Readonly<Record<Lacking, string>> = {
  records: 'prompts are not kept (records: {dir: ./records, prompts: true})',
  router:
    'the config names no router model of its own (router: ./router.safetensors, first a copy of the one in force)',
  shadow: 'there is no place for the new model (shadow: ./next.router.safetensors)',
};

function refuseLacking(lacking: readonly Lacking[]): void {
  if (lacking.length === 0) return;
  throw new RouterError(
    'invalid_request',
    `This needs more in the config: ${lacking.map((one) => CURES[one]).join('; ')}.`,
  );
}

function resultOf(told: string): RetrainingBody['result'] {
  try {
    const { id, clusters, prompts, continued } = JSON.parse(told);
    return {
      router_model: id,
      clusters,
      prompts: prompts.kept,
      kept: continued.kept,
      moved: continued.moved,
    };
  } catch {
    return null;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return pid > 0;
  } catch {
    return false;
  }
}

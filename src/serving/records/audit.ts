/**
 * Who called and who changed what, as JSON lines, a file for each day of UTC. Nothing is ever deleted or rewritten, and no
 * word of a prompt, an answer or a key is in it. Each line is with the operating system before the next request ends.
 */
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describeError, UserError } from '../../core/errors.ts';

export interface AuditedCall {
  readonly event: 'call';
  /** ISO 8601. */
  readonly at: string;
  readonly trace_id: string;
  /** Names from the config; null for none. */
  readonly key: string | null;
  readonly team: string | null;
  readonly path: string | null;
  readonly expert: string | null;
  readonly cluster: string | null;
  readonly status: number | null;
  readonly error: string | null;
  /** As the expert reported them; null where it did not. */
  readonly prompt_tokens: number | null;
  readonly cached_tokens: number | null;
  readonly completion_tokens: number | null;
  /** Absent, or null, where no expert asked has a price for GPUs. */
  readonly gpu_seconds?: number | null;
  /** Null where tokens or price are not known. */
  readonly usd: number | null;
}

/** Time of an expert's GPUs that was there and that no request took. */
export interface AuditedIdle {
  readonly event: 'idle';
  readonly at: string;
  readonly expert: string;
  readonly gpu_seconds: number;
  readonly usd: number;
}

export interface AuditedChange {
  readonly event: 'config';
  readonly at: string;
  /** Names of keys. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
}

/** By a key with the role `operate`. */
export interface AuditedAction {
  readonly event: 'action';
  readonly at: string;
  readonly trace_id: string;
  readonly key: string | null;
  readonly action: 'drain' | 'resume' | 'reload' | 'retrain' | 'apply_shadow';
  readonly expert: string | null;
  /** Null for the whole expert. */
  readonly replica: string | null;
  /** Why it was not done; null where it was. */
  readonly error: string | null;
}

interface AuditOptions {
  readonly dir: string;
  log(line: string): void;
}

export class Audit {
  readonly #options: AuditOptions;
  #day = '';
  #file: number | null = null;
  #failing = false;

  /** @throws UserError where the folder cannot be made */
  constructor(options: AuditOptions) {
    this.#options = options;
    try {
      mkdirSync(options.dir, { recursive: true, mode: 0o700 });
    } catch (error) {
      throw new UserError(`Cannot keep the audit log in ${options.dir}: ${describeError(error)}`, {
        cause: error,
      });
    }
  }

  write(entry: AuditedCall | AuditedIdle | AuditedChange | AuditedAction): void {
    try {
      writeSync(this.#fileOf(entry.at.slice(0, 10)), `${JSON.stringify(entry)}\n`);
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) this.#options.log(`the audit log cannot be written: ${describeError(error)}`);
      this.#failing = true;
    }
  }

  close(): void {
    if (this.#file !== null) closeSync(this.#file);
    this.#file = null;
    this.#day = '';
  }

  #fileOf(day: string): number {
    if (this.#file !== null && this.#day === day) return this.#file;
    this.close();
    this.#file = openSync(join(this.#options.dir, `audit-${day}.jsonl`), 'a', 0o600);
    this.#day = day;
    return this.#file;
  }
}

interface NamedKey {
  readonly name: string;
}

/** What became of the keys, by name. */
export function changesOf(
  before: readonly NamedKey[],
  after: readonly NamedKey[],
): Pick<AuditedChange, 'added' | 'removed' | 'changed'> {
  const was = new Map(before.map((key) => [key.name, JSON.stringify(key)]));
  const is = new Map(after.map((key) => [key.name, JSON.stringify(key)]));
  return {
    added: [...is.keys()].filter((name) => !was.has(name)),
    removed: [...was.keys()].filter((name) => !is.has(name)),
    changed: [...is].filter(([name, text]) => was.has(name) && was.get(name) !== text).map(([name]) => name),
  };
}

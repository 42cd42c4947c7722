/**
 * Limits kept in this process. With a folder they outlive it: what changed is appended at once, as the accounts are
 * afterwards, and the file is written anew when it has grown. Open reservations end with the process.
 */
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describeError, UserError } from '../../core/errors.ts';
import { holdFolder } from './folder-lock.ts';
import { Ledger, type Reservation, type Saved, type Verdict } from './ledger.ts';
import type { LimitStore, Party } from './store.ts';

interface EmbeddedOptions {
  /** Ends its hold on the folder; absent where nobody else is kept out. */
  released?(): Promise<void>;
  /** Null to keep them in memory alone. */
  readonly dir: string | null;
  readonly clock: {
    /** Milliseconds since 1970. */
    epoch(): number;
    /** Milliseconds that never run backwards. */
    monotonic(): number;
  };
  log(line: string): void;
}

const NAME = 'limits.jsonl';
/** Clocks that differ by more than this were set; less is drift. */
const CLOCK_SET_MS = 1_000;
/** Lines after which the file is written anew. */
const MOST_LINES = 50_000;

export class EmbeddedStore implements LimitStore {
  readonly #ledger = new Ledger();
  readonly #options: EmbeddedOptions;
  #file: number | null = null;
  #lines = 0;
  #failing = false;
  /** What a clock that is never set would be behind the one that tells the days. */
  #offset: number;

  /** The only one of a folder, for as long as it is open. Rejects with `UserError` where it cannot be used, or is in use. */
  static async open(options: EmbeddedOptions): Promise<EmbeddedStore> {
    const { dir } = options;
    if (dir === null) return new EmbeddedStore(options);
    const failed = (error: unknown): never => {
      if (error instanceof UserError) throw error;
      throw new UserError(`Cannot keep limits in ${dir}: ${describeError(error)}`, { cause: error });
    };
    try {
      mkdirSync(dir, { recursive: true, mode: 0o700 });
    } catch (error) {
      failed(error);
    }
    const held = await holdFolder(dir, 'its limits').catch(failed);
    try {
      return new EmbeddedStore({ ...options, released: () => held.release() });
    } catch (error) {
      await held.release();
      throw error;
    }
  }

  /** @throws UserError where the folder cannot be used */
  constructor(options: EmbeddedOptions) {
    this.#options = options;
    this.#offset = options.clock.epoch() - options.clock.monotonic();
    if (options.dir === null) return;
    try {
      mkdirSync(options.dir, { recursive: true, mode: 0o700 });
      this.#read(join(options.dir, NAME));
      this.#rewrite(options.dir);
    } catch (error) {
      throw new UserError(`Cannot keep limits in ${options.dir}: ${describeError(error)}`, { cause: error });
    }
  }

  reserve(party: Party, reservation: Reservation): Promise<Verdict> {
    const verdict = this.#ledger.reserve(party.scopes, reservation, this.#now());
    if (verdict.admitted && party.scopes.some(({ bounds }) => bounds.requests !== null)) this.#keep(party);
    return Promise.resolve(verdict);
  }

  extend({ scopes }: Party, reservation: Reservation): void {
    this.#ledger.extend(scopes, reservation, this.#now());
  }

  settle(party: Party, reservation: Reservation): void {
    if (this.#ledger.settle(party.scopes, reservation, this.#now())) this.#keep(party);
  }

  async close(): Promise<void> {
    if (this.#file !== null) closeSync(this.#file);
    this.#file = null;
    await this.#options.released?.();
  }

  /** Microseconds since 1970, by which days begin. A clock that was set neither frees nor locks anybody. */
  #now(): number {
    const { clock } = this.#options;
    const epoch = clock.epoch();
    const offset = epoch - clock.monotonic();
    const set = offset - this.#offset;
    this.#offset = offset;
    if (Math.abs(set) > CLOCK_SET_MS) this.#ledger.clockSet(Math.round(set * 1000));
    return Math.round(epoch * 1000);
  }

  /** Written before anybody is told, so that the end of this process takes nothing back. */
  #keep({ scopes }: Party): void {
    const { dir } = this.#options;
    if (this.#file === null || dir === null) return;
    const saved = scopes.map(({ name }) => lineOf(name, this.#ledger.saved(name)));
    try {
      writeSync(this.#file, saved.join(''));
      this.#lines += saved.length;
      if (this.#lines >= MOST_LINES) this.#rewrite(dir);
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) this.#options.log(`limits cannot be kept in ${dir}: ${describeError(error)}`);
      this.#failing = true;
    }
  }

  #read(path: string): void {
    for (const line of linesOf(path)) {
      try {
        const { name, ...saved } = JSON.parse(line) as Saved & { readonly name: string };
        this.#ledger.restore(name, saved);
      } catch {
        // The last line of a process that was killed may be torn; what it would have told is lost with it.
      }
    }
  }

  #rewrite(dir: string): void {
    const path = join(dir, NAME);
    const temporary = `${path}.${process.pid}.tmp`;
    const file = openSync(temporary, 'w', 0o600);
    const lines = this.#ledger.names().map((name) => lineOf(name, this.#ledger.saved(name)));
    writeSync(file, lines.join(''));
    fsyncSync(file);
    renameSync(temporary, path);
    if (this.#file !== null) closeSync(this.#file);
    this.#file = file;
    this.#lines = 0;
  }
}

function lineOf(name: string, saved: Saved): string {
  return `${JSON.stringify({ name, ...saved })}\n`;
}

function linesOf(path: string): readonly string[] {
  try {
    return readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line !== '');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

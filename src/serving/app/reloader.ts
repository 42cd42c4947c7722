/**
 * Looks at the config and the router model while they are served, and has a changed one taken up when it may be: read
 * to its end, sound, and admitted by the rules of a start. It knows nothing of fleets and workers.
 */
import { unwatchFile, watchFile } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeError, UserError } from '../../core/errors.ts';
import { configFrom, readConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { admit, type Flags } from './admission.ts';
import { DEFAULT_MODEL } from './compose.ts';

/** A config as read: its text, and what that says. */
export interface Source {
  readonly text: string;
  readonly config: Config;
}

interface ReloaderParts {
  readonly file: string;
  readonly flags: Flags;
  /** How many serve. */
  readonly processes: number;
  /**
   * Puts a config into force, everywhere or nowhere.
   * @returns the id of the router model that serves with it; rejects with the reason when it stays as it was
   */
  apply(next: Source): Promise<string>;
  log(line: string): void;
}

/** How often the files are looked at; a poll sees replaced files and those on network disks alike. */
const LOOK_EVERY_MS = 1_000;
/** A file that says the same after this long is not being written any more. */
const SETTLED_MS = 250;
/** Looks at a file that changes all the time, before giving up until it changes again. */
const MOST_LOOKS = 40;

export class Reloader {
  readonly #parts: ReloaderParts;
  #inForce: Source;
  #watched: readonly string[] = [];
  #reloading = false;
  /** The files changed while they were being taken up. */
  #changedMeanwhile = false;
  #closed = false;

  constructor(inForce: Source, parts: ReloaderParts) {
    this.#parts = parts;
    this.#inForce = inForce;
    this.#watch();
  }

  /** Takes up the files as they are now; says so, or why not. */
  async reload(): Promise<void> {
    this.#changedMeanwhile = this.#reloading;
    if (this.#reloading || this.#closed) return;
    this.#reloading = true;
    await this.#takeUp().catch((error: unknown) => {
      this.#parts.log(`Not reloaded, still serving as before: ${describeError(error)}`);
    });
    this.#reloading = false;
    if (this.#changedMeanwhile) await this.reload();
  }

  /** From now on everything stays as it is. */
  close(): void {
    this.#closed = true;
    this.#unwatch();
  }

  async #takeUp(): Promise<void> {
    const { file, flags, processes, apply, log } = this.#parts;
    const { text: oldText, config: old } = this.#inForce;
    const text = await settledText(file);
    if (oldText.endsWith('\n') && !text.endsWith('\n')) {
      throw new UserError(
        `${file} ends in the middle of a line, as if half of it were written. Save it whole, with a newline at its end.`,
      );
    }
    const config = configFrom(text, file, process.env);
    admit(config, flags, { config: old, processes });
    const model = await apply({ text, config });
    this.#inForce = { text, config };
    if (this.#closed) return;
    this.#watch();
    const moved = config.listen === old.listen ? '' : ` The address stays ${old.listen} until a restart.`;
    log(`Reloaded ${file}: ${config.experts.length} experts, router model ${model}.${moved}`);
  }

  #watch(): void {
    this.#unwatch();
    this.#watched = [resolve(this.#parts.file), this.#inForce.config.router ?? DEFAULT_MODEL];
    for (const file of this.#watched) {
      watchFile(file, { interval: LOOK_EVERY_MS, persistent: false }, () => void this.reload());
    }
  }

  #unwatch(): void {
    for (const file of this.#watched) unwatchFile(file);
  }
}

/** What a file says once it has stopped changing. @throws UserError when it cannot be read or does not stop */
async function settledText(file: string): Promise<string> {
  let before: string | null = null;
  for (let look = 0; look < MOST_LOOKS; look++) {
    const now = await readConfig(file);
    if (now === before) return now;
    before = now;
    await sleep(SETTLED_MS);
  }
  throw new UserError(`${file} changes all the time; it is taken up once it stays as it is.`);
}

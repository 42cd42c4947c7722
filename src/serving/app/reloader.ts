/**
 * Watches a config's file, its router model and its certificates, and has a changed one taken up when it may be: read to its end,
 * sound, and admitted by the rules of a start.
 */
import { unwatchFile, watchFile } from 'node:fs';
import { resolve } from 'node:path';
import { describeError, UserError } from '../../core/errors.ts';
import { settledText } from '../../core/settled.ts';
import { DEFAULT_MODEL } from '../../deciding/model/file.ts';
import { readConfig } from '../config/load.ts';
import type { Source } from './source.ts';
import { identityFiles } from './tls.ts';

interface ReloaderParts {
  readonly file: string;
  /** What serves now. */
  inForce(): Source;
  /** What a text of the file says. @throws UserError naming every problem */
  read(text: string): Source;
  /**
   * Admits a config and puts it into force, everywhere or nowhere.
   * @returns the id of the router model that serves with it; rejects with the reason when it stays as it was
   */
  apply(next: Source): Promise<string>;
  log(line: string): void;
}

/** How often the files are looked at; a poll sees replaced files and those on network disks alike. */
const LOOK_EVERY_MS = 1_000;

export class Reloader {
  readonly #parts: ReloaderParts;
  #watched: readonly string[] = [];
  /** Where the config said to listen when this began. */
  readonly #listen: string;
  #running: Promise<void> = Promise.resolve();
  /** The reload that begins when the running one has ended. */
  #next: Promise<void> | null = null;
  #closed = false;
  #check: NodeJS.Timeout | undefined;

  constructor(parts: ReloaderParts) {
    this.#parts = parts;
    this.#listen = parts.inForce().config.listen;
    this.#watch();
  }

  /** Takes up the files as they are when it begins; rejects with the reason when everything stays as it was. */
  reload(): Promise<void> {
    this.#next ??= this.#running
      .catch(() => {})
      .then(() => {
        this.#next = null;
        this.#running = this.#takeUp();
        return this.#running;
      });
    return this.#next;
  }

  /** As `reload`, but a refusal goes to the log. */
  async tryReload(): Promise<void> {
    await this.reload().catch((error: unknown) => {
      this.#parts.log(`Not reloaded, still serving as before: ${describeError(error)}`);
    });
  }

  /** From now on everything stays as it is. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#check);
    this.#unwatch();
  }

  async #takeUp(): Promise<void> {
    const { file, inForce, read, apply, log } = this.#parts;
    if (this.#closed) return;
    const before = inForce();
    const text = await settledText(file, readConfig);
    if (before.text.endsWith('\n') && !text.endsWith('\n')) {
      throw new UserError(
        `${file} ends in the middle of a line, as if half of it were written. Save it whole, with a newline at its end.`,
      );
    }
    const next = read(text);
    const model = await apply(next);
    if (this.#closed) return;
    this.#watch();
    const { experts, listen } = next.config;
    const moved =
      listen === this.#listen
        ? ''
        : ` It listens where it did until a restart: the config said ${this.#listen} then, and says ${listen} now.`;
    log(`Reloaded ${file}: ${experts.length} experts, router model ${model}.${moved}`);
  }

  #watch(): void {
    this.#unwatch();
    const { config } = this.#parts.inForce();
    this.#watched = [resolve(this.#parts.file), config.router ?? DEFAULT_MODEL, ...identityFiles(config)];
    for (const file of this.#watched)
      watchFile(file, { interval: LOOK_EVERY_MS, persistent: false }, this.#onChange);
    clearTimeout(this.#check);
    this.#check = setTimeout(() => void this.#catchUp(), LOOK_EVERY_MS).unref();
  }

  /** A watch sees changes after its first look alone; what was written between reading and that is seen here. */
  async #catchUp(): Promise<void> {
    const { file, inForce } = this.#parts;
    const text = await readConfig(file).catch(() => null); // one that is gone changes when it comes back
    if (text !== null && text !== inForce().text && !this.#closed) await this.tryReload();
  }

  #unwatch(): void {
    // Its own listener alone: another gateway in this process may watch the same file.
    for (const file of this.#watched) unwatchFile(file, this.#onChange);
  }

  readonly #onChange = (): void => void this.tryReload();
}

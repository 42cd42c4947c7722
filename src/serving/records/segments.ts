/**
 * JSON lines appended to files of limited size, the oldest of which are deleted: a folder that never outgrows its bytes.
 * Lines are gathered and written together, so that no request waits for the disk.
 */
import { appendFile, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describeError, UserError } from '../../core/errors.ts';

export interface SegmentsOptions {
  readonly dir: string;
  /** Of all files in the folder together. */
  readonly maxBytes: number;
  /** How many processes write there. */
  readonly writers: number;
  /** Part of the names of this process's files; different for each of them. */
  readonly name: string;
  log(line: string): void;
}

/** Files that a folder is divided into at least, so that little is lost with the oldest. */
const SEGMENTS = 16;
const FLUSH_MS = 1_000;
/** Bytes that may wait for a slow disk; what comes beyond is dropped, and counted. */
const MOST_WAITING = 4 << 20;
const NAME = /^records-.*\.jsonl$/;

export class Segments {
  readonly #options: SegmentsOptions;
  readonly #segmentBytes: number;
  readonly #timer: NodeJS.Timeout;
  #waiting: string[] = [];
  #waitingBytes = 0;
  #writing: Promise<void> = Promise.resolve();
  #sequence = 0;
  #written = 0;
  #dropped = 0;
  #failing = false;

  private constructor(options: SegmentsOptions) {
    this.#options = options;
    this.#segmentBytes = Math.max(1, Math.floor(options.maxBytes / SEGMENTS / options.writers));
    this.#timer = setInterval(() => void this.flush(), FLUSH_MS).unref();
  }

  /** @throws UserError when the folder cannot be made or written to */
  static async open(options: SegmentsOptions): Promise<Segments> {
    try {
      await mkdir(options.dir, { recursive: true, mode: 0o700 });
      const segments = new Segments(options);
      await appendFile(segments.#path(), '', { mode: 0o600 });
      return segments;
    } catch (error) {
      throw new UserError(`Cannot keep records in ${options.dir}: ${describeError(error)}`, { cause: error });
    }
  }

  /** Lines that did not fit because the disk is slow or fails. */
  get dropped(): number {
    return this.#dropped;
  }

  append(value: object): void {
    const line = `${JSON.stringify(value)}\n`;
    if (this.#waitingBytes + line.length > MOST_WAITING) {
      this.#dropped += 1;
      return;
    }
    this.#waiting.push(line);
    this.#waitingBytes += line.length;
  }

  /** Writes what waits; never rejects. */
  flush(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.flush();
  }

  async #write(): Promise<void> {
    if (this.#waiting.length === 0) return;
    const lines = this.#waiting;
    const bytes = lines.join('');
    this.#waiting = [];
    this.#waitingBytes = 0;
    try {
      await appendFile(this.#path(), bytes, { mode: 0o600 });
      this.#written += Buffer.byteLength(bytes);
      if (this.#failing) this.#options.log(`records are kept again in ${this.#options.dir}`);
      this.#failing = false;
      if (this.#written >= this.#segmentBytes) await this.#rotate();
    } catch (error) {
      this.#dropped += lines.length;
      if (!this.#failing) this.#options.log(`records cannot be written: ${describeError(error)}`);
      this.#failing = true;
    }
  }

  #path(): string {
    return join(
      this.#options.dir,
      `records-${this.#options.name}-${String(this.#sequence).padStart(6, '0')}.jsonl`,
    );
  }

  /** The next file; then the oldest are deleted until all writers may fill theirs. */
  async #rotate(): Promise<void> {
    this.#sequence += 1;
    this.#written = 0;
    const { dir, maxBytes, writers } = this.#options;
    const files = await Promise.all(
      (await readdir(dir)).filter((name) => NAME.test(name)).map((name) => sizeOf(join(dir, name))),
    );
    files.sort((a, b) => a.changed - b.changed);
    let total = files.reduce((sum, { bytes }) => sum + bytes, 0);
    const allowed = maxBytes - writers * this.#segmentBytes;
    for (const { path, bytes } of files) {
      if (total <= allowed) break;
      await rm(path, { force: true });
      total -= bytes;
    }
  }
}

async function sizeOf(path: string): Promise<{ path: string; bytes: number; changed: number }> {
  // Another process may have deleted it meanwhile.
  const found = await stat(path).catch(() => null);
  return { path, bytes: found?.size ?? 0, changed: found?.mtimeMs ?? 0 };
}

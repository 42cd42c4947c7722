/** Prompts in batches, written once and read repeatedly: in memory while they are few, else in a temporary file. */
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../core/errors.ts';
import { packTexts, type TextBatch } from '../../core/tasks.ts';

export const BATCH = 1_024;
/** Bytes of prompts kept in memory; above this, everything moves to the file. */
const IN_MEMORY = 128 << 20;

interface Span {
  readonly offset: number;
  readonly length: number;
}

export class PromptStore {
  count = 0;
  readonly #folder: string;
  readonly #inMemory: number;
  #pending: string[] = [];
  readonly #held: TextBatch[] = [];
  readonly #spans: Span[] = [];
  #bytes = 0;
  #spool: { readonly folder: string; readonly path: string; readonly descriptor: number } | undefined;
  #reader: FileHandle | undefined;

  /** `folder` is where the temporary file goes if one is needed. */
  constructor(folder: string, inMemory = IN_MEMORY) {
    this.#folder = folder;
    this.#inMemory = inMemory;
  }

  get batches(): number {
    return this.#spans.length;
  }

  append(prompt: string): void {
    this.#pending.push(prompt);
    this.count += 1;
    if (this.#pending.length === BATCH) this.flush();
  }

  /** Finishes writing; call before the first read. */
  flush(): void {
    if (this.#pending.length === 0) return;
    const batch = packTexts(this.#pending);
    this.#pending = [];
    this.#spans.push({ offset: this.#bytes, length: batch.length });
    this.#bytes += batch.length;
    if (this.#spool) this.#write(batch);
    else {
      this.#held.push(batch);
      if (this.#bytes > this.#inMemory) this.#spill();
    }
  }

  #spill(): void {
    this.#orUserError(() => {
      const folder = mkdtempSync(join(this.#folder, 'expert-router-'));
      const path = join(folder, 'prompts');
      this.#spool = { folder, path, descriptor: openSync(path, 'wx', 0o600) };
    });
    for (const batch of this.#held) this.#write(batch);
    this.#held.length = 0;
  }

  #write(batch: TextBatch): void {
    this.#orUserError(() => {
      for (let done = 0; done < batch.length; ) done += writeSync(this.#spool!.descriptor, batch, done);
    });
  }

  #orUserError(act: () => void): void {
    try {
      act();
    } catch (error) {
      throw new UserError(
        `Cannot store the prompts in ${this.#folder} while training: ${(error as Error).message}. ` +
          'Free some space, set TMPDIR to a larger disk, or use --sample.',
        { cause: error },
      );
    }
  }

  async read(batch: number): Promise<TextBatch> {
    const held = this.#held[batch];
    if (held) return held;
    const span = this.#spans[batch];
    if (!span || !this.#spool) throw new RangeError(`no batch ${batch}`);
    this.#reader ??= await open(this.#spool.path, 'r');
    const bytes = new Uint8Array(span.length);
    await this.#reader.read(bytes, 0, span.length, span.offset);
    return bytes;
  }

  /** Removes the temporary file, if there is one. Synchronous, so that it also works in an exit handler. */
  discard(): void {
    if (this.#spool) {
      closeSync(this.#spool.descriptor);
      rmSync(this.#spool.folder, { recursive: true, force: true });
    }
    void this.#reader?.close();
    this.#spool = undefined;
    this.#reader = undefined;
  }
}

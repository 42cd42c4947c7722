/**
 * Prompts in batches, written once and read as often as training needs: in memory while they are few, in a temporary
 * file when they are many.
 */
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../core/errors.ts';
import { packTexts, type TextBatch } from '../../core/text-batch.ts';

export const BATCH = 1_024;
/** Bytes of prompts kept in memory; beyond, everything goes to the file. */
const IN_MEMORY = 128 << 20;

interface Place {
  readonly offset: number;
  readonly length: number;
}

export class PromptStore {
  count = 0;
  readonly #folder: string;
  readonly #inMemory: number;
  #pending: string[] = [];
  readonly #held: TextBatch[] = [];
  readonly #places: Place[] = [];
  #bytes = 0;
  #spool: { readonly folder: string; readonly path: string; readonly descriptor: number } | undefined;
  #reader: FileHandle | undefined;

  /** `folder` is where the temporary file goes if one is needed. */
  constructor(folder: string, inMemory = IN_MEMORY) {
    this.#folder = folder;
    this.#inMemory = inMemory;
  }

  get batches(): number {
    return this.#places.length;
  }

  append(prompt: string): void {
    this.#pending.push(prompt);
    this.count += 1;
    if (this.#pending.length === BATCH) this.flush();
  }

  /** Ends the writing; call before the first read. */
  flush(): void {
    if (this.#pending.length === 0) return;
    const batch = packTexts(this.#pending);
    this.#pending = [];
    this.#places.push({ offset: this.#bytes, length: batch.length });
    this.#bytes += batch.length;
    if (this.#spool) this.#write(batch);
    else {
      this.#held.push(batch);
      if (this.#bytes > this.#inMemory) this.#spill();
    }
  }

  #spill(): void {
    this.#orExplain(() => {
      const folder = mkdtempSync(join(this.#folder, 'expert-router-'));
      const path = join(folder, 'prompts');
      this.#spool = { folder, path, descriptor: openSync(path, 'wx', 0o600) };
    });
    for (const batch of this.#held) this.#write(batch);
    this.#held.length = 0;
  }

  #write(batch: TextBatch): void {
    this.#orExplain(() => {
      for (let done = 0; done < batch.length; ) done += writeSync(this.#spool!.descriptor, batch, done);
    });
  }

  #orExplain(act: () => void): void {
    try {
      act();
    } catch (error) {
      throw new UserError(
        `Cannot keep the prompts in ${this.#folder} while training: ${(error as Error).message}. ` +
          'Free some space, set TMPDIR to a larger disk, or use --sample.',
        { cause: error },
      );
    }
  }

  async read(batch: number): Promise<TextBatch> {
    const held = this.#held[batch];
    if (held) return held;
    const place = this.#places[batch];
    if (!place || !this.#spool) throw new RangeError(`no batch ${batch}`);
    this.#reader ??= await open(this.#spool.path, 'r');
    const bytes = new Uint8Array(place.length);
    await this.#reader.read(bytes, 0, place.length, place.offset);
    return bytes;
  }

  /** Removes the temporary file, if there is one. Synchronous, so that it also works on the way out. */
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

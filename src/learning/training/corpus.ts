/** The prompts a model is trained on: read from files, without blank and repeated ones, with a limit per source. */
import { UserError } from '../../core/errors.ts';
import { type Random, seededRandom } from '../../core/random.ts';
import type { Deidentifier } from '../../deciding/text/identifiers/deidentify.ts';
import { sampleText } from '../../deciding/text/sampling.ts';
import { Fingerprints } from './fingerprints.ts';
import { PromptStore } from './prompt-store.ts';
import type { SourceFile } from './sources/files.ts';
import { type ReadOptions, readPrompts } from './sources/read.ts';

export interface CorpusOptions extends Omit<ReadOptions, 'onBroken' | 'onNotice'> {
  /** Maximum number of prompts from a source, sampled uniformly; undefined for all. */
  readonly limitOf?: (source: string) => number | undefined;
  /** Maximum number of prompts in all, sampled uniformly. */
  readonly sample?: number;
  /** Takes identifiers out of each prompt before anything else reads it. */
  readonly deidentify?: Deidentifier | null;
  readonly seed: number;
  /** Where the prompts go; the caller discards it. */
  readonly store: PromptStore;
  readonly onProgress?: (prompts: number) => void;
}

export interface Corpus {
  readonly store: PromptStore;
  /** Prompts kept, by source. */
  readonly sources: Readonly<Record<string, number>>;
  readonly duplicates: number;
  readonly broken: number;
  /** The first few reasons why records were skipped. */
  readonly complaints: readonly string[];
  /** What the user should know about how files were read. */
  readonly notices: readonly string[];
}

const COMPLAINTS_KEPT = 5;
const REPORT_EVERY = 512;

/** @throws UserError when there is nothing to learn from */
export async function readCorpus(files: readonly SourceFile[], options: CorpusOptions): Promise<Corpus> {
  const reading = new Reading(options);
  for (const file of files) await reading.file(file);
  return reading.end(files);
}

/** A corpus of prompts in memory. */
export function corpusOf(prompts: readonly string[], temporaryFolder: string): Corpus {
  return corpusIn(new PromptStore(temporaryFolder), prompts, 'given');
}

/** The same in an empty store of the caller's. */
export function corpusIn(store: PromptStore, prompts: readonly string[], source: string): Corpus {
  for (const prompt of prompts) store.append(prompt);
  store.flush();
  return {
    store,
    sources: { [source]: prompts.length },
    duplicates: 0,
    broken: 0,
    complaints: [],
    notices: [],
  };
}

class Reading {
  readonly #store: PromptStore;
  readonly #options: CorpusOptions;
  readonly #random: Random;
  readonly #seen = new Fingerprints();
  readonly #complaints: string[] = [];
  readonly #notices: string[] = [];
  readonly #sources = new Map<string, number>();
  readonly #draws = new Map<string, Draw>();
  readonly #drawAll: Draw | undefined;
  #duplicates = 0;
  #broken = 0;
  #read = 0;

  constructor(options: CorpusOptions) {
    this.#options = options;
    this.#random = seededRandom(options.seed);
    this.#store = options.store;
    this.#drawAll =
      options.sample === undefined ? undefined : new Draw(options.sample, this.#random.fork('sample'));
  }

  async file(file: SourceFile): Promise<void> {
    const onBroken = (path: string, why: string): void => {
      this.#broken += 1;
      if (this.#complaints.length < COMPLAINTS_KEPT) this.#complaints.push(`${path}: ${why}`);
    };
    const onNotice = (path: string, what: string): void => void this.#notices.push(`${path}: ${what}`);
    for await (const prompt of readPrompts(file, { ...this.#options, onBroken, onNotice })) {
      this.#read += 1;
      if (this.#read % REPORT_EVERY === 0) this.#options.onProgress?.(this.#read);
      this.#offer(prompt.trim(), file.source);
    }
  }

  #offer(prompt: string, source: string): void {
    if (prompt === '') return;
    const sampled = sampleText(prompt);
    const text = this.#options.deidentify?.(sampled) ?? sampled;
    if (!this.#seen.isNew(text)) this.#duplicates += 1;
    else {
      const limit = this.#options.limitOf?.(source);
      if (limit === undefined) this.#keep(text, source);
      else this.#drawOf(source, limit).offer(text, source);
    }
  }

  #drawOf(source: string, limit: number): Draw {
    const draw = this.#draws.get(source) ?? new Draw(limit, this.#random.fork(`source ${this.#draws.size}`));
    this.#draws.set(source, draw);
    return draw;
  }

  #keep(text: string, source: string): void {
    if (this.#drawAll) this.#drawAll.offer(text, source);
    else this.#put(text, source);
  }

  #put(text: string, source: string): void {
    this.#store.append(text);
    this.#sources.set(source, (this.#sources.get(source) ?? 0) + 1);
  }

  end(files: readonly SourceFile[]): Corpus {
    this.#options.onProgress?.(this.#read);
    for (const draw of this.#draws.values()) for (const [text, source] of draw.kept) this.#keep(text, source);
    for (const [text, source] of this.#drawAll?.kept ?? []) this.#put(text, source);
    this.#store.flush();
    const complaints = this.#complaints;
    if (this.#store.count === 0) throw new UserError(nothingFound(files, this.#read, complaints));
    return {
      store: this.#store,
      sources: Object.fromEntries(this.#sources),
      duplicates: this.#duplicates,
      broken: this.#broken,
      complaints,
      notices: this.#notices,
    };
  }
}

function nothingFound(files: readonly SourceFile[], read: number, complaints: readonly string[]): string {
  const where = files.length === 1 ? files[0]!.path : `${files.length} files`;
  if (read > 0) return `Every prompt in ${where} is blank; there is nothing to learn from.`;
  const why = complaints.length > 0 ? ` ${complaints.join('; ')}.` : '';
  return `No prompt found in ${where}.${why} If the field has an unusual name, use --field <name>.`;
}

/** A uniform sample of what is offered (Vitter 1985, algorithm R). */
class Draw {
  readonly kept: (readonly [string, string])[] = [];
  readonly #limit: number;
  readonly #random: Random;
  #offered = 0;

  constructor(limit: number, random: Random) {
    this.#limit = limit;
    this.#random = random;
  }

  offer(text: string, source: string): void {
    this.#offered += 1;
    if (this.kept.length < this.#limit) {
      this.kept.push([text, source]);
      return;
    }
    const index = this.#random.below(this.#offered);
    if (index < this.#limit) this.kept[index] = [text, source];
  }
}

/**
 * The prompts a model is trained on: read from sources, blank and repeated ones dropped, each source held to its
 * share. It knows nothing of tokens or clusters.
 */
import { createHash } from 'node:crypto';
import { UserError } from '../core/errors.ts';
import { type Random, seededRandom } from '../core/random.ts';
import { sampleText } from '../text/sampling.ts';
import type { SourceFile } from './sources/files.ts';
import { readPrompts } from './sources/read.ts';

export interface CorpusOptions {
  readonly field?: string;
  /** At most this many prompts from each source, drawn evenly. */
  readonly perSource?: number;
  /** At most this many prompts in all, drawn evenly. */
  readonly sample?: number;
  readonly seed: number;
  readonly onProgress?: (bytes: number, prompts: number) => void;
}

export interface Corpus {
  readonly prompts: readonly string[];
  /** Index into `sources` of every prompt. */
  readonly origins: readonly number[];
  readonly sources: readonly string[];
  readonly duplicates: number;
  readonly broken: number;
  /** The first few reasons why records were skipped. */
  readonly complaints: readonly string[];
}

const COMPLAINTS_KEPT = 5;

/** Throws UserError when there is nothing to learn from. */
export async function readCorpus(files: readonly SourceFile[], options: CorpusOptions): Promise<Corpus> {
  const sources = [...new Set(files.map((file) => file.source))];
  const random = seededRandom(options.seed);
  const reservoirs = sources.map((_, index) => new Reservoir<string>(options.perSource, random.fork(index)));
  const seen = new Set<string>();
  const complaints: string[] = [];
  let duplicates = 0;
  let broken = 0;
  let bytes = 0;
  let read = 0;
  const onBroken = (path: string, why: string): void => {
    broken += 1;
    if (complaints.length < COMPLAINTS_KEPT) complaints.push(`${path}: ${why}`);
  };
  const onBytes = (count: number): void => {
    bytes += count;
  };
  for (const file of files) {
    const reservoir = reservoirs[sources.indexOf(file.source)]!;
    const field = options.field === undefined ? {} : { field: options.field };
    for await (const prompt of readPrompts(file, { ...field, onBroken, onBytes })) {
      read += 1;
      if (read % 1024 === 0) options.onProgress?.(bytes, read);
      if (prompt.trim() === '') continue;
      const key = createHash('sha1').update(prompt.trim()).digest('base64').slice(0, 11);
      if (seen.has(key)) duplicates += 1;
      else {
        seen.add(key);
        reservoir.offer(sampleText(prompt));
      }
    }
  }
  options.onProgress?.(bytes, read);
  return drawn(reservoirs, sources, options, random, { duplicates, broken, complaints });
}

function drawn(
  reservoirs: readonly Reservoir<string>[],
  sources: readonly string[],
  options: CorpusOptions,
  random: Random,
  counts: Pick<Corpus, 'duplicates' | 'broken' | 'complaints'>,
): Corpus {
  const all = new Reservoir<readonly [string, number]>(options.sample, random.fork(-1));
  reservoirs.forEach((reservoir, origin) => {
    for (const prompt of reservoir.kept) all.offer([prompt, origin]);
  });
  if (all.kept.length === 0) {
    const why = counts.complaints.length > 0 ? ` (${counts.complaints.join('; ')})` : '';
    throw new UserError(
      `No prompt found in ${sources.join(', ')}${why}. Name the field with --field if it has an unusual name.`,
    );
  }
  return {
    prompts: all.kept.map(([prompt]) => prompt),
    origins: all.kept.map(([, origin]) => origin),
    sources,
    ...counts,
  };
}

/** Keeps an even draw of what it is offered (Vitter 1985, algorithm R); everything without a limit. */
class Reservoir<T> {
  readonly kept: T[] = [];
  private readonly limit: number;
  private readonly random: Random;
  private offered = 0;

  constructor(limit: number | undefined, random: Random) {
    this.limit = limit ?? Number.POSITIVE_INFINITY;
    this.random = random;
  }

  offer(item: T): void {
    this.offered += 1;
    if (this.kept.length < this.limit) this.kept.push(item);
    else {
      const place = this.random.below(this.offered);
      if (place < this.limit) this.kept[place] = item;
    }
  }
}

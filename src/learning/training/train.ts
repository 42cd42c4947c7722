/** Training as one call: prompts in memory or in files → a router model and its held-out quality. */
import { availableParallelism, tmpdir } from 'node:os';
import type { AnyEmbedding } from '../../deciding/embedding/embedding.ts';
import { DEFAULT_MODEL, loadModelFile } from '../../deciding/model/file.ts';
import { usualCount } from './choose-clusters.ts';
import { type Corpus, type CorpusOptions, corpusOf, readCorpus } from './corpus.ts';
import { type FitOptions, type Fitted, fitModel } from './fit.ts';
import { openPool } from './pool.ts';
import { PromptStore } from './prompt-store.ts';
import { findSources } from './sources/files.ts';

/** Default options. */
export const TRAINING_DEFAULTS = {
  dimensions: 96,
  vocabulary: 32_768,
  restarts: 8,
  seed: 1,
} as const satisfies Partial<FitOptions>;

/** Prompts from which on what they teach by themselves makes clusters better (docs/router-model.md). */
export const ENOUGH_TO_TEACH = 1_000;

/** Few prompts are understood by the meanings that ship alone. */
export function usualEmbedding(prompts: number): string {
  return prompts < ENOUGH_TO_TEACH ? 'distilled' : 'blended';
}

/** Prompts themselves, or files and folders of them in any format that `expert-router train` reads. */
export type Prompts =
  | { readonly prompts: readonly string[] }
  | ({ readonly paths: readonly string[]; readonly exclude?: readonly string[] } & Omit<
      CorpusOptions,
      'seed' | 'store'
    >);

export interface TrainingOptions extends Partial<FitOptions> {
  /** Number of threads, which does not affect the model; as many as there are cores when absent. */
  readonly threads?: number;
  /** Where prompts are stored while they are used; the system's temporary folder when absent. */
  readonly temporaryFolder?: string;
}

export interface Trained extends Fitted {
  /** Prompts kept, by source. */
  readonly sources: Corpus['sources'];
  readonly duplicates: number;
  /** Records that could not be read, and the first few reasons. */
  readonly broken: number;
  readonly complaints: readonly string[];
}

/**
 * Learns clusters from prompts, without labels. Equal prompts, options and seed give an equal model.
 * @throws UserError for a path that cannot be read, and when there is nothing to learn from
 * @example
 * const { model } = await train({ paths: ['logs/'] }, { clusters: 8 });
 * await saveRouterModel(model, 'router.safetensors');
 */
export async function train(from: Prompts, options: TrainingOptions = {}): Promise<Trained> {
  const { threads = availableParallelism(), temporaryFolder = tmpdir(), ...fit } = options;
  const pretrained = fit.pretrained ?? (await pretrainedFrom());
  const corpus = await corpusFrom(from, fit.seed ?? TRAINING_DEFAULTS.seed, temporaryFolder);
  const { count } = corpus.store;
  // Where no meanings are known beforehand, the prompts alone teach.
  const { embedding = 'distilled' in pretrained.sections() ? usualEmbedding(count) : 'lexical' } = fit;
  const settings = {
    ...TRAINING_DEFAULTS,
    ...fit,
    embedding,
    ...(embedding === 'lexical' ? {} : { pretrained }),
  };
  const pool = openPool(threads);
  try {
    const clusters = fit.clusters ?? usualCount(count);
    const fitted = await fitModel(corpus, { ...settings, clusters }, pool);
    const { sources, duplicates, broken, complaints } = corpus;
    return { ...fitted, sources, duplicates, broken, complaints };
  } finally {
    corpus.store.discard();
    await pool.close();
  }
}

/**
 * The embedding of a router model, for another to build on.
 * @param file the model that ships when absent @throws UserError when it cannot be read
 */
export async function pretrainedFrom(file: string = DEFAULT_MODEL): Promise<AnyEmbedding> {
  return (await loadModelFile(file)).embedding;
}

async function corpusFrom(from: Prompts, seed: number, temporaryFolder: string): Promise<Corpus> {
  if ('prompts' in from) return corpusOf(from.prompts, temporaryFolder);
  const { paths, exclude = [], ...reading } = from;
  const files = await findSources(paths, exclude);
  const store = new PromptStore(temporaryFolder);
  return readCorpus(files, { ...reading, seed, store }).catch((error: unknown) => {
    store.discard();
    throw error;
  });
}

/**
 * `expert-router train`: trains a router model from files of prompts and writes a report. Parses options and shows
 * progress.
 */
import { readFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { basename } from 'node:path';
import { Command, Option } from 'commander';
import { describeError, UserError } from '../core/errors.ts';
import { writeFileAtomically } from '../core/files.ts';
import { amount, duration, progressBar } from '../core/progress.ts';
import { EMBEDDINGS } from '../deciding/embedding/index.ts';
import { readRouterModel, writeRouterModel } from '../deciding/model/artefact.ts';
import type { RouterModel } from '../deciding/model/router-model.ts';
import { deidentifierOf } from '../deciding/text/identifiers/deidentify.ts';
import { usualCount } from '../learning/training/choose-clusters.ts';
import { continuationText } from '../learning/training/continue.ts';
import { type Corpus, readCorpus } from '../learning/training/corpus.ts';
import { type ClusterEdits, checkEdits } from '../learning/training/edit.ts';
import { type FitOptions, type Fitted, fitModel } from '../learning/training/fit.ts';
import { openPool } from '../learning/training/pool.ts';
import { PromptStore } from '../learning/training/prompt-store.ts';
import { reportOf } from '../learning/training/report/data.ts';
import { reportHtml } from '../learning/training/report/html.ts';
import { findSources } from '../learning/training/sources/files.ts';
import {
  ENOUGH_TO_TEACH,
  pretrainedFrom,
  TRAINING_DEFAULTS,
  usualEmbedding,
} from '../learning/training/train.ts';
import { counts, positiveWhole } from './numbers.ts';
import { readLabelled } from './train-labelled.ts';
import { type StageClock, stageClock } from './train-stages.ts';
import { UsageError } from './usage-error.ts';

const EXAMPLES = `
Examples:
  $ expert-router train prompts.jsonl --clusters 8 --out router.safetensors
  $ expert-router train logs/ questions.csv.gz --clusters auto --per-source 2000
  $ zcat chats.jsonl.gz | expert-router train - --field messages
  $ expert-router train tickets.csv --label queue --out router.safetensors
  $ expert-router train notes/ --deidentify --no-terms --out router.safetensors
  $ expert-router train new-logs/ --continue router.safetensors --out router.safetensors
  $ expert-router train logs/ --continue router.safetensors --merge 3,7 --split 5 --out router.safetensors

Beside the model stands a report: the same name ending in .report.html and .report.json. It quotes prompts.`;

interface TrainFlags {
  /** Absent where nobody says how many. */
  readonly clusters?: number | 'auto';
  readonly out: string;
  readonly dimensions: number;
  readonly vocabulary: number;
  readonly restarts: number;
  readonly seed: number;
  readonly threads: number;
  readonly field?: string;
  readonly perSource?: SourceLimits;
  readonly sample?: number;
  readonly fitOn?: number;
  readonly exclude: readonly string[];
  readonly skipLabel: readonly string[];
  readonly label?: string;
  readonly config?: string;
  readonly balanced?: boolean;
  readonly continue?: string;
  readonly merge: readonly (readonly number[])[];
  readonly split: readonly number[];
  readonly embedding?: string;
  readonly pretrained?: string;
  readonly keepExamples?: number;
  readonly deidentify?: boolean;
  readonly terms: boolean;
  readonly report: boolean;
  readonly json?: boolean;
}

function positiveOrAuto(text: string): number | 'auto' {
  return text === 'auto' ? text : positiveWhole(text);
}

/** A limit for all sources, and limits for sources with the given last path element. */
interface SourceLimits {
  readonly all?: number;
  readonly named: Readonly<Record<string, number>>;
}

function sourceLimits(text: string, before?: SourceLimits): SourceLimits {
  const at = text.lastIndexOf('=');
  const limit = positiveWhole(text.slice(at + 1));
  if (at < 0) return { named: {}, ...before, all: limit };
  return { ...before, named: { ...before?.named, [text.slice(0, at)]: limit } };
}

export function trainCommand(): Command {
  return new Command('train')
    .argument(
      '<paths...>',
      'files or folders: .jsonl .json .csv .tsv .txt .parquet, also .gz or .zst; - for standard input',
    )
    .option(
      '-k, --clusters <number>',
      'number of clusters, or auto to search for it (default: 32, or one for every 20 prompts where those are fewer)',
      positiveOrAuto,
    )
    .option('-o, --out <file>', 'where to write the model', 'router.safetensors')
    .option('--field <name>', 'field or column that holds the prompt, if it has an unusual name')
    .option(
      '--per-source <limits...>',
      'maximum prompts per folder or named file: 2000, or 2000 logs=500',
      sourceLimits,
    )
    .option('--sample <number>', 'maximum prompts in all', positiveWhole)
    .option('--exclude <names...>', 'file names to skip in folders', [])
    .option('--skip-label <labels...>', 'skip records in which a field has one of these values', [])
    .option(
      '--label <name>',
      'field or column that names the right expert: labels choose the number of clusters, unless it is given, and the expert of each prompt',
    )
    .option(
      '-c, --config <file>',
      'with --label: config whose experts the labels are; what they are described by then counts beside the labels',
    )
    .option('--continue <model>', 'start from this model and keep the numbers and names of its clusters')
    .option(
      '--merge <numbers>',
      'with --continue: make one of these clusters, as in 3,7; may be repeated',
      (text: string, before: readonly (readonly number[])[]) => [...before, counts(text)],
      [],
    )
    .option(
      '--split <numbers>',
      'with --continue: make two of each of these clusters',
      (text: string, before: readonly number[]) => [...before, ...counts(text)],
      [],
    )
    .addOption(
      new Option(
        '--embedding <name>',
        `distilled: meanings known beforehand; lexical: what the prompts teach; blended: both (default: blended, or distilled for fewer than ${ENOUGH_TO_TEACH.toLocaleString('en')} prompts without labels)`,
      ).choices(Object.keys(EMBEDDINGS)),
    )
    .option('--pretrained <model>', 'router model whose meanings are used; the one that ships when absent')
    .option('--balanced', 'clusters of equal size while training')
    .option(
      '--dimensions <number>',
      'dimensions of the vectors that are clustered',
      positiveWhole,
      TRAINING_DEFAULTS.dimensions,
    )
    .option('--vocabulary <number>', 'maximum number of terms', positiveWhole, TRAINING_DEFAULTS.vocabulary)
    .option(
      '--restarts <number>',
      'runs of k-means, of which the best is kept',
      positiveWhole,
      TRAINING_DEFAULTS.restarts,
    )
    .option(
      '--fit-on <number>',
      'prompts from which vocabulary and projection are learned',
      positiveWhole,
      200_000,
    )
    .option(
      '--no-terms',
      'keep no words of the prompts and no file names in the model: clusters have numbers for names',
    )
    .option(
      '--deidentify',
      'take names, dates, numbers and addresses of people out of the prompts before anything is learned from them',
    )
    .option('--keep-examples <number>', 'example prompts per cluster to store in the model', positiveWhole)
    .option('--seed <number>', 'equal seeds give equal models', positiveWhole, TRAINING_DEFAULTS.seed)
    .option(
      '--threads <number>',
      'threads, which do not affect the model',
      positiveWhole,
      availableParallelism(),
    )
    .option('--no-report', 'write no report')
    .option('--json', 'machine-readable output')
    .addHelpText('after', EXAMPLES)
    .action(train);
}

/** Fewer prompts than this are called few. */
const FEW_PROMPTS = 300;

async function train(paths: readonly string[], flags: TrainFlags): Promise<void> {
  refuse(flags);
  const clock = stageClock();
  const previous = flags.continue === undefined ? undefined : await loadPrevious(flags.continue);
  const edits = editsOf(flags, previous);
  const store = new PromptStore(tmpdir());
  const stop = (): void => {
    store.discard();
    process.stderr.write('\nstopped; nothing was written\n');
    process.exit(130);
  };
  process.once('SIGINT', stop);
  const pool = openPool(flags.threads);
  try {
    const labelled = flags.label === undefined ? null : await readLabelled(paths, flags);
    const corpus = labelled ? labelled.corpusIn(store) : await read(paths, flags, store, clock);
    const { count } = corpus.store;
    if (count < FEW_PROMPTS)
      process.stderr.write(
        `  note: ${count} prompts are few: which fall into one cluster is half chance; some hundreds are needed, thousands are better\n`,
      );
    // Where labels can choose the number of clusters, they do unless the user did.
    const clusters = flags.clusters ?? (labelled ? 'auto' : usualCount(count));
    // Labels tell which of their words matter, however few the prompts are.
    const embedding = flags.embedding ?? (labelled ? 'blended' : usualEmbedding(count));
    const options: FitOptions = {
      ...fitOptions(flags),
      clusters,
      ...(previous ? { previous } : {}),
      ...(edits ? { edits } : {}),
      embedding,
      ...(embedding === 'lexical' ? {} : { pretrained: await pretrainedFrom(flags.pretrained) }),
      ...(labelled ? { labelOf: labelled.labelOf } : {}),
      onStage: clock.stage,
    };
    const fitted = await fitModel(corpus, options, pool);
    const model = labelled ? await labelled.assign(fitted.model, options, pool) : fitted.model;
    clock.end();
    if (labelled) for (const line of labelled.report(model)) process.stderr.write(`${line}\n`);
    await write({ ...fitted, model }, corpus, flags, clock);
  } finally {
    process.removeListener('SIGINT', stop);
    store.discard();
    await pool.close();
  }
}

/** @throws UsageError for options that do not go together */
function refuse(flags: TrainFlags): void {
  if (!flags.terms && flags.keepExamples !== undefined)
    throw new UsageError(
      '--no-terms and --keep-examples: examples are made of words; leave out one of the two.',
    );
  if (flags.config !== undefined && flags.label === undefined)
    throw new UsageError('--config counts beside labels only: name their column with --label.');
}

function fitOptions({
  dimensions,
  vocabulary,
  restarts,
  seed,
  balanced,
  fitOn,
  keepExamples,
  terms,
}: TrainFlags): Omit<FitOptions, 'clusters'> {
  return {
    dimensions,
    vocabulary,
    restarts,
    seed,
    ...(balanced ? { balanced } : {}),
    ...(fitOn === undefined ? {} : { fitOn }),
    terms,
    ...(keepExamples === undefined ? {} : { examples: keepExamples }),
  };
}

function editsOf({ merge, split }: TrainFlags, previous: RouterModel | undefined): ClusterEdits | null {
  if (merge.length === 0 && split.length === 0) return null;
  if (!previous)
    throw new UsageError('--merge and --split change the clusters of a model: name it with --continue.');
  checkEdits({ merge, split }, previous.clusters);
  return { merge, split };
}

async function loadPrevious(path: string): Promise<RouterModel> {
  try {
    return readRouterModel(await readFile(path));
  } catch (error) {
    throw new UserError(`Cannot continue from ${path}: ${describeError(error)}`, { cause: error });
  }
}

async function read(
  paths: readonly string[],
  flags: TrainFlags,
  store: PromptStore,
  clock: StageClock,
): Promise<Corpus> {
  const files = await findSources(paths, flags.exclude);
  const total = files.reduce((sum, file) => sum + file.bytes, 0);
  const bar = progressBar('reading', 'bytes');
  clock.begin('reading');
  let bytes = 0;
  let prompts = 0;
  const show = (): void => bar.update(bytes, total || undefined, `${amount(prompts, 'items')} prompts`);
  const corpus = await readCorpus(files, {
    seed: flags.seed,
    store,
    skipLabels: flags.skipLabel,
    ...(flags.field === undefined ? {} : { field: flags.field }),
    deidentify: deidentifierOf(flags.deidentify ?? false),
    limitOf: (source) => flags.perSource?.named[basename(source)] ?? flags.perSource?.all,
    ...(flags.sample === undefined ? {} : { sample: flags.sample }),
    onBytes: (count) => {
      bytes += count;
      show();
    },
    onProgress: (count) => {
      prompts = count;
      show();
    },
  });
  bar.finish(
    `${amount(corpus.store.count, 'items')} prompts kept, ${amount(corpus.duplicates, 'items')} repeated, ${amount(corpus.broken, 'items')} broken`,
  );
  for (const notice of corpus.notices) process.stderr.write(`  note: ${notice}\n`);
  for (const complaint of corpus.complaints) process.stderr.write(`  skipped: ${complaint}\n`);
  return corpus;
}

async function write(fitted: Fitted, corpus: Corpus, flags: TrainFlags, clock: StageClock): Promise<void> {
  const { model } = fitted;
  const bytes = writeRouterModel(model);
  await writeOrExplain(flags.out, bytes);
  const lines = [
    `${flags.out}: ${model.clusters} clusters, ${amount(bytes.length, 'bytes')}, id ${model.id}, in ${duration(clock.seconds())}`,
  ];
  if (typeof flags.clusters === 'number' && model.clusters < flags.clusters && flags.continue === undefined) {
    lines.push(
      `only ${model.clusters} distinct prompts after embedding, so fewer clusters than the ${flags.clusters} requested`,
    );
  }
  if (fitted.continued) lines.push(...continuationText(fitted.continued));
  if (flags.report) {
    const report = reportOf(fitted, corpus, {
      stages: clock.stages(),
      peakBytes: process.resourceUsage().maxRSS * 1024,
      bytes: bytes.length,
    });
    const base = flags.out.replace(/\.safetensors$/, '');
    await writeOrExplain(`${base}.report.json`, `${JSON.stringify(report, null, 1)}\n`);
    await writeOrExplain(`${base}.report.html`, reportHtml(report));
    lines.push(`report:  ${base}.report.html`);
  }
  process.stderr.write(`${lines.join('\n')}\n`);
  if (!flags.json) return;
  const { store, duplicates, broken } = corpus;
  const { id, clusters } = model;
  const about = { model: flags.out, id, clusters, bytes: bytes.length, seconds: clock.seconds() };
  const { continued } = fitted;
  console.log(
    JSON.stringify(
      { ...about, ...(continued ? { continued } : {}), prompts: { kept: store.count, duplicates, broken } },
      null,
      2,
    ),
  );
}

async function writeOrExplain(path: string, content: string | Uint8Array): Promise<void> {
  try {
    await writeFileAtomically(path, content);
  } catch (error) {
    throw new UserError(
      `Cannot write ${path}: ${describeError(error)}. Any earlier file there is unchanged.`,
      {
        cause: error,
      },
    );
  }
}

/**
 * `expert-router train`: from files of prompts to a router model. It parses options and shows progress; everything
 * else is training's.
 */
import { Command, InvalidArgumentError } from 'commander';
import { writeFileAtomically } from '../core/files.ts';
import { writeRouterModel } from '../model/artefact.ts';
import { readCorpus } from '../training/corpus.ts';
import { fitModel } from '../training/fit.ts';
import { findSources } from '../training/sources/files.ts';
import { amount, progressBar } from './progress.ts';

const EXAMPLES = `
Examples:
  $ expert-router train prompts.jsonl --clusters 8 --out router.safetensors
  $ expert-router train logs/ questions.csv.gz --clusters 32 --per-source 2000 --out router.safetensors`;

interface TrainFlags {
  readonly clusters: number;
  readonly out: string;
  readonly dimensions: number;
  readonly vocabulary: number;
  readonly restarts: number;
  readonly seed: number;
  readonly field?: string;
  readonly perSource?: number;
  readonly sample?: number;
  readonly exclude: readonly string[];
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('It must be a whole number of 1 or more.');
  return value;
}

export function trainCommand(): Command {
  return new Command('train')
    .description('learn clusters from prompts, without labels, and write them as a router model')
    .argument('<paths...>', 'files or folders: .jsonl .json .csv .tsv .txt, also .gz; - for standard input')
    .option('-k, --clusters <number>', 'how many clusters', positive, 32)
    .option('-o, --out <file>', 'where the model goes', 'router.safetensors')
    .option('--field <name>', 'field or column that holds the prompt, if it has an unusual name')
    .option('--per-source <number>', 'at most this many prompts from each folder or named file', positive)
    .option('--sample <number>', 'at most this many prompts in all', positive)
    .option('--exclude <names...>', 'file names to leave out in folders', [])
    .option('--dimensions <number>', 'dimensions of the space prompts are clustered in', positive, 64)
    .option('--vocabulary <number>', 'terms known to the model', positive, 32_768)
    .option('--restarts <number>', 'runs of k-means, the best of which counts', positive, 4)
    .option('--seed <number>', 'equal seeds give equal models', positive, 1)
    .addHelpText('after', EXAMPLES)
    .action(async (paths: string[], flags: TrainFlags) => train(paths, flags));
}

async function train(paths: readonly string[], flags: TrainFlags): Promise<void> {
  const files = await findSources(paths, flags.exclude);
  const bar = progressBar('reading', 'bytes');
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const corpus = await readCorpus(files, {
    seed: flags.seed,
    ...(flags.field === undefined ? {} : { field: flags.field }),
    ...(flags.perSource === undefined ? {} : { perSource: flags.perSource }),
    ...(flags.sample === undefined ? {} : { sample: flags.sample }),
    onProgress: (done, prompts) =>
      bar.update(done, bytes || undefined, `${amount(prompts, 'items')} prompts`),
  });
  bar.finish(
    `${amount(corpus.prompts.length, 'items')} prompts kept, ${corpus.duplicates} repeated, ${corpus.broken} broken`,
  );
  const model = await fitModel(corpus, {
    ...flags,
    onStage: (stage) => process.stderr.write(`${stage} …\n`),
  });
  const file = writeRouterModel(model);
  await writeFileAtomically(flags.out, file);
  process.stderr.write(
    `${flags.out}: ${model.clusters} clusters, ${amount(file.length, 'bytes')}, id ${model.id}\n`,
  );
}

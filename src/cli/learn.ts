/** `expert-router learn`: learns from scored prompts how good each expert is where, and adds it to a router model. */
import { availableParallelism } from 'node:os';
import { Command } from 'commander';
import { writeFileAtomically } from '../core/files.ts';
import { amount, duration } from '../core/progress.ts';
import { spaceId, writeRouterModel } from '../deciding/model/artefact.ts';
import { DEFAULT_MODEL, loadModelFile } from '../deciding/model/file.ts';
import type { RouterModel } from '../deciding/model/router-model.ts';
import type { Outcomes } from '../learning/outcomes/outcomes.ts';
import { readRecords } from '../learning/outcomes/records.ts';
import type { LearnOptions } from '../learning/quality/learn.ts';
import { learnFromVectors, learnModel, type ModelWithQuality } from '../learning/quality/learn-model.ts';
import { learnedText } from '../learning/quality/report.ts';
import { openPool, type Pool } from '../learning/training/pool.ts';
import { train } from '../learning/training/train.ts';
import { positiveWhole } from './numbers.ts';
import { addOutcomeOptions, describedIn, type OutcomeFlags, outcomesFrom } from './outcome-options.ts';
import { stageClock } from './train-stages.ts';
import { UsageError } from './usage-error.ts';

const EXAMPLES = `
Layouts of the file (JSON lines, CSV, TSV or Parquet), all of which may lack scores here and there:
  {"prompt": "…", "scores": {"code": 0.9, "general": 0.4}, "costs": {"code": 0.002}, "task": "…"}
  {"prompt": "…", "expert": "code", "score": 0.9, "cost": 0.002, "latency": 1.4}     one line per expert
  prompt;scores.code;scores.general;costs.code                                     one column per expert
  {"prompt": "…", "label": "code"}                                                 the expert that is right

Examples:
  $ expert-router learn outcomes.jsonl --out my.router.safetensors
  $ expert-router learn outcomes.csv --model my.router.safetensors --config experts.yaml --out my.router.safetensors
  $ expert-router learn --from records/ --config experts.yaml --model my.router.safetensors --out my.router.safetensors
  $ expert-router learn ratings.parquet --scale 1:5 --rename "gpt-4o=strong" "llama-8b=quick"`;

/** Prompts from which on vectors of their own are worth learning. */
const OWN_VECTORS = 1_000;

interface LearnFlags extends OutcomeFlags {
  readonly model?: string;
  readonly from?: string;
  readonly out: string;
  readonly seed: number;
  readonly threads: number;
  readonly json?: boolean;
}

export function learnCommand(): Command {
  const command = new Command('learn')
    .argument(
      '[files...]',
      'prompts with scores of experts: .jsonl .json .csv .tsv .parquet, also .gz or .zst',
    )
    .option(
      '-m, --model <file>',
      `the router model to add to; when absent, one is trained on these prompts, or the shipped one taken where they are fewer than ${amount(OWN_VECTORS, 'items')}`,
    )
    .option('--from <folder>', "learn from the feedback in a gateway's records instead")
    .option('-o, --out <file>', 'where to write the model', 'router.safetensors');
  return addOutcomeOptions(command)
    .option('--seed <number>', 'equal seeds give equal models', positiveWhole, 1)
    .option(
      '--threads <number>',
      'threads, which do not affect the model',
      positiveWhole,
      availableParallelism(),
    )
    .option('--json', 'machine-readable output')
    .addHelpText('after', EXAMPLES)
    .action(learn);
}

async function learn(files: readonly string[], flags: LearnFlags): Promise<void> {
  if ((files.length === 0) === (flags.from === undefined))
    throw new UsageError('Name files with scores, or a folder of records with --from.');
  const clock = stageClock();
  const pool = openPool(flags.threads);
  try {
    const options = { seed: flags.seed, onStage: clock.stage };
    const { model, ...told } =
      flags.from === undefined
        ? await fromFiles(files, flags, options, pool)
        : await fromRecords(flags.from, flags, options, pool);
    clock.end();
    const bytes = writeRouterModel(model);
    await writeFileAtomically(flags.out, bytes);
    for (const line of learnedText(model.quality, told)) process.stderr.write(`${line}\n`);
    process.stderr.write(
      `${flags.out}: ${amount(bytes.length, 'bytes')}, id ${model.id}, in ${duration(clock.seconds())}\n`,
    );
    if (flags.json) console.log(JSON.stringify(asJson(flags.out, model, told.notices), null, 2));
  } finally {
    await pool.close();
  }
}

interface Learnt extends Pick<Outcomes, 'scores' | 'tasks' | 'notices'> {
  readonly model: ModelWithQuality;
}

async function fromFiles(
  files: readonly string[],
  flags: LearnFlags,
  options: Pick<LearnOptions, 'seed' | 'onStage'>,
  pool: Pool,
): Promise<Learnt> {
  const outcomes = await outcomesFrom(files, flags);
  const base = await baseModel(flags, outcomes, options);
  const described = await describedIn(flags);
  return { ...outcomes, model: await learnModel(base, outcomes, { ...options, described }, pool) };
}

/** Vectors are all there is, so the model must be the one that the gateway decided with, or share its embedding. */
async function fromRecords(
  dir: string,
  flags: LearnFlags,
  options: Pick<LearnOptions, 'seed' | 'onStage'>,
  pool: Pool,
): Promise<Learnt> {
  const base = await loadModelFile(flags.model ?? DEFAULT_MODEL);
  const recorded = await readRecords(dir, { id: spaceId(base), dimensions: base.dimensions });
  for (const notice of recorded.notices) process.stderr.write(`  note: ${notice}\n`);
  const described = await describedIn(flags);
  const model = await learnFromVectors(base, recorded, { ...options, described }, pool);
  return { ...recorded, tasks: [], model };
}

async function baseModel(
  { model, seed, threads }: LearnFlags,
  { prompts }: Outcomes,
  { onStage }: Pick<LearnOptions, 'onStage'>,
): Promise<RouterModel> {
  if (model !== undefined) return loadModelFile(model);
  if (prompts.length < OWN_VECTORS) return loadModelFile(DEFAULT_MODEL);
  return (await train({ prompts }, { seed, threads, ...(onStage ? { onStage } : {}) })).model;
}

function asJson(file: string, model: ModelWithQuality, notices: readonly string[]): object {
  const { quality, id } = model;
  const { experts, means, variances, prices, best, evidence, headStart, unit } = quality;
  return {
    model: file,
    id,
    experts: experts.map((expert, index) => ({
      expert,
      mean: means[index],
      standard_error: Math.sqrt(variances[index]!),
      ...prices[index],
    })),
    best_single: experts[best],
    head_start: Number.isFinite(headStart) ? headStart : null,
    unit,
    evidence,
    notices,
  };
}

/** `expert-router evaluate`: judges a router model, or a whole config, by labels, scores or the config's own samples. */
import { Command } from 'commander';
import { UserError } from '../core/errors.ts';
import { writeFileAtomically } from '../core/files.ts';
import { DEFAULT_MODEL, loadModelFile } from '../deciding/model/file.ts';
import type { RouterModel } from '../deciding/model/router-model.ts';
import { deidentifierOf } from '../deciding/text/identifiers/deidentify.ts';
import { type Decider, deciderBy } from '../learning/judging/choice.ts';
import { type Judgement, judge } from '../learning/judging/judge.ts';
import { judgementPage } from '../learning/judging/page.ts';
import { judgementText } from '../learning/judging/text.ts';
import type { Outcomes } from '../learning/outcomes/outcomes.ts';
import { outcomesOf } from '../learning/outcomes/read.ts';
import { findSources } from '../learning/training/sources/files.ts';
import { readPrompts } from '../learning/training/sources/read.ts';
import { createRouter } from '../router.ts';
import { loadRouterModel } from '../serving/app/compose.ts';
import { loadConfig } from '../serving/config/load.ts';
import type { Config } from '../serving/config/schema.ts';
import { positiveWhole } from './numbers.ts';
import { addOutcomeOptions, type OutcomeFlags, outcomesFrom } from './outcome-options.ts';
import { stageClock } from './train-stages.ts';
import { UsageError } from './usage-error.ts';

const EXAMPLES = `
Scores are from 0 to 1. With --json come, and nothing else: n, score_micro (over prompts), score_macro (over tasks),
cost, best_single, task_oracle, oracle, random, delta_vs_best_single, standard_error (of that), models_used.

Examples:
  $ expert-router evaluate held-out.jsonl --model my.router.safetensors --train outcomes.jsonl
  $ expert-router evaluate tickets.csv --config experts.yaml --label queue --report evaluation.html
  $ expert-router evaluate --config experts.yaml                 its samples, each judged without itself

examples/support-desk goes from labelled tickets over train, evaluate and serve to feedback.`;

interface EvaluateFlags extends OutcomeFlags {
  readonly model?: string;
  readonly train?: string;
  readonly outside?: string;
  readonly report?: string;
  readonly seed: number;
  readonly json?: boolean;
}

export function evaluateCommand(): Command {
  const command = new Command('evaluate')
    .argument(
      '[files...]',
      'prompts with scores or labels, laid out as for learn; the samples of --config when absent',
    )
    .option('-m, --model <file>', "the router model; the config's, else the shipped one, when absent");
  return addOutcomeOptions(command)
    .option(
      '--train <file>',
      'outcomes of other prompts, by which the best single expert, the task oracle and neighbours choose',
    )
    .option(
      '--outside <file>',
      'prompts that should be recognised as unlike anything known; gibberish when absent',
    )
    .option('--report <file>', 'write a page with pictures (.html)')
    .option('--seed <number>', 'of typos and noise', positiveWhole, 1)
    .option('--json', 'machine-readable output')
    .addHelpText('after', EXAMPLES)
    .action(evaluate);
}

async function evaluate(files: readonly string[], flags: EvaluateFlags): Promise<void> {
  if (files.length === 0 && flags.config === undefined)
    throw new UsageError('Name a file with scores or labels, or a --config whose samples are to be judged.');
  const config = flags.config === undefined ? null : await loadConfig(flags.config, process.env);
  const model = await modelOf(flags, config);
  const clock = stageClock();
  const outcomes =
    files.length > 0
      ? await outcomesFrom(files, flags, { leastScores: 1, keepRepeats: true })
      : sampleOutcomes(config!);
  const decide = files.length > 0 ? await deciderOf(model, config, outcomes) : leaveOneOut(model, config!);
  const training = flags.train === undefined ? undefined : await outcomesFrom([flags.train], flags);
  const judgement = await judge(outcomes, decide, {
    seed: flags.seed,
    ...(training ? { training } : {}),
    ...(flags.outside === undefined ? {} : { outside: await promptsOf(flags.outside) }),
    ...bestSingleOf(model, outcomes),
    onStage: clock.stage,
  });
  clock.end();
  await tell(judgement, model, flags);
}

async function tell(
  judgement: Judgement,
  model: RouterModel,
  { report, json }: EvaluateFlags,
): Promise<void> {
  for (const line of judgementText(judgement)) process.stderr.write(`${line}\n`);
  if (report !== undefined) {
    await writeFileAtomically(report, judgementPage(judgement, model.id));
    process.stderr.write(`report: ${report}\n`);
  }
  if (json) console.log(JSON.stringify(judgement.figures, null, 2));
}

function modelOf({ model }: EvaluateFlags, config: Config | null): Promise<RouterModel> {
  if (model !== undefined) return loadModelFile(model);
  return config ? loadRouterModel(config) : loadModelFile(DEFAULT_MODEL);
}

/** The one the model learned to be best, if it is among those judged. */
function bestSingleOf({ quality }: RouterModel, { experts }: Outcomes): { readonly bestSingle?: string } {
  const best = quality?.experts[quality.best];
  return best !== undefined && experts.includes(best) ? { bestSingle: best } : {};
}

/** Decides as the gateway does: with the config's experts, or else with those of the outcomes. */
async function deciderOf(model: RouterModel, config: Config | null, outcomes: Outcomes): Promise<Decider> {
  if (config === null && !model.quality)
    throw new UserError(
      'This router model has learned from no scores, so that without a config it cannot tell experts apart: give --config, or a model made by expert-router learn.',
    );
  const scored = model.quality?.experts ?? [];
  if (config === null && !outcomes.experts.some((expert) => scored.includes(expert)))
    throw new UserError(
      `The model learned of ${scored.join(', ')}; the file has scores of ${outcomes.experts.join(', ')}: there is no expert in both. --rename says which is which.`,
    );
  const experts = config?.experts ?? outcomes.experts.map((id) => ({ id }));
  return routerDecider(model, experts, config);
}

async function routerDecider(
  model: RouterModel,
  experts: Parameters<typeof createRouter>[0]['experts'],
  config: Config | null,
): Promise<Decider> {
  const { embedding } = model;
  if (embedding.asynchronous)
    throw new UserError(
      `The embedding '${embedding.id}' answers later; evaluate needs one that answers at once.`,
    );
  const router = await createRouter({
    model,
    experts,
    ...(config ? { worth: config.worth, deidentify: deidentifierOf(config.deidentify) } : {}),
  });
  return deciderBy(router);
}

function sampleOutcomes({ experts }: Config): Outcomes {
  const records = experts.flatMap(({ id, samples }) =>
    (samples ?? []).map((prompt) => ({ prompt, label: id })),
  );
  if (records.length < 2)
    throw new UserError(
      'The config has fewer than two samples; there is nothing to judge by. Add samples to its experts, or name a file.',
    );
  return outcomesOf(records);
}

/** Every sample is decided by the config without it; other texts by the whole config. */
function leaveOneOut(model: RouterModel, config: Config): Decider {
  const whole = routerDecider(model, config.experts, config);
  const samples = new Set(config.experts.flatMap(({ samples: own }) => own ?? []));
  return async (prompt) => {
    if (!samples.has(prompt)) return (await whole)(prompt);
    const experts = config.experts.map((expert) => ({
      ...expert,
      samples: expert.samples?.filter((sample) => sample !== prompt),
    }));
    return (await routerDecider(model, experts, config))(prompt);
  };
}

async function promptsOf(file: string): Promise<readonly string[]> {
  const prompts: string[] = [];
  for (const source of await findSources([file], []))
    for await (const prompt of readPrompts(source, {})) prompts.push(prompt);
  if (prompts.length === 0) throw new UserError(`${file}: no prompt found.`);
  return prompts;
}

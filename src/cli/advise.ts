/** `expert-router advise`: which fleet would serve what was recorded, at what cost, and what would change. */
import { readFile } from 'node:fs/promises';
import { Command, Option } from 'commander';
import { parse } from 'yaml';
import { parseDuration } from '../core/duration.ts';
import { describeError, UserError } from '../core/errors.ts';
import { writeFileAtomically } from '../core/files.ts';
import { progressBar } from '../core/progress.ts';
import { POLICIES } from '../deciding/routing/policies/index.ts';
import { bindChoice } from '../deciding/routing/policy-choice.ts';
import { helmValues } from '../deploying/helm-values.ts';
import { type Advice, advise } from '../replaying/advice.ts';
import { demandOf } from '../replaying/demand.ts';
import { noticeText } from '../replaying/notices.ts';
import { readDecisions, replayOf } from '../replaying/recorded.ts';
import { composeRouter, idleLoads, loadRouterModel } from '../serving/app/compose.ts';
import { loadConfig } from '../serving/config/load.ts';
import type { Config } from '../serving/config/schema.ts';
import { findGpu, GPU_NAMES } from '../simulating/hardware/gpu.ts';
import { findPrecision, PRECISION_NAMES } from '../simulating/hardware/precision.ts';
import { MODEL_NAMES } from '../simulating/model/catalog.ts';
import type { TransformerShape } from '../simulating/model/shape.ts';
import { describeLevel, parseLevels } from '../simulating/planner/demand.ts';
import type { SearchSpace } from '../simulating/planner/placements.ts';
import { pricesFrom } from '../simulating/planner/prices.ts';
import { scalesOf } from './advise/scales.ts';
import { adviceText } from './advise/text.ts';
import { modelNamed } from './plan/model-option.ts';
import { amountOf, namedList, secondsOf } from './plan/options.ts';
import { replicasOf } from './replicas.ts';
import { UsageError } from './usage-error.ts';

interface AdviseOptions {
  readonly records?: string;
  readonly last: string;
  readonly window: string;
  readonly model?: string;
  readonly gpu: string;
  readonly precision?: string;
  readonly engine: string;
  readonly slo: string;
  readonly gpus: string;
  readonly price?: string;
  readonly apply?: string;
  readonly json?: boolean;
}

export function adviseCommand(): Command {
  return new Command('advise')
    .argument('<config>', 'the config that the records were made with')
    .option('--records <folder>', 'what its gateway recorded; records.dir of the config when absent')
    .option('--last <duration>', 'how much of it, back from the latest: 10m, 24h', '24h')
    .option('--window <duration>', 'the peak is that of the busiest so long', '5m')
    .option(
      '-m, --model <names>',
      'model of all experts, or of some: code=llama-3.1-70b,chat=./config.json; as the config names it when absent',
    )
    .option('-g, --gpu <names>', `where servers may run: ${GPU_NAMES.join(', ')}`, 'h100,l40s')
    .option(
      '-p, --precision <names>',
      `${PRECISION_NAMES.join(', ')}; what each GPU usually serves when absent`,
    )
    .addOption(
      new Option('--engine <name>', 'whose overheads to assume')
        .choices(['tensorrt-llm', 'tensorrt-llm-0.14', 'tensorrt-llm-0.10', 'vllm', 'sglang'])
        .default('vllm'),
    )
    .option(
      '--slo <levels>',
      'what users may wait at the peak, such as ttft.p95=1s,tpot=50ms',
      'ttft.p95=2s,tpot=50ms',
    )
    .option('--gpus <n>', 'GPUs that one expert may have', '8')
    .option(
      '--price <usd>',
      'US dollars per GPU and hour: 2.5, or h100=2.5,l40s=0.9; a table of round figures when absent',
    )
    .option(
      '--apply <file>',
      'write the replicas to a values file of the Helm chart, keeping what else is in it; a new one has the config',
    )
    .option('--json', 'machine-readable output')
    .addHelpText(
      'after',
      `
For each expert: the prompts that suit it best, whoever answered them; the cheapest GPU, precision and number of replicas
that keep the level at their peak; and all of it together, with the records replayed. The gateway records where its config
says so: records: { dir: ./records }.

Examples:
  $ expert-router advise experts.yaml --model llama-3.1-8b
  $ expert-router advise experts.yaml --model code=llama-3.1-70b,chat=llama-3.1-8b --gpu h100,l40s --slo ttft.p95=1s
  $ expert-router advise experts.yaml --model llama-3.1-8b --price l40s=0.9 --apply values.yaml`,
    )
    .action(run);
}

async function run(file: string, options: AdviseOptions): Promise<void> {
  const config = await loadConfig(file, process.env);
  const { advice, recorded, notices: found, levels } = await adviceOn(config, options);
  const notices = found.map((notice) => noticeText(notice));
  if (options.apply !== undefined) await apply(options.apply, file, config, advice);
  // Last, because its reader may close the pipe after the first line.
  console.log(
    options.json
      ? JSON.stringify({ ...advice, recorded, notices }, null, 2)
      : adviceText({ advice, recorded, notices, levels: levels.map(describeLevel) }),
  );
}

async function adviceOn(config: Config, options: AdviseOptions) {
  const dir = options.records ?? config.records?.dir;
  if (dir === undefined)
    throw new UsageError(
      '--records: the config records nothing; name a folder, or add records: { dir: ./records } and serve for a while.',
    );
  const lastMs = durationOf('--last', options.last);
  const space = spaceOf(options);
  const levels = parseLevels(options.slo);
  const prices = pricesFrom(options.price);
  const models = await modelsOf(config, options.model);
  const router = await composeRouter(config, await loadRouterModel(config), idleLoads(config));
  const decisions = await readDecisions(dir, router.model, lastMs);
  const load = replayOf(decisions, router);
  const windowSeconds = secondsOf('--window', options.window);
  if (windowSeconds === 0) throw new UsageError('--window: must be above 0, such as 5m.');
  const demands = demandOf(load, decisions.lines, router.territory, windowSeconds);
  const progress = progressBar('simulating experts', 'items');
  let examined = 0;
  const advice = advise(load, demands, bindChoice(POLICIES, config.policy), {
    models,
    space,
    levels,
    prices,
    now: new Map(config.experts.map(({ id, url, discover }) => [id, replicasOf(url, discover)])),
    told: (expert) => progress.update(examined++, demands.length, expert),
  });
  progress.finish();
  return { advice, recorded: load.really, notices: load.notices, levels };
}

function durationOf(option: string, text: string): number {
  const ms = parseDuration(text);
  if (ms === null || ms === 0) throw new UsageError(`${option}: must be a time such as 24h, is "${text}".`);
  return ms;
}

function spaceOf({ gpu, precision, engine, gpus }: AdviseOptions): Omit<SearchSpace, 'models' | 'experts'> {
  const all = namedList(gpu).map(findGpu);
  if (all.length === 0) throw new UsageError('--gpu: name at least one.');
  return {
    gpus: all,
    precisions:
      precision === undefined ? null : namedList(precision).map((name) => findPrecision(name, all[0]!)),
    engine: engine as SearchSpace['engine'],
    maxGpus: amountOf('--gpus', gpus, 'whole'),
  };
}

/** @throws UsageError where the model of an expert is not known */
async function modelsOf(
  { experts }: Config,
  option: string | undefined,
): Promise<ReadonlyMap<string, TransformerShape>> {
  const given = namedList(option ?? '').map((part) => part.split('=').map((word) => word.trim()));
  const named = new Map(given.filter(({ length }) => length > 1).map(([id, name]) => [id!, name!]));
  const others = given.find(({ length }) => length === 1)?.[0];
  const stranger = [...named.keys()].find((id) => experts.every((expert) => expert.id !== id));
  if (stranger !== undefined)
    throw new UsageError(
      `--model: no expert is called '${stranger}'; there are: ${experts.map(({ id }) => id).join(', ')}.`,
    );
  const models = experts.map(async ({ id, model }): Promise<[string, TransformerShape]> => {
    const name = named.get(id) ?? others ?? MODEL_NAMES.find((one) => one === model);
    if (name === undefined)
      throw new UsageError(
        `--model: say what '${id}' is, as in --model ${id}=llama-3.1-8b (or the path of its config.json).`,
      );
    return [id, await modelNamed(name)];
  });
  return new Map(await Promise.all(models));
}

async function apply(to: string, file: string, config: Config, advice: Advice): Promise<void> {
  const before = await readFile(to, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw new UserError(`--apply: cannot read ${to}: ${describeError(error)}`);
  });
  let text: string;
  try {
    text = helmValues(before, parse(await readFile(file, 'utf8')), scalesOf(advice, config));
  } catch (error) {
    if (error instanceof UserError) throw new UserError(`--apply: ${to} is left as it was: ${error.message}`);
    throw error;
  }
  await writeFileAtomically(to, text);
  console.error(`Wrote ${to}`);
}

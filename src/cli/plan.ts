/** `expert-router plan`: computes what fits on which GPUs, how fast, for how many users and at what cost. */
import { Command, Option } from 'commander';
import { UserError } from '../core/errors.ts';
import { writeFileAtomically } from '../core/files.ts';
import { progressBar } from '../core/progress.ts';
import { recipe } from '../deploying/recipe.ts';
import { type Deployment, deployment, describeDeployment } from '../simulating/deployment.ts';
import { requireFit } from '../simulating/fit.ts';
import { MOST } from '../simulating/fleet/scenario.ts';
import { findGpu, GPU_NAMES, type Gpu } from '../simulating/hardware/gpu.ts';
import {
  defaultPrecision,
  findPrecision,
  PRECISION_NAMES,
  type Precision,
  precisionNamed,
  supports,
} from '../simulating/hardware/precision.ts';
import type { EngineLimits } from '../simulating/memory.ts';
import { countParameters, type TransformerShape } from '../simulating/model/shape.ts';
import { type Demand, type Load, parseLevels } from '../simulating/planner/demand.ts';
import { type PlanFigures, planFigures } from '../simulating/planner/figures.ts';
import { pricedPoints } from '../simulating/planner/frontier.ts';
import { CLOUDS } from '../simulating/planner/instances.ts';
import {
  deployments,
  leastThatFits,
  type Proposal,
  type SearchSpace,
  search,
} from '../simulating/planner/placements.ts';
import { pricesFrom } from '../simulating/planner/prices.ts';
import { UNMODELLED } from '../simulating/unmodelled.ts';
import { readCalibrationFile } from './calibrate/file.ts';
import { noThinking, shorterRequests } from './plan/assumptions.ts';
import { bandsOf } from './plan/band-text.ts';
import { type LoadOptions, lengthsOf, limitsOf, withLengths, withLimits } from './plan/load-options.ts';
import { modelNamed } from './plan/model-option.ts';
import { amountOf, namedList, secondsOf } from './plan/options.ts';
import { planPage } from './plan/page.ts';
import { type PriceOptions, priceOfOne, rentOption, requirePrices } from './plan/pricing.ts';
import { searchJson, searchText } from './plan/search-text.ts';
import { figuresTable } from './plan/tables.ts';
import { UsageError } from './usage-error.ts';

interface PlanOptions extends LoadOptions, PriceOptions {
  readonly model: string;
  readonly gpu: string;
  readonly precision?: string;
  readonly kvCache?: '8bit' | '16bit';
  readonly tp?: string;
  readonly expertParallel?: boolean;
  readonly attentionDp?: boolean;
  readonly engine: string;
  readonly users?: string;
  readonly think?: string;
  readonly rate?: string;
  readonly calibrated?: string;
  readonly slo?: string;
  readonly gpus: string;
  readonly experts: string;
  readonly recipe?: boolean;
  readonly html?: string;
  readonly json?: boolean;
}

/** An option that says why there is none. */
function refused(key: string, why: string): Option {
  const flag = `--${key.replaceAll('_', '-')}`;
  return new Option(`${flag} [value]`)
    .hideHelp()
    .preset('')
    .argParser(() => {
      throw new UsageError(`${flag}: ${why}.`);
    });
}

export function planCommand(): Command {
  const command = new Command('plan')
    .option('-m, --model <names>', 'built-in name, or path of a Hugging Face config.json; several: a,b')
    .option('-g, --gpu <names>', `${GPU_NAMES.join(', ')}; several when searching`, 'h100')
    .option(
      '-p, --precision <names>',
      `${PRECISION_NAMES.join(', ')}; as published, or fp8 where the GPU has it, when absent`,
    )
    .option('--tp <degree>', 'tensor-parallel degree: 1, 2, 4 or 8; the smallest that fits when absent')
    .addOption(
      new Option('--kv-cache <format>', "the cache's numbers; the precision's own when absent").choices([
        '8bit',
        '16bit',
      ]),
    )
    .option('--expert-parallel', 'deal whole experts out to the GPUs instead of splitting each')
    .option('--attention-dp', 'replicate attention, each GPU serving its own requests')
    .addOption(
      new Option('--engine <name>', 'whose overheads to assume')
        .choices(['tensorrt-llm', 'tensorrt-llm-0.14', 'tensorrt-llm-0.10', 'vllm', 'sglang'])
        .default('tensorrt-llm'),
    );
  for (const [key, why] of Object.entries(UNMODELLED)) command.addOption(refused(key, why));
  withLengths(command)
    .option('--calibrated <file>', 'times of an engine of your own, as expert-router calibrate wrote them')
    .option('--users <n>', 'users to serve: searches placements for them, and simulates what it proposes')
    .option('--think <time>', 'how long a user thinks between an answer and the next question, such as 20s')
    .option('--rate <n>', 'requests a second to serve, instead of users')
    .option(
      '--slo <levels>',
      'what they may wait, such as ttft=1s,tpot=50ms,ttft.p95=2s; means unless a percentile is named',
    )
    .option('--gpus <n>', 'GPUs there are, when searching', '8')
    .option('--experts <n>', 'different experts that share the users, when searching', '1')
    .option(
      '--price <usd>',
      'US dollars per GPU and hour: 2.5, or h100=2.5,h200=3.4; a table of round figures when absent',
    )
    .option(
      '--cloud <names>',
      `prices of whole machines of these clouds instead: ${CLOUDS.join(', ')}, or any`,
    );
  return withLimits(command)
    .option('--recipe', 'print a config of the router and the engines’ command lines')
    .option('--html <file>', 'when searching: write a page with pictures of cost against waiting')
    .option('--json', 'machine-readable output')
    .addHelpText(
      'after',
      `
Examples:
  $ expert-router plan --model llama-2-13b --gpu h100 --precision fp8
  $ expert-router plan --model ./config.json --gpu l40s --input 500 --output 300 --price 1.20
  $ expert-router plan --model llama-3.1-8b,llama-3.1-70b --gpu h100,h200 --users 600 --think 20s --lengths chat --slo ttft.p95=1s,tpot=50ms
  $ expert-router plan --model llama-3.1-8b --gpu h100,l40s --rate 40 --slo ttft.p95=2s --price h100=2.5,l40s=0.9
  $ expert-router plan --model llama-3.1-70b --gpu h100,h200,b200 --rate 10 --cloud lambda,nebius,verda
  $ expert-router plan --model llama-3.1-8b --users 1000 --think 30s --experts 8 --recipe

Figures come from a model checked against published measurements; docs/simulator.md states its errors.`,
    )
    .action(async ({ model, ...rest }: Omit<PlanOptions, 'model'> & { readonly model?: string }) => {
      if (model === undefined)
        throw new UsageError('--model: give a name, such as llama-3.1-8b, or a config.json.');
      const options = { ...rest, model };
      const one = options.users === undefined && options.rate === undefined;
      console.log(one ? await planOne(options) : await planMany(options));
    });
}

async function planOne(options: PlanOptions): Promise<string> {
  const limits = limitsOf(options);
  refuseSearchOptions(options);
  refuseSeveral(options);
  const { mean } = lengthsOf(options);
  const total = mean.promptTokens + mean.outputTokens;
  const d = await chosenDeployment(options, limits, total);
  requireContext(d.model, total);
  requireFit(d, limits, total);
  const { usdPerGpuHour, priced } = priceOfOne(d, options);
  const figures = planFigures(d, limits, mean, usdPerGpuHour);
  if (options.recipe) return recipeText(d, limits, 1, options.model, figures.max_concurrent);
  if (options.json) return JSON.stringify({ ...figures, bands: bandsOf([d]) }, null, 2);
  return figuresTable(figures, limits, d, priced);
}

/** @throws {UsageError} for options that only a search takes up */
function refuseSearchOptions({ html, slo, think }: PlanOptions): void {
  const given = Object.entries({ '--html': html, '--slo': slo, '--think': think });
  const unused = given.find(([, value]) => value !== undefined)?.[0];
  if (unused !== undefined)
    throw new UsageError(`${unused}: goes with a load to search placements for; add --users or --rate.`);
}

/** @throws {UsageError} for names of which one deployment can have one only */
function refuseSeveral({ model, gpu, precision }: PlanOptions): void {
  for (const [option, text] of Object.entries({ '--model': model, '--gpu': gpu, '--precision': precision }))
    if (namedList(text ?? '').length > 1)
      throw new UsageError(
        `${option}: "${text}" are several; name one, or add --users or --rate to compare them under a load.`,
      );
}

/** What is given for a deployment, or for every one that is searched. */
function splitOptions({
  tp,
  kvCache,
  expertParallel,
  attentionDp,
}: PlanOptions): NonNullable<SearchSpace['given']> {
  return {
    ...(tp === undefined ? {} : { tensorParallel: amountOf('--tp', tp, 'whole') }),
    ...(kvCache ? { kvBytes: kvCache === '8bit' ? 1 : 2 } : {}),
    ...(expertParallel ? { expertParallel: true } : {}),
    ...(attentionDp ? { attentionData: true } : {}),
  };
}

function requireContext(model: TransformerShape, total: number): void {
  if (total > model.maxContext)
    throw new UsageError(
      `--input, --output: ${total} tokens are more than the ${model.maxContext} that ${model.name} was trained for; ` +
        `lower them to ${model.maxContext} together.`,
    );
}

/** The given degree, or the smallest that fits. */
async function chosenDeployment(
  options: PlanOptions,
  limits: EngineLimits,
  tokens: number,
): Promise<Deployment> {
  const model = await modelNamed(options.model);
  const precision = options.precision ?? defaultPrecision(model, findGpu(options.gpu)).name;
  const given = splitOptions(options);
  const measured =
    options.calibrated === undefined ? {} : { measured: await readCalibrationFile(options.calibrated) };
  const at = (tensorParallel: number): Deployment => ({
    ...measured,
    ...deployment({
      ...{ model, gpu: options.gpu, precision, engine: options.engine },
      ...{ ...given, tensorParallel },
    }),
  });
  if (given.tensorParallel !== undefined) return at(given.tensorParallel);
  let refusal: unknown;
  for (const degree of [1, 2, 4, 8]) {
    try {
      const d = at(degree);
      requireFit(d, limits, tokens);
      return d;
    } catch (error) {
      refusal = error;
    }
  }
  throw refusal;
}

async function planMany(options: PlanOptions): Promise<string> {
  const named = new Map<TransformerShape, string>();
  for (const name of namedList(options.model)) named.set(await modelNamed(name), name);
  const gpus = [...new Set(namedList(options.gpu).map(findGpu))];
  const { mean, model: lengths } = lengthsOf(options);
  const instances = rentOption(options);
  const demand: Demand = {
    load: loadOf(options),
    mean,
    lengths,
    levels: parseLevels(options.slo),
    limits: limitsOf(options),
    prices: pricesFrom(options.price),
    ...(instances ? { instances } : {}),
  };
  const space: SearchSpace = {
    models: [...named.keys()],
    gpus,
    precisions: options.precision ? namedList(options.precision).map((name) => onSomeGpu(name, gpus)) : null,
    engine: options.engine as Deployment['engine'],
    experts: amountOf('--experts', options.experts, 'whole'),
    maxGpus: amountOf('--gpus', options.gpus, 'whole'),
    given: splitOptions(options),
    ...(options.calibrated === undefined ? {} : { measured: await readCalibrationFile(options.calibrated) }),
  };
  if (space.experts > space.maxGpus)
    throw new UsageError(
      `--gpus: ${space.experts} experts need at least ${space.experts} GPUs, there are ${space.maxGpus}.`,
    );
  requirePrices(space, demand);
  for (const model of space.models) requireContext(model, mean.promptTokens + mean.outputTokens);
  const progress = progressBar('simulating candidates', 'items');
  let examined = 0;
  const found = search(space, demand, (what) => progress.update(++examined, examined + 1, what));
  progress.finish();
  if (found.proposed.length + found.rejected.length === 0) throw nothingFits(space, demand);
  if (options.recipe) return recipeOf(found.proposed[0], demand);
  const assumed = assumptions(options, space, demand);
  if (options.html !== undefined) {
    const text = searchText(found, demand, assumed);
    await writeFileAtomically(options.html, planPage(pricedPoints(space, demand), demand, text));
    console.error(`wrote ${options.html}`);
  }
  if (!options.json) return searchText(found, demand, assumed);
  return searchJson(found, demand, assumed, named);
}

/** Bytes of weights each GPU has, without what is not split. */
function bytesEach({ model, precision, tensorParallel }: Deployment): number {
  return (countParameters(model).total * precision.weightBytes) / tensorParallel;
}

/** What would fit: more of these GPUs, or what is next to the lightest that was searched. */
function nothingFits(space: SearchSpace, demand: Demand): UserError {
  const least = leastThatFits(space, demand);
  if (!least) {
    const { promptTokens, outputTokens } = demand.mean;
    const lightest = deployments(space).toSorted((a, b) => bytesEach(a) - bytesEach(b))[0]!;
    requireFit(lightest, demand.limits, promptTokens + outputTokens);
  }
  const kinds = [...new Set(space.gpus.map((gpu) => gpu.name))].join(' or ');
  const what = space.experts > 1 ? `${space.experts} experts as ` : '';
  return new UserError(
    `--gpus: nothing fits on ${space.maxGpus} x ${kinds}; the least that does is ${what}` +
      `${describeDeployment(least!)}: --gpus ${least!.tensorParallel * space.experts}.`,
  );
}

/** The precision, if any of the GPUs has it. @throws {UserError} for a name that none knows */
function onSomeGpu(name: string, gpus: readonly Gpu[]): Precision {
  const precision = precisionNamed(name);
  return findPrecision(name, gpus.find((gpu) => supports(gpu, precision)) ?? gpus[0]!);
}

/** @throws {UserError} for both or impossible ones */
function loadOf({ users, think, rate }: PlanOptions): Load {
  if (users !== undefined && rate !== undefined)
    throw new UsageError('--users, --rate: a load is one or the other; keep the one you know.');
  if (rate !== undefined) {
    if (think !== undefined)
      throw new UsageError('--think: goes with --users; a rate has no thinking in it.');
    return { perSecond: amountOf('--rate', rate) };
  }
  const count = amountOf('--users', users!, 'whole');
  if (count > MOST.users)
    throw new UsageError(
      `--users: at most ${MOST.users.toLocaleString('en-US')} can be simulated; plan a tenth of them on a tenth of the GPUs.`,
    );
  return {
    users: count,
    thinkSeconds: think === undefined ? 0 : secondsOf('--think', think),
  };
}

/** What nobody said and the answer depends on. */
function assumptions(
  { users, think }: PlanOptions,
  { models }: SearchSpace,
  { lengths }: Demand,
): readonly string[] {
  const pause = users === undefined || think !== undefined;
  const cure = 'say --think 20s for people who read, or --rate for requests a second';
  return [...(pause ? [] : [noThinking(cure)]), ...shorterRequests(models, lengths)];
}

function recipeOf(best: Proposal | undefined, demand: Demand): string {
  if (!best)
    throw new UserError('--recipe: nothing keeps the levels; leave --recipe out to see what was tried.');
  const perCopy = Math.floor(best.max_concurrent / best.copies);
  return recipeText(best.deployment, demand.limits, best.copies, best.deployment.model.name, perCopy);
}

function recipeText(
  d: Deployment,
  limits: EngineLimits,
  copies: number,
  repository: string,
  most: PlanFigures['max_concurrent'],
): string {
  const { config, commands } = recipe(d, limits, copies, repository, most);
  const comments = ['Engines, one command each:', ...commands];
  if (d.engine.startsWith('tensorrt-llm'))
    comments.push('To write a folder that quantises and serves a Hugging Face model: expert-router engine');
  return `${config}\n${comments.map((line) => `# ${line}`).join('\n')}`;
}

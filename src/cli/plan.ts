/** `expert-router plan`: computes what fits on which GPUs, how fast, for how many users and at what cost. */
import { Command, Option } from 'commander';
import { UserError } from '../core/errors.ts';
import { recipe } from '../deploying/recipe.ts';
import { type Deployment, deployment } from '../simulating/deployment.ts';
import { findGpu, GPU_NAMES } from '../simulating/hardware/gpu.ts';
import { findPrecision, PRECISION_NAMES, PRECISIONS } from '../simulating/hardware/precision.ts';
import { type EngineLimits, requireFit } from '../simulating/memory.ts';
import { type PlanFigures, planFigures } from '../simulating/planner/figures.ts';
import { type Demand, type Placement, searchPlacements } from '../simulating/planner/placements.ts';
import { type LoadOptions, lengthsOf, limitsOf, withLengths, withLimits } from './plan/load-options.ts';
import { amountOf, modelNamed, namedList, parseServiceLevel } from './plan/options.ts';
import { figuresTable, placementsTable } from './plan/tables.ts';
import { UsageError } from './usage-error.ts';

interface PlanOptions extends LoadOptions {
  readonly model: string;
  readonly gpu: string;
  readonly precision?: string;
  readonly tp?: string;
  readonly engine: string;
  readonly users?: string;
  readonly slo?: string;
  readonly gpus: string;
  readonly experts: string;
  readonly price?: string;
  readonly recipe?: boolean;
  readonly json?: boolean;
}

export function planCommand(): Command {
  const command = new Command('plan')
    .option('-m, --model <names>', 'built-in name, or path of a Hugging Face config.json; several: a,b')
    .option('-g, --gpu <names>', `${GPU_NAMES.join(', ')}; several when searching`, 'h100')
    .option('-p, --precision <names>', `${PRECISION_NAMES.join(', ')}; fp8 where the GPU has it when absent`)
    .option('--tp <degree>', 'tensor-parallel degree: 1, 2, 4 or 8; the smallest that fits when absent')
    .addOption(
      new Option('--engine <name>', 'whose overheads to assume')
        .choices(['tensorrt-llm', 'tensorrt-llm-0.14', 'tensorrt-llm-0.10', 'vllm', 'sglang'])
        .default('tensorrt-llm'),
    );
  withLengths(command)
    .option('--users <n>', 'search placements for this many users, each with one request in flight')
    .option('--slo <levels>', 'mean latency targets, such as ttft=1s,tpot=50ms')
    .option('--gpus <n>', 'available GPUs, when searching', '8')
    .option('--experts <n>', 'different experts that share the users, when searching', '1')
    .option('--price <usd>', 'price of one GPU for an hour, for cost per million output tokens');
  return withLimits(command)
    .option('--recipe', 'print a router config and the engines’ command lines')
    .option('--json', 'machine-readable output')
    .addHelpText(
      'after',
      `
Examples:
  $ expert-router plan --model llama-2-13b --gpu h100 --precision fp8
  $ expert-router plan --model ./config.json --gpu l40s --input 500 --output 300 --price 1.20
  $ expert-router plan --model llama-3.1-8b,llama-3.1-70b --gpu h100,h200 --users 600 --lengths chat --slo ttft=1s,tpot=50ms
  $ expert-router plan --model llama-3.1-8b --users 1000 --experts 8 --recipe

Figures come from a model checked against published measurements; docs/simulator.md states its errors.`,
    )
    .action(async ({ model, ...rest }: Omit<PlanOptions, 'model'> & { readonly model?: string }) => {
      if (model === undefined)
        throw new UsageError('--model: give a name, such as llama-3.1-8b, or a config.json.');
      const options = { ...rest, model };
      const text = options.users === undefined ? await planOne(options) : await planMany(options);
      console.log(text);
    });
}

function priceOf(options: PlanOptions): number | undefined {
  return options.price === undefined ? undefined : amountOf('--price', options.price);
}

/** The default precision: the narrowest one that needs no calibrated checkpoint. */
function defaultPrecision(gpu: string): string {
  return findGpu(gpu).peak.fp8 ? 'fp8' : 'fp16';
}

async function planOne(options: PlanOptions): Promise<string> {
  const limits = limitsOf(options);
  const lengths = lengthsOf(options);
  const total = lengths.promptTokens + lengths.outputTokens;
  const d = await chosenDeployment(options, limits, total);
  if (total > d.model.maxContext)
    throw new UsageError(
      `--input, --output: ${total} tokens exceed the ${d.model.maxContext} that ${d.model.name} was trained for.`,
    );
  requireFit(d, limits, total);
  const figures = planFigures(d, limits, lengths, priceOf(options));
  if (options.recipe) return recipeText(d, limits, 1, options.model, figures.max_concurrent);
  return options.json ? JSON.stringify(figures, null, 2) : figuresTable(figures, limits);
}

/** The given degree, or the smallest that fits. */
async function chosenDeployment(
  options: PlanOptions,
  limits: EngineLimits,
  tokens: number,
): Promise<Deployment> {
  const model = await modelNamed(options.model);
  const precision = options.precision ?? defaultPrecision(options.gpu);
  const at = (tensorParallel: number): Deployment =>
    deployment({ model, gpu: options.gpu, precision, engine: options.engine, tensorParallel });
  if (options.tp !== undefined) return at(amountOf('--tp', options.tp, 'whole'));
  let refusal: unknown;
  for (const degree of [1, 2, 4, 8]) {
    try {
      const d = at(degree);
      requireFit(d, limits, tokens);
      return d;
    } catch (error) {
      refusal ??= error;
    }
  }
  throw refusal;
}

async function planMany(options: PlanOptions): Promise<string> {
  const gpus = namedList(options.gpu).map(findGpu);
  const precisions = options.precision
    ? namedList(options.precision).map((name) => findPrecision(name, gpus[0]!))
    : [PRECISIONS.fp8, PRECISIONS.fp16];
  const price = priceOf(options);
  const demand: Demand = {
    users: amountOf('--users', options.users!, 'whole'),
    lengths: lengthsOf(options),
    level: parseServiceLevel(options.slo),
    limits: limitsOf(options),
    ...(price === undefined ? {} : { usdPerGpuHour: price }),
  };
  const space = {
    models: await Promise.all(namedList(options.model).map(modelNamed)),
    gpus,
    precisions,
    engine: options.engine as Deployment['engine'],
    experts: amountOf('--experts', options.experts, 'whole'),
    maxGpus: amountOf('--gpus', options.gpus, 'whole'),
  };
  const found = searchPlacements(space, demand);
  const best = found[0];
  if (!best)
    throw new UserError(
      `--gpus: nothing fits on ${space.maxGpus} x ${gpus.map((gpu) => gpu.name).join(' or ')} in ` +
        `${precisions.map((p) => p.name).join(' or ')}; allow more GPUs, a narrower precision or a smaller model.`,
    );
  if (options.recipe)
    return recipeText(best.deployment, demand.limits, best.copies, best.deployment.model.name, perCopy(best));
  if (!options.json) return placementsTable(found, demand);
  return JSON.stringify(
    found.map(({ deployment: _, ...rest }) => rest),
    null,
    2,
  );
}

const perCopy = (placement: Placement): number => Math.floor(placement.max_concurrent / placement.copies);

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

/** `expert-router day`: a simulated day of a fleet that is scaled, by several rules. */
import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import { describeError, UserError } from '../core/errors.ts';
import { writeFileAtomically } from '../core/files.ts';
import { progressBar } from '../core/progress.ts';
import { seededRandom } from '../core/random.ts';
import { lineChart } from '../report/line-chart.ts';
import { standaloneSvg } from '../report/page.ts';
import { textTable } from '../report/text-table.ts';
import { type Day, type DayResult, simulateDay } from '../simulating/day/day.ts';
import { diurnal, recordedRates } from '../simulating/day/load.ts';
import { RULES, type Rule } from '../simulating/day/rules.ts';
import { serviceOf } from '../simulating/day/service.ts';
import { type Deployment, deployment, describeDeployment, ENGINES } from '../simulating/deployment.ts';
import { requireFit } from '../simulating/fit.ts';
import { findGpu, GPU_NAMES } from '../simulating/hardware/gpu.ts';
import { defaultPrecision, PRECISION_NAMES } from '../simulating/hardware/precision.ts';
import { DEFAULT_LIMITS } from '../simulating/memory.ts';
import { zipfShares } from '../simulating/workload/clusters.ts';
import { meanLengths, NAMED_LENGTHS } from '../simulating/workload/lengths.ts';
import { parseTrace } from '../simulating/workload/traces.ts';
import { count, duration, positive } from './numbers.ts';
import { modelNamed } from './plan/model-option.ts';
import { namedList } from './plan/options.ts';
import { UsageError } from './usage-error.ts';

interface DayOptions {
  readonly users: number;
  readonly asks: number;
  readonly trace?: string;
  readonly experts: number;
  readonly skew: number;
  readonly model: string;
  readonly gpu: string;
  readonly precision?: string;
  readonly tp: number;
  readonly engine: string;
  readonly gpus: number;
  readonly start: number;
  readonly ttft: number;
  readonly tpot: number;
  readonly rules?: string;
  readonly seed: number;
  readonly svg?: string;
  readonly json?: boolean;
}

export function dayCommand(): Command {
  return new Command('day')
    .option(
      '--users <n>',
      'people who ask, over the day as a city does: least at three, most at fifteen',
      count,
      10_000,
    )
    .option('--asks <n>', 'requests of each in an hour, on average', positive, 6)
    .option(
      '--trace <file>',
      "a recorded trace (Azure's or Mooncake's form) in place of users: its lengths and its rates, repeated until the day is over and following the hours of the day",
    )
    .option('--experts <n>', 'experts, each with replicas of its own', count, 16)
    .option(
      '--skew <n>',
      'how unequally they are asked (Zipf); at noon the order is turned around',
      positive,
      1,
    )
    .option('-m, --model <name>', 'model of every expert: a built-in name or a config.json', 'llama-3.1-8b')
    .option('-g, --gpu <name>', `where replicas run: ${GPU_NAMES.join(', ')}`, 'h100')
    .option(
      '-p, --precision <name>',
      `${PRECISION_NAMES.join(', ')}; what the GPU usually serves when absent`,
    )
    .option('--tp <degree>', 'GPUs of a replica: 1, 2, 4 or 8', count, 1)
    .option('--engine <name>', `whose overheads to assume: ${ENGINES.join(', ')}`, 'vllm')
    .option('--gpus <n>', 'GPUs that there are', count, 1_000)
    .option('--start <duration>', 'from the wish for a replica to its first answer (default: 2m)', duration)
    .option(
      '--ttft <duration>',
      'longest wait for the first token of a request answered in time (default: 2s)',
      duration,
    )
    .option(
      '--tpot <duration>',
      'longest time per token; sets how many requests a replica takes (default: 50ms)',
      duration,
    )
    .option('--rules <names>', `some of ${RULES.map(({ name }) => name).join(', ')}; all when absent`)
    .option('--seed <n>', 'of arrivals and lengths', count, 1)
    .option('--svg <file>', 'write a picture of the GPUs held over the day')
    .option('--json', 'machine-readable output')
    .addHelpText(
      'after',
      `
Each rule gets the same day. Rules:
${RULES.map(({ name, summary }) => `  ${name.padEnd(14)} ${summary}`).join('\n')}
The scaler's rule is the code that \`serve --scaler\` answers KEDA with; KEDA and the HPA are simulated with their defaults. A
replica takes as many requests at once as keep the time per token, each of which then takes that long (docs/scale.md).

Examples:
  $ expert-router day
  $ expert-router day --users 100000 --asks 30 --experts 64 --model llama-3.1-70b --tp 4 --gpus 1000
  $ expert-router day --trace AzureLLMInferenceTrace_conv.csv --experts 8 --svg day.svg`,
    )
    .action(run);
}

async function run(options: DayOptions): Promise<void> {
  const rules = rulesOf(options.rules);
  const where = await deploymentOf(options);
  const day = await dayOf(options, where);
  const progress = options.json ? null : progressBar('simulating days', 'items');
  const results: DayResult[] = [];
  for (const rule of rules) {
    progress?.update(results.length, rules.length, rule.name);
    await new Promise((resolve) => setImmediate(resolve));
    results.push(simulateDay(day, rule));
  }
  progress?.finish();
  if (options.svg !== undefined) await writeFileAtomically(options.svg, picture(results));
  const { slots, gpus } = day.service;
  const facts = {
    deployment: describeDeployment(where),
    slots_per_replica: slots,
    gpus_per_replica: gpus,
    requests_per_second: day.requestsPerSecond,
    ttft_seconds: day.ttftSeconds,
    start_seconds: day.startSeconds,
  };
  console.log(
    options.json
      ? JSON.stringify({ ...facts, rules: results }, null, 2)
      : text(day, facts.deployment, results),
  );
}

function rulesOf(names: string | undefined): readonly Rule[] {
  if (names === undefined) return RULES;
  return namedList(names).map((name) => {
    const rule = RULES.find((one) => one.name === name);
    if (rule) return rule;
    throw new UsageError(
      `--rules: there is no rule '${name}'; there are ${RULES.map((one) => one.name).join(', ')}.`,
    );
  });
}

async function deploymentOf({ model, gpu, precision, tp, engine }: DayOptions): Promise<Deployment> {
  const shape = await modelNamed(model);
  const where = deployment({
    model: shape,
    gpu,
    precision: precision ?? defaultPrecision(shape, findGpu(gpu)).name,
    tensorParallel: tp,
    engine,
  });
  requireFit(where, DEFAULT_LIMITS, 2_048);
  return where;
}

async function dayOf(options: DayOptions, where: Deployment): Promise<Day> {
  const { users, asks, experts, skew, gpus, seed } = options;
  if (experts < 1) throw new UsageError('--experts: must be at least 1.');
  const least = experts * where.tensorParallel;
  if (gpus < least) throw new UsageError(`--gpus: one replica of each expert takes ${least} already.`);
  const trace = options.trace === undefined ? null : parseTrace(await textOf(options.trace), options.trace);
  const lengths = trace ? ({ kind: 'observed', pairs: trace } as const) : NAMED_LENGTHS.chat!;
  const mean = meanLengths(lengths, seededRandom(seed));
  const recorded = trace && recordedRates(trace.map(({ time }) => time));
  const perSecond = trace ? trace.length / Math.max(1, trace.at(-1)!.time + 1) : (users * asks) / 3600;
  return {
    experts,
    shares: zipfShares(experts, skew),
    requestsPerSecond: perSecond,
    rate: recorded ? (seconds) => diurnal(seconds) * recorded(seconds) : diurnal,
    lengths,
    meanLengths: mean,
    service: serviceOf(where, DEFAULT_LIMITS, mean, (options.tpot ?? 50) / 1000),
    gpus,
    startSeconds: (options.start ?? 120_000) / 1000,
    ttftSeconds: (options.ttft ?? 2_000) / 1000,
    seed,
  };
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new UserError(`--trace: cannot read ${file}: ${describeError(error)}`, { cause: error });
  }
}

function text(
  { service, requestsPerSecond, ttftSeconds }: Day,
  words: string,
  results: readonly DayResult[],
): string {
  const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;
  const rows = results.map(({ rule, requests, attained, refused, gpu_hours, hours }) => [
    rule,
    String(requests),
    percent(attained),
    percent(Math.min(...hours.map((hour) => hour.attained))),
    percent(requests === 0 ? 0 : refused / requests),
    gpu_hours.toFixed(0),
  ]);
  const head = ['rule', 'requests', 'in time', 'worst hour', 'refused', 'GPU-hours'];
  return `${words}: ${service.slots} requests at once in ${(1000 * service.tpotSeconds).toFixed(0)} ms a token
${requestsPerSecond.toFixed(1)} requests a second on average; in time: first token within ${ttftSeconds} s

${textTable([head, ...rows])}`;
}

function picture(results: readonly DayResult[]): string {
  return standaloneSvg(
    lineChart({
      title: 'GPUs held over the day',
      x: { label: 'hour' },
      y: { label: 'GPUs' },
      series: results.map(({ rule, hours }) => ({
        name: rule,
        points: hours.map(({ hour, gpus }) => ({ x: hour, y: gpus })),
      })),
    }),
  );
}

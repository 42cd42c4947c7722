/** `expert-router simulate`: simulates experts on GPUs under a load. */
import { readFile } from 'node:fs/promises';
import { Command, Option } from 'commander';
import { UserError } from '../core/errors.ts';
import { writeFileAtomically } from '../core/files.ts';
import { type Progress, progressBar } from '../core/progress.ts';
import { POLICIES } from '../deciding/routing/policies/index.ts';
import { bindChoice, type PolicyChoice } from '../deciding/routing/policy-choice.ts';
import { textTable } from '../report/text-table.ts';
import { simulateFleet } from '../simulating/fleet/event-loop.ts';
import { wait } from './plan/tables.ts';
import {
  composeClusters,
  composeExperts,
  composeLoad,
  composeScenario,
  type Load,
} from './simulate/compose.ts';
import { type SimulatedRun, simulationReport } from './simulate/report.ts';
import { type PlacementFile, parseScenario, policyOf, type ScenarioFile } from './simulate/scenario-file.ts';
import { UsageError } from './usage-error.ts';

interface SimulateOptions {
  readonly compare?: 'policies' | 'placements';
  readonly policy?: string;
  readonly json?: boolean;
  readonly out?: string;
  readonly html?: string;
  readonly seed?: string;
}

export function simulateCommand(): Command {
  return new Command('simulate')
    .argument('<scenario>', 'a YAML file; docs/simulator.md describes it')
    .addOption(
      new Option('--compare <what>', 'compare all policies, or all placements of the file').choices([
        'policies',
        'placements',
      ]),
    )
    .option(
      '--policy <name>',
      `policy to use instead of the file's:  ${POLICIES.map(({ id }) => id).join(', ')}`,
    )
    .option('--seed <n>', "seed to use instead of the file's")
    .option('--html <file>', 'write an HTML report with charts')
    .option('-o, --out <file>', 'write the figures as JSON, with the load test’s field names')
    .option('--json', 'print the JSON instead of the table')
    .addHelpText(
      'after',
      `
Policies; a request goes to …
${POLICIES.map(({ id, summary }) => `  ${id.padEnd(13)} ${summary}`).join('\n')}

Examples:
  $ expert-router simulate evaluation/scenarios/dgx-h100.yaml --compare placements --html report.html
  $ expert-router simulate evaluation/scenarios/skewed.yaml --compare policies
  $ expert-router simulate scenario.yaml --out figures.json`,
    )
    .action(async (path: string, options: SimulateOptions) => {
      const scenario = withOverrides(parseScenario(await readScenario(path), path), options);
      const progress = progressBar('simulating', 'items');
      const runs = await simulateAll(scenario, options.compare, progress);
      progress.finish();
      await write(scenario, runs, options);
    });
}

async function readScenario(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new UserError(`scenario: cannot read ${path}.`, { cause });
  }
}

function withOverrides(file: ScenarioFile, { policy, seed }: SimulateOptions): ScenarioFile {
  const number = seed === undefined ? file.seed : Number(seed);
  if (!Number.isInteger(number) || number < 0)
    throw new UsageError(`--seed: must be a whole number, is "${seed}".`);
  return { ...file, seed: number, policy: policyOf(file, policy) };
}

interface Variant {
  readonly name: string;
  readonly placement: PlacementFile;
  readonly policy: PolicyChoice;
}

/** The variants to compare: placements and policies. */
function variants(file: ScenarioFile, compare: SimulateOptions['compare']): readonly Variant[] {
  const name = (p: PlacementFile): string =>
    p.name ?? `${p.experts * p.replicas} x ${p.model} ${p.precision} TP${p.tensor_parallel}`;
  const policy = policyOf(file);
  if (compare === 'placements') return file.placements.map((p) => ({ name: name(p), placement: p, policy }));
  const first = file.placements[0]!;
  if (compare === 'policies')
    return POLICIES.map(({ id }) => ({
      name: id,
      placement: first,
      policy: policyOf(file, id),
    }));
  return [{ name: name(first), placement: first, policy }];
}

async function simulateAll(
  file: ScenarioFile,
  compare: SimulateOptions['compare'],
  progress: Progress,
): Promise<readonly SimulatedRun[]> {
  const load = await composeLoad(file);
  const chosen = variants(file, compare);
  const total = chosen.length * load.stages.length;
  const runs: SimulatedRun[] = [];
  for (const { name, placement, policy } of chosen) {
    const run = await simulateOne(file, load, placement, policy, (stage) =>
      progress.update(runs.length * load.stages.length + stage, total, name),
    );
    runs.push({ name, ...run });
  }
  return runs;
}

async function simulateOne(
  file: ScenarioFile,
  load: Load,
  placement: PlacementFile,
  policy: PolicyChoice,
  told: (stage: number) => void,
): Promise<Omit<SimulatedRun, 'name'>> {
  const experts = await composeExperts(placement);
  const gpus = experts.reduce((sum, e) => sum + e.replicas * e.deployment.tensorParallel, 0);
  const clusters = await composeClusters(file, experts.length);
  const stages = load.stages.map((arrivals, i) => {
    told(i);
    return simulateFleet(
      composeScenario(file, load, experts, clusters, bindChoice(POLICIES, policy), arrivals),
    );
  });
  return { gpus, stages };
}

/** Above this share of unanswered requests, an open loop is overloaded. */
const OVERLOADED = 0.3;

async function write(
  file: ScenarioFile,
  runs: readonly SimulatedRun[],
  options: SimulateOptions,
): Promise<void> {
  const figures = `${JSON.stringify({ name: file.name, seed: file.seed, runs }, null, 2)}\n`;
  if (options.out !== undefined) await writeFileAtomically(options.out, figures);
  if (options.html !== undefined) {
    const subtitle = `Lengths ${typeof file.lengths === 'string' ? file.lengths : 'as given'}, ${file.seconds} s after ${file.warmup} s of warm-up, policy ${policyOf(file).name}, cluster skew ${file.clusters.skew}, seed ${file.seed}.`;
    const price = file.price === undefined ? {} : { usdPerGpuHour: file.price };
    await writeFileAtomically(options.html, simulationReport(runs, { title: file.name, subtitle, ...price }));
  }
  // Last, because its reader may close the pipe after the first line.
  console.log(options.json ? figures.trimEnd() : summary(file, runs));
  for (const path of [options.out, options.html]) if (path !== undefined) console.error(`Wrote ${path}`);
}

function summary(file: ScenarioFile, runs: readonly SimulatedRun[]): string {
  const rows = runs.flatMap((run) =>
    run.stages.map((s) => [
      run.name,
      s.users > 0 ? String(s.users) : '–',
      Math.round(s.tokens_per_second).toLocaleString('en-US'),
      wait(s.ttft_ms.p50),
      wait(s.ttft_ms.p95),
      `${s.tpot_ms.p50.toFixed(1)} ms`,
      `${s.tpot_ms.p95.toFixed(1)} ms`,
      `${Math.round(100 * s.gpu_utilisation)} %`,
      `${Math.round(100 * s.kv_utilisation)} %`,
      `${Math.round(100 * s.at_home)} %`,
    ]),
  );
  const head = ['', 'users', 'tokens/s', 'TTFT p50', 'p95', 'TPOT p50', 'p95', 'GPU', 'cache', 'at home'];
  const overloaded = runs.filter((run) => run.stages.some((s) => s.users === 0 && s.unfinished > OVERLOADED));
  const warning = overloaded.length
    ? `\n\nThe load exceeds the capacity of ${overloaded.map((run) => run.name).join(', ')}: the queue grows without bound, so waiting times depend only on the simulated time.`
    : '';
  return `${file.name}\n\n${textTable([head, ...rows])}${warning}`;
}

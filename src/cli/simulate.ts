/** `expert-router simulate`: simulates experts on GPUs under a load. */
import { readFile } from 'node:fs/promises';
import { Command, Option } from 'commander';
import { UserError } from '../core/errors.ts';
import { writeFileAtomically } from '../core/files.ts';
import { type Progress, progressBar } from '../core/progress.ts';
import { POLICIES } from '../deciding/routing/policies/index.ts';
import type { PolicyChoice } from '../deciding/routing/policy-choice.ts';
import { textTable } from '../report/text-table.ts';
import { BANDS_MEAN, bandsOf, bandText } from './plan/band-text.ts';
import { percentileText } from './plan/percentile-text.ts';
import { caveats, wait } from './plan/tables.ts';
import { composeExperts, composeLoad } from './simulate/compose.ts';
import { stageNotes } from './simulate/notes.ts';
import { type SimulatedRun, simulationReport } from './simulate/report.ts';
import {
  kindsOf,
  type PlacementFile,
  parseScenario,
  policyOf,
  type ScenarioFile,
} from './simulate/scenario-file.ts';
import { sweep } from './simulate/sweep.ts';
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
    p.name ??
    kindsOf(p)
      .map((k) => `${k.experts * k.replicas} x ${k.model} TP${k.tensor_parallel} on ${k.gpu}`)
      .join(' + ');
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
  const tasks = chosen.flatMap(({ placement, policy }) =>
    load.stages.map((_, stage) => ({ file, placement, policy, stage })),
  );
  const most = Math.max(
    ...load.stages.map((arrivals) => (arrivals.kind === 'closed' ? arrivals.users : 100)),
  );
  const stages = await sweep(tasks, most * (file.seconds + file.warmup), (done) =>
    progress.update(
      done,
      tasks.length,
      chosen[Math.min(chosen.length - 1, Math.floor(done / load.stages.length))]!.name,
    ),
  );
  return Promise.all(
    chosen.map(async ({ name, placement }, i) => {
      const own = stages.slice(i * load.stages.length, (i + 1) * load.stages.length);
      const deployments = (await composeExperts(placement)).map(({ deployment }) => deployment);
      const gpus = own[0]!.experts.reduce((sum, e) => sum + e.gpus, 0);
      return { name, gpus, stages: own, deployments, bands: bandsOf(deployments) };
    }),
  );
}

async function write(
  file: ScenarioFile,
  runs: readonly SimulatedRun[],
  options: SimulateOptions,
): Promise<void> {
  const shown = { name: file.name, seed: file.seed, runs: runs.map(({ deployments: _, ...run }) => run) };
  const figures = `${JSON.stringify(shown, null, 2)}\n`;
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
      percentileText(s.ttft_ms, 'p50', wait),
      percentileText(s.ttft_ms, 'p95', wait),
      percentileText(s.tpot_ms, 'p50', perToken),
      percentileText(s.tpot_ms, 'p95', perToken),
      `${Math.round(100 * s.gpu_utilisation)} %`,
      `${Math.round(100 * s.kv_utilisation)} %`,
      `${Math.round(100 * s.at_home)} %`,
    ]),
  );
  const head = ['', 'users', 'tokens/s', 'TTFT p50', 'p95', 'TPOT p50', 'p95', 'GPU', 'cache', 'at home'];
  const notes = runs.flatMap((run) => run.stages.flatMap((stage) => stageNotes(run.name, stage)));
  const bands = textTable(runs.map((run) => [run.name, bandText(run.bands)]));
  const about = caveats(runs.flatMap((run) => run.deployments));
  return `${file.name}\n\n${textTable([head, ...rows])}${notes.map((note) => `\n\n${note}`).join('')}\n\n${BANDS_MEAN}\n${bands}${about}`;
}

const perToken = (ms: number): string => `${ms.toFixed(1)} ms`;

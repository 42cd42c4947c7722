/** `expert-router simulate`: simulates experts on GPUs under a load. */
import { readFile } from 'node:fs/promises';
import { Command, Option } from 'commander';
import { UserError } from '../core/errors.ts';
import { writeFileAtomically } from '../core/files.ts';
import { type Progress, progressBar } from '../core/progress.ts';
import { POLICIES } from '../deciding/routing/policies/index.ts';
import type { PolicyChoice } from '../deciding/routing/policy-choice.ts';
import type { RecordedLoad } from '../replaying/recorded.ts';
import { textTable } from '../report/text-table.ts';
import { noThinking } from './plan/assumptions.ts';
import { BANDS_MEAN, bandsOf, bandText } from './plan/band-text.ts';
import { percentileText } from './plan/percentile-text.ts';
import { caveats, wait } from './plan/tables.ts';
import { composeExperts, composeLoad, type Load } from './simulate/compose.ts';
import { stageNotes } from './simulate/notes.ts';
import { besideReality, missText } from './simulate/reality.ts';
import { type SimulatedRun, simulationReport } from './simulate/report.ts';
import {
  kindsOf,
  type PlacementFile,
  parseScenario,
  policyOf,
  type RecordsInput,
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
  readonly records?: string;
  readonly config?: string;
  readonly last?: string;
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
    .option(
      '--records <folder>',
      'replay what a gateway recorded, in place of the file’s load; with --config',
    )
    .option('-c, --config <file>', 'the config that the records were made with')
    .option('--last <duration>', 'how much of the records, back from the latest: 30s, 10m', '10m')
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
  $ expert-router simulate fleet.yaml --records ./records --config experts.yaml --compare policies
  $ expert-router simulate scenario.yaml --out figures.json`,
    )
    .action(async (path: string, options: SimulateOptions) => {
      const file = parseScenario(await readScenario(path), path, recordsOf(options));
      const scenario = withOverrides(file, options);
      const progress = progressBar('simulating', 'items');
      const load = await composeLoad(scenario);
      const runs = await simulateAll(scenario, load, options.compare, progress);
      progress.finish();
      await write(scenario, load.recorded ?? null, runs, options);
    });
}

function recordsOf({ records, config, last }: SimulateOptions): RecordsInput | undefined {
  if (records === undefined) {
    if (config !== undefined) throw new UsageError('--config: only with --records.');
    return undefined;
  }
  if (config === undefined)
    throw new UsageError('--records: name the config that they were made with, too: --config experts.yaml.');
  return { records, config, ...(last === undefined ? {} : { last }) };
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
  load: Load,
  compare: SimulateOptions['compare'],
  progress: Progress,
): Promise<readonly SimulatedRun[]> {
  const chosen = variants(file, compare);
  const tasks = chosen.flatMap(({ placement, policy }) =>
    load.stages.map((_, stage) => ({ file, placement, policy, stage })),
  );
  const most = Math.max(
    ...load.stages.map((arrivals) => (arrivals.kind === 'closed' ? arrivals.users : 100)),
  );
  progress.update(0, tasks.length, chosen[0]!.name);
  const stages = await sweep(tasks, load, most * (file.seconds + file.warmup), (done) =>
    progress.update(
      done,
      tasks.length,
      chosen[Math.min(chosen.length - 1, Math.floor(done / load.stages.length))]!.name,
    ),
  );
  return Promise.all(
    chosen.map(async ({ name, placement }, i) => {
      const own = stages.slice(i * load.stages.length, (i + 1) * load.stages.length);
      const deployments = (await composeExperts(placement, load)).map(({ deployment }) => deployment);
      const gpus = own[0]!.experts.reduce((sum, e) => sum + e.gpus, 0);
      return { name, gpus, stages: own, deployments, bands: bandsOf(deployments) };
    }),
  );
}

async function write(
  file: ScenarioFile,
  recorded: RecordedLoad | null,
  runs: readonly SimulatedRun[],
  options: SimulateOptions,
): Promise<void> {
  const told = runs.map(({ deployments: _, ...run }) => run);
  const shown = {
    name: file.name,
    seed: file.seed,
    assumed: assumptions(file),
    ...(recorded ? besideReality(recorded, runs) : {}),
    runs: told,
  };
  const figures = `${JSON.stringify(shown, null, 2)}\n`;
  if (options.out !== undefined) await writeFileAtomically(options.out, figures);
  if (options.html !== undefined) {
    const subtitle = `Lengths ${typeof file.lengths === 'string' ? file.lengths : 'as given'}, ${file.seconds} s after ${file.warmup} s of warm-up, policy ${policyOf(file).name}, cluster skew ${file.clusters.skew}, seed ${file.seed}.`;
    const price = file.price === undefined ? {} : { usdPerGpuHour: file.price };
    await writeFileAtomically(options.html, simulationReport(runs, { title: file.name, subtitle, ...price }));
  }
  // Last, because its reader may close the pipe after the first line.
  console.log(options.json ? figures.trimEnd() : summary(file, recorded, runs));
  for (const path of [options.out, options.html]) if (path !== undefined) console.error(`Wrote ${path}`);
}

/** What the file does not say and the figures depend on. */
function assumptions({ users, think }: ScenarioFile): readonly string[] {
  if (users === undefined || think !== undefined) return [];
  return [noThinking('"think: 20" is for people who read twenty seconds')];
}

function summary(file: ScenarioFile, recorded: RecordedLoad | null, runs: readonly SimulatedRun[]): string {
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
  if (recorded) rows.unshift(recordedRow(recorded));
  const head = ['', 'users', 'tokens/s', 'TTFT p50', 'p95', 'TPOT p50', 'p95', 'GPU', 'cache', 'at home'];
  const notes = runs.flatMap((run) => run.stages.flatMap((stage) => stageNotes(run.name, stage)));
  const bands = textTable(runs.map((run) => [run.name, bandText(run.bands)]));
  const reality = recorded ? `\n\n${missText(recorded, runs)}` : '';
  const about = caveats(runs.flatMap((run) => run.deployments));
  const assumed = assumptions(file).map((line) => `Assumed: ${line}.\n\n`);
  return `${file.name}\n\n${assumed.join('')}${textTable([head, ...rows])}${reality}${notes.map((note) => `\n\n${note}`).join('')}\n\n${BANDS_MEAN}\n${bands}${about}`;
}

function recordedRow({ really }: RecordedLoad): string[] {
  const { ttft_ms: ttft, tpot_ms: tpot } = really;
  return [
    'as recorded',
    '–',
    Math.round(really.tokens_per_second).toLocaleString('en-US'),
    ...[percentileText(ttft, 'p50', wait), percentileText(ttft, 'p95', wait)],
    ...[percentileText(tpot, 'p50', perToken), percentileText(tpot, 'p95', perToken)],
    ...['–', '–', `${Math.round(100 * really.at_home)} %`],
  ];
}

const perToken = (ms: number): string => `${ms.toFixed(1)} ms`;

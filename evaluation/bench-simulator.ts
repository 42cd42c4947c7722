/**
 * `npm run bench:simulator`: predictions beside every usable published row, in sample and with the row, its configuration, its
 * model, or its GPU left out of the fit. Writes the tables of docs/simulator.md, and the residuals from which every
 * prediction's band is computed (`src/simulating/cost/residuals.ts`).
 */
import { availableParallelism } from 'node:os';
import { writeFileAtomically } from '../src/core/files.ts';
import { openPool } from '../src/learning/training/pool.ts';
import { describeDeployment } from '../src/simulating/deployment.ts';
import {
  type EngineErrors,
  type ErrorGroup,
  engineErrors,
  group,
  METRICS,
  type RowError,
  type Scheme,
} from './bench/errors.ts';
import { residualsFile } from './bench/residuals-file.ts';
import { readCalibration } from './fit/rows.ts';
import { ENGINE_NAMES } from './fit/workflow.ts';
import { fillDocument, markdownTable } from './paper/document.ts';
import { runScript } from './script.ts';

const RESIDUALS = 'src/simulating/cost/residuals.ts';

/** The order of the document's columns. */
const SCHEMES: readonly Scheme[] = ['row', 'configuration', 'model', 'GPU', 'in sample'];

const CLASSES: Readonly<Record<string, (error: RowError) => string>> = {
  engine: ({ row }) => row.deployment.engine,
  version: ({ row }) => row.version,
  model: ({ row }) => row.deployment.model.name,
  GPU: ({ row }) => row.deployment.gpu.name,
  precision: ({ row }) => row.deployment.precision.name,
  degree: ({ row }) => `TP${row.deployment.tensorParallel}`,
  'engine and GPU': ({ row }) => `${row.deployment.engine}, ${row.deployment.gpu.name}`,
  lengths: ({ row }) => `${row.input}/${row.output}`,
  load: ({ row }) => (row.kind === 'closed-loop' ? `${row.concurrency} users` : row.kind),
};
/** Classes that the document has; the others are printed. */
const SHOWN = ['engine', 'model', 'GPU', 'precision', 'degree'];
/** Rows below which a mean says little. */
const FEW = 20;

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** One line for all rows of a metric and one for each engine; what could not be left out is empty. */
function schemesTable(schemes: Readonly<Record<Scheme, readonly RowError[]>>): string {
  const lines = METRICS.flatMap((metric) =>
    ['all', ...ENGINE_NAMES].flatMap((engine) => {
      const cells = SCHEMES.map((scheme) => {
        const own = schemes[scheme].filter(
          (e) => e.metric === metric && (engine === 'all' || e.row.deployment.engine === engine),
        );
        return own.length === 0 ? undefined : group(own, () => '')[0]!;
      });
      const rows = cells.at(-1)?.rows;
      if (rows === undefined) return [];
      // Where some rows could not be left out, the mean is of fewer.
      const cell = (g: ErrorGroup | undefined): string =>
        g === undefined ? '' : g.rows === rows ? percent(g.mape) : `${percent(g.mape)} (${g.rows})`;
      return [[engine === 'all' ? `**${NAMES[metric]}**` : `– ${engine}`, String(rows), ...cells.map(cell)]];
    }),
  );
  return markdownTable(['', 'rows', ...SCHEMES.map((s) => (s === 'in sample' ? s : `${s} left out`))], lines);
}

const NAMES = {
  throughput: 'throughput',
  tpot: 'time per output token',
  ttft: 'time to first token',
} as const;

/** Classes of enough rows, configuration left out: mean error, bias and rows by metric. */
function classesTable(
  errors: readonly RowError[],
  of: (error: RowError) => string,
  title: string,
): string[][] {
  const groups = group(errors, of).filter(({ rows }) => rows > FEW);
  const names = [...new Set(groups.map(({ name }) => name))];
  return names.map((name) => [
    `${title}: ${name}`,
    ...METRICS.map((metric) => {
      const found = groups.find((g) => g.name === name && g.metric === metric);
      return found ? `${percent(found.mape)} (${found.rows})` : '';
    }),
  ]);
}

function printed(title: string, groups: readonly ErrorGroup[]): string {
  const cell = (share: number): string => percent(share).padStart(9);
  const lines = groups.map(
    (g) =>
      `${g.metric.padEnd(11)} ${g.name.padEnd(40)} ${String(g.rows).padStart(5)} ${cell(g.mape)} ${cell(g.median)} ${cell(g.p90)} ${cell(g.bias)}`,
  );
  const heads = ['MAPE', 'median', 'p90', 'bias'].map((head) => head.padStart(9)).join(' ');
  return `${'metric'.padEnd(11)} ${title.padEnd(40)} ${'rows'.padStart(5)} ${heads}\n${lines.join('\n')}\n`;
}

function together(engines: readonly EngineErrors[]): Readonly<Record<Scheme, readonly RowError[]>> {
  const of = (scheme: Scheme): readonly RowError[] => engines.flatMap((errors) => errors[scheme]);
  return {
    row: of('row'),
    configuration: of('configuration'),
    model: of('model'),
    GPU: of('GPU'),
    'in sample': of('in sample'),
  };
}

await runScript(async () => {
  const pool = openPool(availableParallelism());
  const schemes = together(await Promise.all(ENGINE_NAMES.map((engine) => pool.run(engineErrors, engine))));
  await pool.close();
  const { configuration } = schemes;
  const excluded = readCalibration().excluded.map(({ rows, reason }) => `${rows} (${reason})`);
  const blocks = {
    errors: schemesTable(schemes),
    classes: markdownTable(
      ['configuration left out', ...METRICS.map((metric) => NAMES[metric])],
      SHOWN.flatMap((title) => classesTable(configuration, CLASSES[title]!, title)),
    ),
  };
  console.log(`${blocks.errors}\n\nLeft out of all: ${excluded.join('; ')}\n`);
  for (const [title, of] of Object.entries(CLASSES)) console.log(printed(title, group(configuration, of)));
  console.log(printed('model, that model left out', group(schemes.model, CLASSES.model!)));
  console.log(printed('GPU, that GPU left out', group(schemes.GPU, CLASSES.GPU!)));
  const worst = group(configuration, ({ row }) => `${row.version} ${describeDeployment(row.deployment)}`);
  console.log(printed('worst configurations', worst.toSorted((a, b) => b.mape - a.mape).slice(0, 15)));
  await fillDocument('docs/simulator.md', blocks);
  await writeFileAtomically(RESIDUALS, residualsFile(configuration));
  console.log(`wrote ${RESIDUALS} and the tables of docs/simulator.md`);
});

/**
 * `npm run bench:simulator:beside`: our predictions and AIConfigurator's beside the same measured rows, by engine, GPU and
 * precision; ours by fits without the row's configuration. `evaluation/aiconfigurator/predict.py` makes its predictions, and
 * says how. Writes the table of docs/simulator.md.
 */
import { availableParallelism } from 'node:os';
import { openPool } from '../src/learning/training/pool.ts';
import { errorsWithoutConfiguration, type RowError } from './bench/errors.ts';
import { readCsv } from './fit/csv.ts';
import { fillDocument, markdownTable } from './paper/document.ts';
import { runScript } from './script.ts';

const PREDICTED = '.cache/aiconfigurator.csv';

type Times = Readonly<Record<'tpot' | 'ttft', number>>;

/** Of each row that it has an answer for, in seconds; how many it was asked about, and why some have none. */
interface Answers {
  readonly times: ReadonlyMap<string, Times>;
  readonly asked: number;
  readonly reasons: ReadonlySet<string>;
}

function theirs(): Answers {
  const rows = readCsv(PREDICTED, 'evaluation/aiconfigurator/predict.py writes it');
  const answered = rows.filter(({ reason }) => reason === '');
  const times = answered.map(
    ({ id, ttft_ms, tpot_ms }) =>
      [id!, { ttft: Number(ttft_ms) / 1000, tpot: Number(tpot_ms) / 1000 }] as const,
  );
  const reasons = new Set(rows.map(({ reason }) => reason!).filter(Boolean));
  return { times: new Map(times), asked: rows.length, reasons };
}

interface Compared {
  readonly error: RowError;
  /** Sizes of relative errors. */
  readonly theirs: number;
  readonly ours: number;
}

function lineOf(name: string, rows: readonly Compared[]): string[] {
  const mean = (metric: string, of: (c: Compared) => number): string => {
    const own = rows.filter(({ error }) => error.metric === metric);
    return `${((100 * own.reduce((sum, c) => sum + of(c), 0)) / own.length).toFixed(1)}`;
  };
  const pair = (metric: string): string =>
    `${mean(metric, (c) => c.theirs)} / ${mean(metric, (c) => c.ours)} %`;
  return [
    name,
    String(rows.filter(({ error }) => error.metric === 'tpot').length),
    pair('tpot'),
    pair('ttft'),
  ];
}

await runScript(async () => {
  const { times: predicted, asked, reasons } = theirs();
  const pool = openPool(availableParallelism());
  const engines = ['tensorrt-llm', 'vllm'] as const;
  const errors = (await Promise.all(engines.map((one) => pool.run(errorsWithoutConfiguration, one)))).flat();
  await pool.close();
  const classes = new Map<string, Compared[]>();
  for (const error of errors) {
    const { id, deployment: d } = error.row;
    const times = id === undefined ? undefined : predicted.get(id);
    if (times === undefined || error.metric === 'throughput') continue;
    const off = (value: number): number => Math.abs(value / error.measured - 1);
    const one = { error, theirs: off(times[error.metric]), ours: off(error.predicted) };
    for (const name of ['all', `${d.engine}, ${d.gpu.label.split(' ')[0]} ${d.precision.name.toUpperCase()}`])
      classes.set(name, [...(classes.get(name) ?? []), one]);
  }
  const rows = [...classes].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, own]) => lineOf(name, own));
  const unanswered = [...reasons].map((reason) => `\nNo answer: ${reason}`).join('');
  console.log(`${predicted.size} of ${asked} rows have an answer.${unanswered}`);
  const block = markdownTable(['', 'rows', 'TPOT, it / ours', 'TTFT, it / ours'], rows);
  await fillDocument('docs/simulator.md', { aiconfigurator: block });
  console.log(block);
});

/** `expert-router records`: prints, filters and exports the decisions that a gateway recorded. */
import { Command } from 'commander';
import { parseDuration } from '../core/duration.ts';
import { UserError } from '../core/errors.ts';
import { writeFileAtomically } from '../core/files.ts';
import { printable } from '../core/printable.ts';
import { csvLine } from '../report/csv.ts';
import { textTable } from '../report/text-table.ts';
import { recordLines } from '../serving/records/read.ts';
import type { DecisionLine } from '../serving/records/record.ts';
import { UsageError } from './usage-error.ts';

interface RecordsOptions {
  readonly expert?: string;
  readonly cluster?: string;
  readonly reason?: string;
  readonly key?: string;
  readonly failed?: boolean;
  readonly moved?: boolean;
  readonly last?: string;
  readonly limit: string;
  readonly json?: boolean;
  readonly csv?: boolean;
  readonly parquet?: string;
}

/** What a row has, feedback on it included: the mean score, null for none. */
type Row = Omit<DecisionLine, 'kind'> & { readonly score: number | null };

const SHOWN = 20;

export function recordsCommand(): Command {
  return new Command('records')
    .argument('<dir>', 'folder of the records: records.dir in the config')
    .option('--expert <id>', 'answered by this expert')
    .option('--cluster <number>', 'of this cluster')
    .option('--reason <reason>', 'chosen for this reason, as in x-expert-router-reason')
    .option('--key <name>', 'asked with this API key')
    .option('--failed', 'that ended with an error')
    .option('--moved', 'answered by another expert than the one chosen first')
    .option('--last <duration>', 'back from the latest: 30s, 10m, 24h')
    .option('--limit <n>', 'the latest so many; 0 for all', String(SHOWN))
    .option('--json', 'machine-readable output: a line each, vectors included')
    .option('--csv', 'as comma-separated values, without vectors')
    .option('--parquet <file>', 'write all that match as a Parquet file, vectors included')
    .addHelpText(
      'after',
      `
No prompt and no answer is in them. With --csv, --json and --parquet all that match are meant unless --limit says less.

Examples:
  $ expert-router records ./records --failed --last 1h
  $ expert-router records ./records --moved --csv > moved.csv
  $ expert-router records ./records --parquet decisions.parquet
  $ duckdb -c "select expert, avg(first_ms) from 'decisions.parquet' group by 1"`,
    )
    .action(show);
}

async function show(dir: string, options: RecordsOptions): Promise<void> {
  const exported = options.json || options.csv || options.parquet !== undefined;
  const limit = exported && options.limit === String(SHOWN) ? 0 : wholeNumber('--limit', options.limit);
  const { rows, broken } = await matching(dir, options);
  const latest = limit === 0 ? rows : rows.slice(-limit);
  if (options.parquet !== undefined) {
    await writeFileAtomically(options.parquet, await parquet(latest));
    console.error(`Wrote ${latest.length} decisions to ${options.parquet}`);
  } else if (options.json) for (const row of latest) console.log(JSON.stringify(row));
  else if (options.csv) console.log([COLUMNS, ...latest.map(cells)].map(csvLine).join('\n'));
  else console.log(table(latest, rows.length));
  if (broken > 0)
    console.error(broken === 1 ? 'One line cannot be read.' : `${broken} lines cannot be read.`);
}

function wholeNumber(option: string, text: string): number {
  const value = Number(text);
  if (!(Number.isInteger(value) && value >= 0))
    throw new UsageError(`${option}: must be a whole number, is "${text}".`);
  return value;
}

async function matching(
  dir: string,
  options: RecordsOptions,
): Promise<{ readonly rows: readonly Row[]; readonly broken: number }> {
  const lastMs = options.last === undefined ? Number.POSITIVE_INFINITY : parseDuration(options.last);
  if (lastMs === null) throw new UsageError(`--last: "${options.last}" is no duration such as 10m.`);
  const cluster = options.cluster === undefined ? null : wholeNumber('--cluster', options.cluster);
  const decisions: DecisionLine[] = [];
  const scores = new Map<string, number[]>();
  let broken = 0;
  for await (const line of recordLines(dir)) {
    if (line === null) broken += 1;
    else if (line.kind === 'feedback')
      scores.set(line.trace, [...(scores.get(line.trace) ?? []), line.score]);
    else decisions.push(line);
  }
  if (decisions.length === 0) throw new UserError(`There is no decision in ${dir} yet.`);
  decisions.sort((a, b) => a.at - b.at);
  const from = decisions.at(-1)!.at - lastMs;
  const rows = decisions
    .filter((one) => one.at >= from && (cluster === null || one.cluster === cluster) && isMeant(one, options))
    .map(({ kind: _, ...line }) => ({ ...line, score: mean(scores.get(line.trace)) }));
  return { rows, broken };
}

function isMeant(line: DecisionLine, { expert, reason, key, failed, moved }: RecordsOptions): boolean {
  if (expert !== undefined && line.expert !== expert) return false;
  if (reason !== undefined && line.reason !== reason) return false;
  if (key !== undefined && line.key !== key) return false;
  if (failed && line.error === null) return false;
  return !moved || (line.expert !== null && line.expert !== line.chosen);
}

function mean(values: readonly number[] | undefined): number | null {
  return values ? values.reduce((sum, value) => sum + value, 0) / values.length : null;
}

const COLUMNS = [
  'at',
  'trace',
  'cluster',
  'outside',
  'chosen',
  'reason',
  'expert',
  'tries',
  'status',
  'error',
  'prompt_tokens',
  'completion_tokens',
  'cached_tokens',
  'usd',
  'key',
  'asked_ms',
  'first_ms',
  'total_ms',
  'score',
] as const satisfies readonly (keyof Row)[];

function cells(row: Row): readonly string[] {
  return COLUMNS.map((name) => (name === 'at' ? timeOf(row) : printable(String(row[name] ?? ''))));
}

const timeOf = ({ at }: Row): string => new Date(at).toISOString();

function table(rows: readonly Row[], all: number): string {
  const head = [
    'time',
    'trace',
    'cluster',
    'expert',
    'why',
    'status',
    'tokens',
    'first',
    'total',
    'dollars',
    'score',
  ];
  const body = rows.map((row) => [
    timeOf(row).slice(0, 19).replace('T', ' '),
    row.trace,
    `${row.cluster}${row.outside ? ' (outside)' : ''}`,
    printable(row.expert === row.chosen ? row.chosen : `${row.chosen} → ${row.expert ?? '–'}`),
    row.reason,
    printable(row.error ?? String(row.status ?? 'left')),
    `${row.prompt_tokens ?? '–'} + ${row.completion_tokens ?? '–'}`,
    row.first_ms === null ? '–' : `${row.first_ms} ms`,
    `${row.total_ms} ms`,
    row.usd == null ? '–' : row.usd.toFixed(6),
    row.score === null ? '–' : row.score.toFixed(2),
  ]);
  const count = rows.length < all ? `The latest ${rows.length} of ${all} decisions that match.` : '';
  return [body.length === 0 ? 'No decision matches.' : textTable([head, ...body]), count]
    .filter(Boolean)
    .join('\n\n');
}

async function parquet(rows: readonly Row[]): Promise<Uint8Array> {
  // Loaded here: no other verb needs it.
  const { parquetWriteBuffer } = await import('hyparquet-writer');
  const kinds = { at: 'TIMESTAMP', cluster: 'INT32', outside: 'BOOLEAN', tries: 'INT32', status: 'INT32' };
  const numbers = {
    prompt_tokens: 'INT32',
    completion_tokens: 'INT32',
    cached_tokens: 'INT32',
    asked_ms: 'INT32',
    first_ms: 'INT32',
    total_ms: 'INT32',
  };
  const types: Readonly<Record<string, string>> = { ...kinds, ...numbers, usd: 'DOUBLE', score: 'DOUBLE' };
  const columns = [...COLUMNS, 'stream', 'space', 'vector'] as const;
  const columnData = columns.map((name) => ({
    name,
    data: rows.map((row) => (name === 'at' ? new Date(row.at) : (row[name] ?? null))),
    type: (types[name] ?? (name === 'stream' ? 'BOOLEAN' : 'STRING')) as 'STRING',
    nullable: true,
  }));
  return new Uint8Array(parquetWriteBuffer({ columnData }));
}

/** `expert-router usage`: adds up the audit log by key, team, expert, cluster or day. */
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Command, InvalidArgumentError, Option } from 'commander';
import { describeError, UserError } from '../core/errors.ts';
import { printable } from '../core/printable.ts';
import { csvLine } from '../report/csv.ts';
import type { AuditedCall, AuditedIdle } from '../serving/records/audit.ts';

const GROUPS = ['key', 'team', 'expert', 'cluster', 'day'] as const;
type Group = (typeof GROUPS)[number];

interface UsageOptions {
  readonly by: Group;
  readonly since?: string;
  readonly csv?: boolean;
  readonly json?: boolean;
}

interface Sum {
  requests: number;
  errors: number;
  prompt_tokens: number;
  cached_tokens: number;
  completion_tokens: number;
  /** Where GPUs have a price. */
  gpu_seconds: number;
  usd: number;
  /** Answers whose cost is not known: they are not in `usd`. */
  unpriced: number;
}

/** Clusters are numbers: 9 comes before 10. */
const byName = new Intl.Collator('en', { numeric: true });

export function usageCommand(): Command {
  return new Command('usage')
    .argument('<dir>', 'folder of the audit log: audit.dir in the config')
    .addOption(new Option('--by <group>', 'what to add up by').choices(GROUPS).default('key'))
    .option('--since <day>', 'from this day of UTC on, such as 2027-01-31', day)
    .addOption(new Option('--csv', 'as comma-separated values').conflicts('json'))
    .option('--json', 'machine-readable output')
    .addHelpText(
      'after',
      `
Examples:
  $ expert-router usage ./audit
  $ expert-router usage ./audit --by expert --since 2027-01-01
  $ expert-router usage ./audit --by day --csv > days.csv`,
    )
    .action(async (dir: string, options: UsageOptions) => {
      const rows = [...(await sumsOf(dir, options))].toSorted(([a], [b]) => byName.compare(a, b));
      if (options.json)
        console.log(
          JSON.stringify(
            rows.map(([name, sum]) => ({ [options.by]: name, ...sum })),
            null,
            2,
          ),
        );
      else if (options.csv) console.log([head(options.by), ...rows.map(cells)].map(csvLine).join('\n'));
      else console.log(table([head(options.by), ...rows.map(cells)]));
    });
}

async function sumsOf(dir: string, { by, since = '' }: UsageOptions): Promise<ReadonlyMap<string, Sum>> {
  const sums = new Map<string, Sum>();
  for (const name of await filesIn(dir)) {
    if (name.slice('audit-'.length) < since) continue;
    for await (const line of createInterface({ input: createReadStream(join(dir, name)) })) {
      const entry = entryIn(line);
      if (entry?.event === 'call')
        add(sums, by === 'day' ? entry.at.slice(0, 10) : (entry[by] ?? '-'), entry);
      else if (entry) addIdle(sums, by, entry);
    }
  }
  return sums;
}

/** Not empty. Rejects with `UserError` for a folder that cannot be read, and one that has no audit log. */
async function filesIn(dir: string): Promise<readonly string[]> {
  const all = await readdir(dir).catch((error: unknown) => {
    throw new UserError(`Cannot read the audit log in ${dir}: ${describeError(error)}`, { cause: error });
  });
  const files = all.filter((name) => /^audit-\d{4}-\d\d-\d\d\.jsonl$/.test(name)).sort();
  if (files.length > 0) return files;
  throw new UserError(`There is no audit log in ${dir}: name the folder that the config calls audit.dir.`);
}

function day(text: string): string {
  const isDay = /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text));
  if (isDay) return text;
  throw new InvalidArgumentError('expected a day such as 2027-01-31.');
}

/** Null for other events, and for a line that was torn. */
function entryIn(line: string): AuditedCall | AuditedIdle | null {
  try {
    const entry = JSON.parse(line) as AuditedCall | AuditedIdle;
    return entry.event === 'call' || entry.event === 'idle' ? entry : null;
  } catch {
    return null;
  }
}

function sumNamed(sums: Map<string, Sum>, name: string): Sum {
  const sum = sums.get(name) ?? {
    requests: 0,
    errors: 0,
    prompt_tokens: 0,
    cached_tokens: 0,
    completion_tokens: 0,
    gpu_seconds: 0,
    usd: 0,
    unpriced: 0,
  };
  sums.set(name, sum);
  return sum;
}

/** A row of its own: nobody's, but of an expert and a day. */
function addIdle(sums: Map<string, Sum>, by: Group, { at, expert, gpu_seconds, usd }: AuditedIdle): void {
  const whose = by === 'expert' ? `${expert} ` : by === 'day' ? `${at.slice(0, 10)} ` : '';
  const sum = sumNamed(sums, `${whose}(idle)`);
  sum.gpu_seconds += gpu_seconds;
  sum.usd += usd;
}

function add(sums: Map<string, Sum>, name: string, call: AuditedCall): void {
  const sum = sumNamed(sums, name);
  sum.requests += 1;
  if (call.error !== null || (call.status ?? 0) >= 400) sum.errors += 1;
  sum.prompt_tokens += call.prompt_tokens ?? 0;
  sum.cached_tokens += call.cached_tokens ?? 0;
  sum.completion_tokens += call.completion_tokens ?? 0;
  sum.gpu_seconds += call.gpu_seconds ?? 0;
  sum.usd += call.usd ?? 0;
  if (call.usd === null && call.completion_tokens !== null) sum.unpriced += 1;
}

const COUNTS = ['requests', 'errors', 'prompt_tokens', 'cached_tokens', 'completion_tokens'] as const;

function head(by: Group): readonly string[] {
  return [by, ...COUNTS, 'gpu_seconds', 'usd', 'unpriced'];
}

function cells([name, sum]: [string, Sum]): readonly string[] {
  const { gpu_seconds: seconds, usd, unpriced } = sum;
  const counts = COUNTS.map((count) => String(sum[count]));
  return [printable(name), ...counts, seconds.toFixed(1), usd.toFixed(6), String(unpriced)];
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
        .join('  '),
    )
    .join('\n');
}

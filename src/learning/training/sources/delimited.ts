/** Reads delimited text (CSV, TSV) as rows, and finds the prompts in them. */
import { pipeline } from 'node:stream';
import { type CsvError, type Options, parse } from 'csv-parse';
import { parse as parseAtOnce } from 'csv-parse/sync';
import { UserError } from '../../../core/errors.ts';
import { LONGEST_LINE } from './bytes.ts';
import { isSkipped, type Looking, longestColumn, PROMPT_FIELDS } from './prompts.ts';

const DELIMITERS = [',', ';', '\t', '|'] as const;
/** Characters from which the format is detected. */
const SAMPLE = 1 << 16;

const OPTIONS: Options = {
  relax_quotes: true,
  relax_column_count: true,
  skip_empty_lines: true,
  max_record_size: LONGEST_LINE,
};

/**
 * Rows of a text that comes in pieces. The delimiter of CSV is detected, or given by a first line such as `sep=;`. TSV
 * uses tabs, and quotes only if all of them are well-formed.
 *
 * @throws UserError for a quote that is never closed
 */
export async function* delimitedRows(
  pieces: AsyncIterable<string>,
  format: 'csv' | 'tsv',
): AsyncGenerator<readonly string[]> {
  const { sample, all } = await peek(pieces);
  const declared = /^sep=(.)(?:\r\n?|\n)/.exec(sample);
  const options: Options = { ...OPTIONS, ...formOf(sample, format, declared?.[1]) };
  const parser = parse({ ...options, from: declared ? 2 : 1 });
  // An error of either reaches the loop below through the parser.
  pipeline(all, parser, () => {});
  try {
    yield* parser as AsyncIterable<readonly string[]>;
  } catch (error) {
    throw explained(error as CsvError);
  }
}

function explained(error: CsvError): Error {
  const line = Number(error.lines);
  if (error.code === 'CSV_QUOTE_NOT_CLOSED') {
    return new UserError(
      `line ${line} opens a quote that is never closed; close it, or double it within a cell`,
      {
        cause: error,
      },
    );
  }
  return error;
}

async function peek(
  pieces: AsyncIterable<string>,
): Promise<{ readonly sample: string; readonly all: AsyncIterable<string> }> {
  const rest = pieces[Symbol.asyncIterator]();
  let sample = '';
  while (sample.length < SAMPLE) {
    const next = await rest.next();
    if (next.done) break;
    sample += next.value;
  }
  const all = async function* (): AsyncGenerator<string> {
    yield sample;
    yield* { [Symbol.asyncIterator]: () => rest };
  };
  return { sample, all: all() };
}

function formOf(sample: string, format: 'csv' | 'tsv', declared: string | undefined): Options {
  if (format === 'tsv') {
    const { error } = rowsIn(sample, { delimiter: '\t', relax_quotes: false });
    const wasCut = sample.length >= SAMPLE;
    const sound = error === undefined || (wasCut && error === 'CSV_QUOTE_NOT_CLOSED');
    return { delimiter: '\t', quote: sound ? '"' : null };
  }
  if (declared) return { delimiter: declared };
  let best: { readonly delimiter: string; readonly share: number; readonly width: number } | undefined;
  for (const delimiter of DELIMITERS) {
    const { rows } = rowsIn(sample, { delimiter });
    const width = rows[0]?.length ?? 1;
    if (width < 2) continue;
    const share = rows.filter((row) => row.length === width).length / rows.length;
    if (!best || share > best.share || (share === best.share && width > best.width)) {
      best = { delimiter, share, width };
    }
  }
  // A table of one column has no delimiter.
  return { delimiter: best?.delimiter ?? '\0' };
}

function rowsIn(sample: string, options: Options): { readonly rows: string[][]; readonly error?: string } {
  const rows: string[][] = [];
  const collect = (row: string[]): null => {
    rows.push(row);
    return null;
  };
  try {
    parseAtOnce(sample, { ...OPTIONS, ...options, on_record: collect } as Options);
    return { rows };
  } catch (error) {
    return { rows, error: (error as CsvError).code };
  }
}

const LOOKED_AT = 50;

/**
 * The prompts of a table: from the named column, else from a column with a recognised header, else from the column with
 * the most text. A row with more cells than the header is broken, because its prompt could be in any of them.
 *
 * @throws UserError when there is no column of the given name
 */
export async function* tablePrompts(
  rows: AsyncIterable<readonly string[]>,
  looking: Looking,
  onBroken: (why: string) => void,
): AsyncGenerator<string> {
  const waiting: (readonly string[])[] = [];
  let column: number | undefined;
  let width = 0;
  for await (const row of rows) {
    const first = width === 0;
    if (first) {
      width = row.length;
      column = headerColumn(row, looking.field);
      if (column !== undefined) continue;
    }
    if (row.length > width)
      onBroken(`a row has ${row.length} cells where the first has ${width}: ${beginning(row)}`);
    else if (column !== undefined) yield* cellOf(row, column, looking);
    else if (waiting.push(row) >= LOOKED_AT) {
      column = longestColumn(waiting);
      for (const one of waiting.splice(0)) yield* cellOf(one, column, looking);
    }
  }
  const longest = column ?? longestColumn(waiting);
  for (const one of waiting) yield* cellOf(one, longest, looking);
}

/** Rows as records by the names in the first row; one with more cells than that is broken. */
export async function* namedRows(
  rows: AsyncIterable<readonly string[]>,
  onBroken: (why: string) => void,
): AsyncGenerator<Readonly<Record<string, string>>> {
  let names: readonly string[] | undefined;
  for await (const row of rows) {
    if (names === undefined) names = row.map((cell) => cell.trim());
    else if (row.length > names.length)
      onBroken(`a row has ${row.length} cells where the first has ${names.length}: ${beginning(row)}`);
    else yield Object.fromEntries(names.map((name, index) => [name, row[index] ?? '']));
  }
}

function beginning(row: readonly string[]): string {
  return JSON.stringify((row[0] ?? '').slice(0, 40));
}

function cellOf(row: readonly string[], column: number, looking: Looking): readonly string[] {
  const cell = row[column];
  return cell === undefined || isSkipped(row, looking) ? [] : [cell];
}

function headerColumn(row: readonly string[], field: string | undefined): number | undefined {
  const names = row.map((cell) => cell.trim().toLowerCase());
  for (const wanted of field === undefined ? PROMPT_FIELDS : [field.toLowerCase()]) {
    const index = names.indexOf(wanted);
    if (index >= 0) return index;
  }
  if (field === undefined) return undefined;
  const columns = row.map((cell) => cell.trim().slice(0, 40)).join(', ');
  throw new UserError(`there is no column '${field}'; the columns are: ${columns}`);
}

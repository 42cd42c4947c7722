/** Reads the prompts of a file in any known format. */
import { describeError, UserError } from '../../../core/errors.ts';
import { decodedPieces, type Listener, LONGEST_LINE, linesOf } from './bytes.ts';
import { delimitedRows, namedRows, tablePrompts } from './delimited.ts';
import type { SourceFile } from './files.ts';
import { jsonValue, jsonValuesIn } from './json.ts';
import { fieldsOf, type Looking, promptsOf } from './prompts.ts';

export interface ReadOptions extends Looking, Listener {
  /** Called for every record that cannot be read, with why. */
  readonly onBroken?: (path: string, why: string) => void;
}

/**
 * The prompts of one file, in its order.
 *
 * @throws UserError when the file as a whole cannot be read, or no record has the named field
 */
export async function* readPrompts(file: SourceFile, options: ReadOptions): AsyncGenerator<string> {
  try {
    yield* promptsByFormat(file, options);
  } catch (error) {
    const { message } =
      error instanceof UserError ? error : { message: `Cannot read it: ${describeError(error)}` };
    throw new UserError(`${file.path}: ${message}`, { cause: error });
  }
}

/**
 * The records of one file, whatever is in them: objects of JSON and Parquet, rows of a table by the names in its first
 * row. Lists of objects inside a JSON value count as records.
 *
 * @throws UserError when the file as a whole cannot be read, or is plain text, which has no fields
 */
export async function* readRecords(
  file: SourceFile,
  options: Pick<ReadOptions, 'onBroken' | 'onNotice' | 'onBytes'>,
): AsyncGenerator<Readonly<Record<string, unknown>>> {
  try {
    for await (const value of recordsByFormat(file, options)) yield* objectsIn(value);
  } catch (error) {
    const { message } =
      error instanceof UserError ? error : { message: `Cannot read it: ${describeError(error)}` };
    throw new UserError(`${file.path}: ${message}`, { cause: error });
  }
}

function recordsByFormat(file: SourceFile, options: ReadOptions): AsyncIterable<unknown> {
  switch (file.format) {
    case 'csv':
    case 'tsv': {
      const onBroken = (why: string): void => options.onBroken?.(file.path, why);
      return namedRows(delimitedRows(decodedPieces(file, options), file.format), onBroken);
    }
    case 'parquet':
      return parquetValues(file, options);
    case 'json':
      return jsonFileValues(file, options);
    case 'jsonl':
      return jsonLineValues(file, options);
    case 'text':
      if (file.path === '-') return jsonLineValues(file, options);
      throw new UserError(
        'it is plain text, which has no fields; needed are JSON lines, CSV, TSV or Parquet',
      );
  }
}

function* objectsIn(value: unknown): Generator<Readonly<Record<string, unknown>>> {
  if (Array.isArray(value)) for (const one of value) yield* objectsIn(one);
  else if (typeof value === 'object' && value !== null) yield value as Readonly<Record<string, unknown>>;
}

async function* promptsByFormat(file: SourceFile, options: ReadOptions): AsyncGenerator<string> {
  switch (file.format) {
    case 'csv':
    case 'tsv': {
      const onBroken = (why: string): void => options.onBroken?.(file.path, why);
      return yield* tablePrompts(delimitedRows(decodedPieces(file, options), file.format), options, onBroken);
    }
    case 'parquet':
      return yield* recordPrompts(parquetValues(file, options), file, options);
    case 'json':
      return yield* recordPrompts(jsonFileValues(file, options), file, options);
    case 'jsonl':
      return yield* recordPrompts(jsonLineValues(file, options), file, options);
    case 'text':
      return yield* textPrompts(file, options);
  }
}

/** The prompts of records. @throws UserError when the named field is in none of them */
async function* recordPrompts(
  records: AsyncIterable<unknown>,
  file: SourceFile,
  options: ReadOptions,
): AsyncGenerator<string> {
  const { field, skipLabels = [] } = options;
  const fields = new Set<string>();
  let found = false;
  for await (const record of records) {
    const prompts = promptsOf(record, options);
    if (prompts.length > 0) found = true;
    else if (skipLabels.length === 0) options.onBroken?.(file.path, 'no prompt found in the record');
    if (field !== undefined && !found) for (const name of fieldsOf(record)) fields.add(name);
    yield* prompts;
  }
  if (field === undefined || found || fields.has(field) || fields.size === 0) return;
  throw new UserError(`there is no field '${field}'; the fields are: ${[...fields].slice(0, 40).join(', ')}`);
}

async function* parquetValues(file: SourceFile, { onBytes }: ReadOptions): AsyncGenerator<unknown> {
  if (file.compression !== 'none')
    throw new UserError('decompress it first; Parquet files are compressed inside');
  const { parquetRecords } = await import('./parquet.ts');
  yield* parquetRecords(file.path, (share) => onBytes?.(Math.round(share * file.bytes)));
}

/** One JSON value, or several, as many data sets' `.json` files have. */
async function* jsonFileValues(file: SourceFile, options: ReadOptions): AsyncGenerator<unknown> {
  const text = await whole(decodedPieces(file, options));
  try {
    yield jsonValue(text);
  } catch (error) {
    if (!/\n[^\S\n]*[{[]/.test(text)) throw error;
    const lines = filled(linesOf(once(text), () => {}));
    yield* jsonValuesIn(lines, (why) => options.onBroken?.(file.path, why));
  }
}

async function* jsonLineValues(file: SourceFile, options: ReadOptions): AsyncGenerator<unknown> {
  yield* jsonValuesIn(linesIn(file, options), (why) => options.onBroken?.(file.path, why));
}

/** One prompt per line; for standard input, which has no file name, the first line decides the format. */
async function* textPrompts(file: SourceFile, options: ReadOptions): AsyncGenerator<string> {
  const lines = linesIn(file, options);
  if (file.path === '-') {
    const first = await lines.next();
    if (first.done) return;
    const all = prepended(first.value, lines);
    if (/^\s*[{[]/.test(first.value)) {
      const values = jsonValuesIn(all, (why) => options.onBroken?.(file.path, why));
      yield* recordPrompts(values, file, options);
    } else yield* all;
    return;
  }
  yield* lines;
}

function linesIn(file: SourceFile, options: ReadOptions): AsyncGenerator<string> {
  const onTooLong = (): void =>
    options.onBroken?.(file.path, `a line is longer than ${LONGEST_LINE >> 20} MiB`);
  return filled(linesOf(decodedPieces(file, options), onTooLong));
}

/** Lines with something on them. */
async function* filled(lines: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const line of lines) if (line.trim() !== '') yield line;
}

async function* prepended(first: string, rest: AsyncIterable<string>): AsyncGenerator<string> {
  yield first;
  yield* rest;
}

async function* once(text: string): AsyncGenerator<string> {
  yield text;
}

async function whole(pieces: AsyncIterable<string>): Promise<string> {
  const all: string[] = [];
  for await (const piece of pieces) all.push(piece);
  return all.join('');
}

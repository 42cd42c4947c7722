/**
 * Reads prompts out of a file of any known kind, counting what was broken. It knows nothing of what becomes of the
 * prompts.
 */
import { describeError, UserError } from '../../../core/errors.ts';
import { decodedPieces, LONGEST_LINE, linesOf } from './bytes.ts';
import { delimitedRows, tablePrompts } from './delimited.ts';
import type { SourceFile } from './files.ts';
import { parquetRecords } from './parquet.ts';
import { type Looking, promptsOf } from './prompts.ts';

export interface ReadOptions extends Looking {
  /** Called as bytes are read from disk. */
  readonly onBytes?: (count: number) => void;
  /** Called for every record that cannot be read, with why. */
  readonly onBroken?: (path: string, why: string) => void;
}

/** The prompts of one file, in its order. Throws UserError when the file as a whole cannot be read. */
export async function* readPrompts(file: SourceFile, options: ReadOptions): AsyncGenerator<string> {
  try {
    yield* promptsByFormat(file, options);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`Cannot read ${file.path}: ${describeError(error)}`, { cause: error });
  }
}

async function* promptsByFormat(file: SourceFile, options: ReadOptions): AsyncGenerator<string> {
  switch (file.format) {
    case 'csv':
      return yield* tablePrompts(delimitedRows(decodedPieces(file, options.onBytes), ','), options);
    case 'tsv':
      return yield* tablePrompts(delimitedRows(decodedPieces(file, options.onBytes), '\t'), options);
    case 'json':
      return yield* jsonPrompts(file, await whole(decodedPieces(file, options.onBytes)), options);
    case 'parquet':
      return yield* parquetPrompts(file, options);
    default:
      return yield* linePrompts(file, decodedPieces(file, options.onBytes), options);
  }
}

async function* parquetPrompts(file: SourceFile, options: ReadOptions): AsyncGenerator<string> {
  if (file.compression !== 'none')
    throw new UserError(`${file.path}: unpack it first; Parquet compresses inside`);
  const onShare = (share: number): void => options.onBytes?.(Math.round(share * file.bytes));
  for await (const record of parquetRecords(file.path, onShare)) {
    const prompts = promptsOf(record, options);
    if (prompts.length === 0 && !options.skipLabels?.length)
      options.onBroken?.(file.path, 'no prompt found in the row');
    yield* prompts;
  }
}

async function* linePrompts(
  file: SourceFile,
  pieces: AsyncIterable<string>,
  options: ReadOptions,
): AsyncGenerator<string> {
  const onTooLong = (): void =>
    options.onBroken?.(file.path, `a line is longer than ${LONGEST_LINE >> 20} MiB`);
  // Standard input has no name to tell its format by; its first line does.
  let json = file.format !== 'text';
  let first = true;
  for await (const raw of linesOf(pieces, onTooLong)) {
    const line = first ? raw.replace(/^\ufeff/, '') : raw;
    if (first && file.path === '-') json = /^\s*[{[]/.test(line);
    first = false;
    if (line.trim() === '') continue;
    if (json) yield* recordPrompts(file, line, options);
    else yield line;
  }
}

function* recordPrompts(file: SourceFile, line: string, options: ReadOptions): Generator<string> {
  let record: unknown;
  try {
    record = JSON.parse(line);
  } catch (error) {
    options.onBroken?.(file.path, describeError(error));
    return;
  }
  const prompts = promptsOf(record, options);
  if (prompts.length === 0 && !options.skipLabels?.length)
    options.onBroken?.(file.path, 'no prompt found in the record');
  yield* prompts;
}

/** One JSON value, or, as data sets often have it under this name, one value a line. */
async function* jsonPrompts(file: SourceFile, text: string, options: ReadOptions): AsyncGenerator<string> {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\ufeff/, ''));
  } catch (error) {
    if (!/\n\s*[{[]/.test(text)) throw error;
    yield* linePrompts(file, once(text), options);
    return;
  }
  yield* promptsOf(value, options);
}

async function* once(text: string): AsyncGenerator<string> {
  yield text;
}

async function whole(pieces: AsyncIterable<string>): Promise<string> {
  const all: string[] = [];
  for await (const piece of pieces) all.push(piece);
  return all.join('');
}

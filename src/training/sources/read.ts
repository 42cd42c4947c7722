/**
 * Reads prompts out of files of every known kind, one after the other, counting what was broken. It knows nothing of
 * what becomes of the prompts.
 */
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { describeError, UserError } from '../../core/errors.ts';
import { delimitedRows, tablePrompts } from './delimited.ts';
import type { SourceFile } from './files.ts';
import { promptsOf } from './prompts.ts';

export interface ReadOptions {
  /** Field or column that holds the prompt, when the usual names do not fit. */
  readonly field?: string;
  /** Called as bytes are read from disk. */
  readonly onBytes?: (count: number) => void;
  /** Called for every record that cannot be read, with the first words of why. */
  readonly onBroken?: (path: string, why: string) => void;
}

/** The prompts of one file, in its order. Throws UserError when the file as a whole cannot be read. */
export async function* readPrompts(file: SourceFile, options: ReadOptions): AsyncGenerator<string> {
  try {
    const pieces = decoded(file, options);
    if (file.format === 'csv' || file.format === 'tsv') {
      yield* tablePrompts(delimitedRows(pieces, file.format === 'csv' ? ',' : '\t'), options.field);
    } else if (file.format === 'json') yield* jsonPrompts(file, await whole(pieces), options);
    else yield* linePrompts(file, pieces, options);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`Cannot read ${file.path}: ${describeError(error)}`, { cause: error });
  }
}

async function* linePrompts(
  file: SourceFile,
  pieces: AsyncIterable<string>,
  options: ReadOptions,
): AsyncGenerator<string> {
  for await (const line of lines(pieces)) {
    if (line.trim() === '') continue;
    if (file.format === 'text') {
      yield line;
      continue;
    }
    let record: unknown;
    try {
      record = JSON.parse(line);
    } catch (error) {
      options.onBroken?.(file.path, describeError(error));
      continue;
    }
    const prompts = promptsOf(record, options.field);
    if (prompts.length === 0) options.onBroken?.(file.path, 'no prompt found in the record');
    yield* prompts;
  }
}

async function* decoded(file: SourceFile, options: ReadOptions): AsyncGenerator<string> {
  let stream: Readable =
    file.path === '-' ? process.stdin : createReadStream(file.path, { highWaterMark: 1 << 18 });
  if (options.onBytes) stream.on('data', (chunk: Buffer) => options.onBytes?.(chunk.length));
  if (file.compression === 'gzip') {
    const unzip = createGunzip();
    stream.on('error', (error) => unzip.destroy(error));
    stream = stream.pipe(unzip);
  }
  const decoder = new TextDecoder('utf-8');
  for await (const chunk of stream) yield decoder.decode(chunk as Buffer, { stream: true });
  yield decoder.decode();
}

async function* lines(pieces: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = '';
  for await (const piece of pieces) {
    const parts = (rest + piece).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) yield part.endsWith('\r') ? part.slice(0, -1) : part;
  }
  if (rest !== '') yield rest;
}

async function whole(pieces: AsyncIterable<string>): Promise<string> {
  const all: string[] = [];
  for await (const piece of pieces) all.push(piece);
  return all.join('');
}

/** One JSON value, or, as data sets often have it under this name, one value a line. */
async function* jsonPrompts(file: SourceFile, text: string, options: ReadOptions): AsyncGenerator<string> {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\ufeff/, ''));
  } catch (error) {
    if (!text.trimStart().includes('\n{')) throw error;
    yield* linePrompts(file, once(text), options);
    return;
  }
  yield* promptsOf(value, options.field);
}

async function* once(text: string): AsyncGenerator<string> {
  yield text;
}

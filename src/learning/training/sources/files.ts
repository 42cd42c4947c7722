/** Finds the files to read below the given paths, and recognises their formats by name. */
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { UserError } from '../../../core/errors.ts';

export type Format = 'jsonl' | 'json' | 'csv' | 'tsv' | 'text' | 'parquet';
export type Compression = 'gzip' | 'zstd' | 'none';

export interface SourceFile {
  /** Path, or `-` for standard input. */
  readonly path: string;
  readonly format: Format;
  readonly compression: Compression;
  /** What `--per-source` counts by: the folder a file lies in, or the file itself when it was named. */
  readonly source: string;
  readonly bytes: number;
}

const FORMATS: Readonly<Record<string, Format>> = {
  jsonl: 'jsonl',
  ndjson: 'jsonl',
  json: 'json',
  csv: 'csv',
  tsv: 'tsv',
  txt: 'text',
  md: 'text',
  log: 'text',
  parquet: 'parquet',
};

const COMPRESSIONS: Readonly<Record<string, Compression>> = { gz: 'gzip', zst: 'zstd' };

/** In the order given, folders sorted by name. @throws UserError for a path that is missing or has no known format */
export async function findSources(
  paths: readonly string[],
  exclude: readonly string[],
): Promise<SourceFile[]> {
  const found: SourceFile[] = [];
  for (const path of paths) {
    if (path === '-')
      found.push({ path, format: 'text', compression: 'none', source: 'standard input', bytes: 0 });
    else await addPath(path, true, new Set(exclude), found);
  }
  if (found.length === 0) {
    throw new UserError(
      `No file to read in ${paths.join(', ')}: .jsonl, .json, .csv, .tsv, .txt, .parquet, also .gz or .zst`,
    );
  }
  return found;
}

async function addPath(
  path: string,
  named: boolean,
  exclude: ReadonlySet<string>,
  found: SourceFile[],
): Promise<void> {
  if (exclude.has(basename(path))) return;
  const info = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw new UserError(error.code === 'ENOENT' ? `No such file or folder: ${path}` : `Cannot read ${path}`, {
      cause: error,
    });
  });
  if (info.isDirectory()) {
    const entries = (await readdir(path)).filter((name) => !name.startsWith('.')).sort();
    for (const entry of entries) await addPath(join(path, entry), false, exclude, found);
    return;
  }
  const kind = kindOf(path);
  if (kind) found.push({ path, ...kind, source: named ? path : dirname(path), bytes: info.size });
  else if (named)
    throw new UserError(`${path} has no known format; known extensions: ${Object.keys(FORMATS).join(', ')}`);
}

function kindOf(path: string): { format: Format; compression: Compression } | undefined {
  const extensions = basename(path).toLowerCase().split('.').slice(1);
  const compression = COMPRESSIONS[extensions.at(-1) ?? ''];
  if (compression) extensions.pop();
  const format = FORMATS[extensions.at(-1) ?? ''];
  return format ? { format, compression: compression ?? 'none' } : undefined;
}

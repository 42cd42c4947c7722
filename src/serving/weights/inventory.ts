/** What lies in the weights part of the cache, and whether each file still has the checksum it came with. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { DEFAULT_WEIGHTS } from './catalog.ts';
import { sha256Of } from './download.ts';

export interface CachedFile {
  /** Relative to the weights folder. */
  readonly name: string;
  readonly bytes: number;
  readonly state: 'pinned' | 'as fetched' | 'damaged' | 'unknown' | 'partial';
}

export async function listWeights(cacheFolder: string): Promise<readonly CachedFile[]> {
  const root = join(cacheFolder, 'weights');
  const found = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => []);
  const paths = found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const wanted = paths.filter((path) => /\.(gguf|partial)$/i.test(path)).sort();
  return Promise.all(
    wanted.map(async (path) => ({
      name: relative(root, path),
      bytes: (await stat(path)).size,
      state: await stateOf(path),
    })),
  );
}

async function stateOf(path: string): Promise<CachedFile['state']> {
  if (path.endsWith('.partial')) return 'partial';
  const actual = await sha256Of(path);
  if (actual === DEFAULT_WEIGHTS.sha256) return 'pinned';
  const noted = await readFile(`${path}.sha256`, 'utf8').catch(() => '');
  if (noted.trim() === '') return 'unknown';
  return noted.trim() === actual ? 'as fetched' : 'damaged';
}

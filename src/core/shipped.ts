/** Locates the files that ship with the package, whether it runs from dist, from a checkout or in a benchmark. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = packageRoot(dirname(fileURLToPath(import.meta.url)));

/** The absolute path of a shipped file. @param path relative to the package's root */
export const shipped = (path: string): string => join(ROOT, path);

export function version(): string {
  return (JSON.parse(readFileSync(shipped('package.json'), 'utf8')) as { version: string }).version;
}

function packageRoot(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : packageRoot(dirname(folder));
}

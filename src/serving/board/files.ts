/** The dashboard's own files, as the build left them: read once, sent whole. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { RouterError } from '../../core/errors.ts';
import { shipped } from '../../core/shipped.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** A page may load, ask and run only what comes from this address, and nobody may frame it. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; frame-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};

export interface PageFile {
  readonly type: string;
  readonly bytes: Buffer;
  readonly gzipped: Buffer;
  /** Its name changes with its content. */
  readonly forever: boolean;
}

export interface PageFiles {
  /** By name below `/ui/`; the page itself is `index.html`. */
  readonly files: ReadonlyMap<string, PageFile>;
  /** Name of the page's script, which changes with every build. */
  readonly build: string;
}

let read: PageFiles | null = null;

/** @throws RouterError `not_found` where the dashboard was not built */
export function pageFiles(folder: string = shipped('dist/ui')): PageFiles {
  if (read) return read;
  if (!existsSync(join(folder, 'index.html')))
    throw new RouterError('not_found', 'The dashboard is not built here; build it with: npm run build');
  const files = new Map<string, PageFile>();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const type = TYPES[extname(entry.name)];
    if (!entry.isFile() || type === undefined) continue;
    const bytes = readFileSync(join(entry.parentPath, entry.name));
    files.set(entry.name, {
      type,
      bytes,
      gzipped: gzipSync(bytes, { level: 9 }),
      forever: entry.name !== 'index.html',
    });
  }
  const page = files.get('index.html')!.bytes.toString();
  const build = / src="([^"]*)"/.exec(page)?.[1]?.split('/').at(-1) ?? '';
  read = { files, build };
  return read;
}

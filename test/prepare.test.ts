/** scripts/prepare.js in a checkout of stubs: programs that are started at once, and one that runs while another builds. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';

const SCRIPT = join(import.meta.dirname, '..', 'scripts', 'prepare.js');
/** Takes a while, notes that it ran, and writes what a compiler would. */
const STUB = `const at = process.argv.indexOf('--outDir');
setTimeout(() => {
  require('node:fs').writeFileSync(require('node:path').join(process.argv[at + 1], 'index.js'), '');
  require('node:fs').appendFileSync('ran', process.argv[1].includes('vite') ? 'page ' : 'sources ');
}, 300);`;

let checkout: string;
const file = (...names: readonly string[]): string => join(checkout, ...names);

function write(text: string, ...names: readonly string[]): void {
  mkdirSync(dirname(file(...names)), { recursive: true });
  writeFileSync(file(...names), text);
}

beforeEach(() => {
  checkout = mkdtempSync(join(tmpdir(), 'prepare-'));
  mkdirSync(file('scripts'));
  copyFileSync(SCRIPT, file('scripts', 'prepare.js'));
  write('{"type": "module"}', 'scripts', 'package.json');
  write('{}', 'package-lock.json');
  write(createHash('sha256').update('{}').digest('hex'), 'node_modules', '.installed');
  for (const bin of ['typescript/bin/tsc', 'vite/bin/vite.js'])
    write(STUB, 'node_modules', ...bin.split('/'));
  for (const name of ['tsconfig.build.json', 'tsconfig.json']) write('{}', name);
  write('export {};', 'src', 'index.ts');
  write('', 'ui', 'vite.config.ts');
});
afterEach(() => rmSync(checkout, { recursive: true }));

function prepare(): Promise<number | null> {
  const child = spawn(process.execPath, [file('scripts', 'prepare.js')], { stdio: 'ignore' });
  return new Promise((resolve) => child.on('exit', resolve));
}

const ran = (): string => readFileSync(file('ran'), 'utf8').trim();

it('builds once for programs that are started at once', async () => {
  expect(await Promise.all([prepare(), prepare(), prepare()])).toEqual([0, 0, 0]);
  expect(ran()).toBe('sources page');
  expect(await prepare()).toBe(0);
  expect(ran()).toBe('sources page');
});

it('leaves the old build in its place until the new one is whole', async () => {
  await prepare();
  appendFileSync(file('src', 'index.ts'), '// changed\n');
  write('', 'dist', 'of-a-deleted-source.js');
  let ended = false;
  const done = prepare().finally(() => {
    ended = true;
  });
  let looked = 0;
  let missed = 0;
  while (!ended) {
    looked += Number(existsSync(file('dist', 'index.js')) && existsSync(file('dist', 'ui', 'index.js')));
    await new Promise((resolve) => setTimeout(resolve, 10));
    missed += Number(!existsSync(file('dist', 'index.js')));
  }
  expect(await done).toBe(0);
  expect(looked).toBeGreaterThan(5);
  expect(missed).toBeLessThanOrEqual(1); // between two renames
  expect(ran()).toBe('sources page sources');
  expect(existsSync(file('dist', 'of-a-deleted-source.js'))).toBe(false);
});

it('takes over from a program that was killed while it built', async () => {
  write('4194304', '.cache', 'preparing'); // above the highest number of a process
  expect(await prepare()).toBe(0);
  expect(existsSync(file('.cache', 'preparing'))).toBe(false);
});

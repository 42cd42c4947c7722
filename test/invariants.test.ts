/** docs/invariants.md and the tests that name an invariant agree. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..');

function testFiles(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => join(ROOT, folder, name));
}

it('every invariant of docs/invariants.md is named by a test, and no other is', () => {
  const page = readFileSync(join(ROOT, 'docs', 'invariants.md'), 'utf8');
  const stated = [...page.matchAll(/^(\d+)\. \*\*/gm)].map((match) => Number(match[1]));
  const named = [...testFiles('src'), ...testFiles('test')].flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/['"]invariant (\d+):/g)].map((match) => Number(match[1])),
  );
  expect(stated).toEqual(Array.from({ length: stated.length }, (_, index) => index + 1));
  expect([...new Set(named)].toSorted((a, b) => a - b)).toEqual(stated);
});

import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { engineDamage, sealEngine } from './engine-seal.ts';

const ENTRY = join('dist', 'index.js');

async function installed(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'engine-'));
  await mkdir(join(folder, 'dist'));
  await writeFile(join(folder, ENTRY), 'export {};');
  await writeFile(join(folder, 'engine.node'), Buffer.alloc(300_000, 1));
  await writeFile(join(folder, 'README.md'), 'text');
  return folder;
}

it('an engine is whole while its entry and its binaries are, and says what is not', async () => {
  const folder = await installed();
  expect(await engineDamage(folder, ENTRY)).toBeNull();
  await sealEngine(folder, ENTRY);
  await rm(join(folder, 'README.md'));
  expect(await engineDamage(folder, ENTRY)).toBeNull();
  await truncate(join(folder, 'engine.node'), 200_000);
  expect(await engineDamage(folder, ENTRY)).toBe('engine.node has changed');
  await rm(join(folder, 'engine.node'));
  expect(await engineDamage(folder, ENTRY)).toBe('engine.node is missing');
  await truncate(join(folder, 'seals.json'), 10);
  expect(await engineDamage(folder, ENTRY)).toBe('seals.json is cut short');
});

/** The folder tree is the architecture: which folder may import which is data, and this test holds the code to it. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

const SRC = join(import.meta.dirname, '..', 'src');

/** Folder → the folders it may import from, itself aside. `cli` composes, so it may import everything. */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  core: [],
  text: ['core'],
  embedding: ['core', 'text'],
  clustering: ['core'],
  model: ['core', 'text', 'embedding', 'clustering'],
  routing: ['core', 'text', 'model'],
  weights: ['core'],
  wire: ['core'],
  engines: ['core', 'wire'],
  experts: ['core', 'weights', 'wire', 'engines'],
  emulator: ['core', 'experts', 'simulator'],
  config: ['core', 'experts', 'routing'],
  fleet: ['core', 'experts', 'routing'],
  telemetry: ['core'],
  workers: ['core', 'fleet'],
  gateway: ['core', 'text', 'model', 'routing', 'experts', 'fleet', 'telemetry'],
  http: ['core', 'text', 'model', 'experts', 'fleet', 'gateway', 'telemetry'],
  training: ['core', 'text', 'embedding', 'clustering', 'model', 'report'],
  workload: ['core'],
  loadtest: ['core', 'workload'],
  simulator: ['core', 'routing', 'workload'],
  planner: ['core', 'simulator'],
  report: ['core'],
};

/** Folders that compute and nothing else: no file system, no network, no clock, no environment. */
const PURE = ['text', 'embedding', 'clustering', 'routing', 'workload', 'simulator', 'planner', 'report'];

const files = walk(SRC).filter((file) => file.endsWith('.ts') && !/\.(test|contract)\.ts$/.test(file));

function walk(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? walk(path) : [path];
  });
}

function importsOf(file: string): string[] {
  const source = readFileSync(file, 'utf8');
  return [...source.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => match[1]!);
}

const folderOf = (file: string): string => relative(SRC, file).split('/')[0]!;

describe('layering', () => {
  it('reads the imports it judges', () => {
    expect(files.length).toBeGreaterThan(10);
    expect(files.flatMap(importsOf).length).toBeGreaterThan(files.length);
  });

  it.each(files.map((file) => relative(SRC, file)))('%s imports only what its folder may', (name) => {
    const file = join(SRC, name);
    const folder = folderOf(file);
    if (folder === 'cli') return;
    const allowed = LAYERS[folder];
    expect(allowed, `folder ${folder}/ is not in the table`).toBeDefined();
    const foreign = importsOf(file)
      .filter((specifier) => specifier.startsWith('.'))
      .map((specifier) => folderOf(join(dirname(file), specifier)))
      .filter((target) => target !== folder && !allowed!.includes(target));
    expect(foreign).toEqual([]);
  });

  it.each(files.filter((file) => PURE.includes(folderOf(file))).map((file) => relative(SRC, file)))(
    '%s is pure',
    (name) => {
      const source = readFileSync(join(SRC, name), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
      expect(importsOf(join(SRC, name)).filter((specifier) => specifier.startsWith('node:'))).toEqual([]);
      expect(source).not.toMatch(/\bDate\.now\b|\bMath\.random\b|\bprocess\.|\bperformance\.now\b|\bfetch\(/);
    },
  );
});

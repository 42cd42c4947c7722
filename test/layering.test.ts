/** The folder tree is the architecture: which folder may import which is data, and this test holds the code to it. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

const SRC = join(import.meta.dirname, '..', 'src');

interface Layer {
  /** The folders it may import from, itself aside; `cli` composes, so it may import everything. */
  readonly imports: readonly string[] | 'everything';
  /** It computes and nothing else: no file system, no network, no clock, no environment. */
  readonly pure: boolean;
}

const LAYERS = JSON.parse(readFileSync(join(SRC, 'layers.json'), 'utf8')) as Readonly<Record<string, Layer>>;

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

function neighboursOf(file: string): string[] {
  return importsOf(file)
    .filter((specifier) => specifier.startsWith('.'))
    .map((specifier) => join(dirname(file), specifier));
}

/** Sets of files of which each reaches every other, types included (Tarjan 1972). */
function circles(): string[][] {
  const found: string[][] = [];
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const open: string[] = [];
  const visit = (file: string): number => {
    const known = order.get(file);
    if (known !== undefined) return open.includes(file) ? known : Number.POSITIVE_INFINITY;
    const own = order.size;
    order.set(file, own);
    open.push(file);
    const low = Math.min(own, ...neighboursOf(file).map((next) => Math.min(visit(next), lowestOf(next))));
    lowest.set(file, low);
    if (low === own) {
      const circle = open.splice(open.indexOf(file));
      if (circle.length > 1) found.push(circle);
    }
    return own;
  };
  const lowestOf = (file: string): number =>
    open.includes(file) ? (lowest.get(file) ?? order.get(file)!) : Number.POSITIVE_INFINITY;
  for (const file of files) visit(file);
  return found;
}

/** The deepest folder of the table that holds a file. */
function roomOf(file: string): string | undefined {
  const path = relative(SRC, file);
  return Object.keys(LAYERS)
    .filter((room) => path.startsWith(`${room}/`))
    .reduce<string | undefined>(
      (deepest, room) => (room.length > (deepest?.length ?? 0) ? room : deepest),
      undefined,
    );
}

const isFace = (file: string): boolean => !relative(SRC, file).includes('/');

describe('layering', () => {
  it('reads the imports it judges', () => {
    expect(files.length).toBeGreaterThan(10);
    expect(files.flatMap(importsOf).length).toBeGreaterThan(files.length);
  });

  it.each(files.filter((file) => !isFace(file)).map((file) => relative(SRC, file)))(
    '%s imports only what its folder may',
    (name) => {
      const file = join(SRC, name);
      const room = roomOf(file);
      expect(room, `${name} is in no folder of src/layers.json`).toBeDefined();
      const { imports } = LAYERS[room!]!;
      if (imports === 'everything') return;
      const foreign = neighboursOf(file)
        .map((target) => roomOf(target) ?? relative(SRC, target))
        .filter((target) => target !== room && !imports.includes(target));
      expect(foreign).toEqual([]);
    },
  );

  it.each(Object.keys(LAYERS))('%s may import nothing that it does not', (room) => {
    const { imports } = LAYERS[room]!;
    if (imports === 'everything') return;
    const used = new Set(
      files.filter((file) => roomOf(file) === room).flatMap((file) => neighboursOf(file).map(roomOf)),
    );
    expect(imports.filter((permitted) => !used.has(permitted))).toEqual([]);
  });

  it('no files import each other, however many stand between them', () => {
    expect(circles().map((circle) => circle.map((file) => relative(SRC, file)))).toEqual([]);
  });

  it.each(files.filter((file) => LAYERS[roomOf(file) ?? '']?.pure).map((file) => relative(SRC, file)))(
    '%s is pure',
    (name) => {
      const source = readFileSync(join(SRC, name), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
      expect(importsOf(join(SRC, name)).filter((specifier) => specifier.startsWith('node:'))).toEqual([]);
      expect(source).not.toMatch(/\bDate\.now\b|\bMath\.random\b|\bprocess\.|\bperformance\.now\b|\bfetch\(/);
    },
  );

  it('ARCHITECTURE.md shows the table as it is', () => {
    const check = spawnSync(process.execPath, [join(SRC, '..', 'scripts', 'architecture.js'), '--check']);
    expect(String(check.stderr)).toBe('');
    expect(check.status).toBe(0);
  });
});

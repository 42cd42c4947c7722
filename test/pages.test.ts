/** The pages of the project: nothing points at what is not there, lists are whole, and forms are sound. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';

const ROOT = join(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const markdownIn = (folder: string): string[] =>
  readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name));
const PAGES = [...markdownIn('.'), ...markdownIn('docs')];

it.each(PAGES)('%s links only to existing files and headings', (page) => {
  const links = [...read(page).matchAll(/\]\((?!https?:)([^)#\s]+)/g)].map((match) => match[1]!);
  expect(links.filter((link) => !existsSync(join(ROOT, dirname(page), link)))).toEqual([]);
});

it('the index of docs/ leads to every page in it', () => {
  const index = read('docs/README.md');
  const pages = markdownIn('docs').map((path) => path.slice('docs/'.length));
  expect(pages.filter((page) => page !== 'README.md' && !index.includes(`](${page})`))).toEqual([]);
  const order = ['## What it is', '## How to', '## Reference'].map((heading) => index.indexOf(heading));
  expect(order).toEqual(order.toSorted((a, b) => a - b));
});

it('every picture shown exists, and every existing one is shown', () => {
  const shown = PAGES.flatMap((page) => [...read(page).matchAll(/!\[[^\]]+\]\(pictures\/([^)]+)\)/g)]).map(
    (m) => m[1]!,
  );
  expect(shown.toSorted()).toEqual(readdirSync(join(ROOT, 'docs', 'pictures')).toSorted());
});

describe('docs/dependencies.md', () => {
  const page = read('docs/dependencies.md');
  const rows = (heading: string): string[][] =>
    page
      .split('\n## ')
      .find((section) => section.startsWith(heading))!
      .split('\n')
      .filter((line) => /^\| [^-]/.test(line))
      .slice(1)
      .map((line) =>
        line
          .split('|')
          .slice(1, -1)
          .map((cell) => cell.trim().replaceAll('`', '')),
      );
  const { dependencies, devDependencies } = JSON.parse(read('package.json')) as Record<
    string,
    Record<string, string>
  >;

  it.each([
    ['Packages the product needs', dependencies],
    ['Packages for development', devDependencies],
  ])('%s: as in package.json, each with a reason and an exact version', (heading, packages) => {
    expect(rows(heading).map(([name]) => name)).toEqual(Object.keys(packages!).toSorted());
    for (const row of rows(heading)) for (const cell of row) expect(cell).not.toBe('');
    for (const version of Object.values(packages!)) expect(version).toMatch(/^\d+\.\d+\.\d+$/);
  });

  it('says where hand-written parts are', () => {
    const written = rows('Written by hand');
    expect(written.length).toBeGreaterThan(7);
    for (const [, where] of written) expect(existsSync(join(ROOT, where!)), where).toBe(true);
  });
});

describe('.github', () => {
  const text = z.strictObject({
    id: z.string().regex(/^[a-z-]+$/),
    type: z.enum(['textarea', 'dropdown']),
    attributes: z.strictObject({
      label: z.string(),
      description: z.string().optional(),
      render: z.string().optional(),
      options: z.array(z.string()).min(2).optional(),
    }),
    validations: z.strictObject({ required: z.boolean() }).optional(),
  });
  const form = z.strictObject({
    name: z.string(),
    description: z.string(),
    labels: z.array(z.string()),
    body: z.array(text).min(1),
  });

  it.each(['bug', 'idea'])('the issue form %s is valid', (name) => {
    const { body } = form.parse(parse(read(`.github/ISSUE_TEMPLATE/${name}.yml`)));
    expect(new Set(body.map(({ id }) => id)).size).toBe(body.length);
  });

  it('CI runs on the oldest Node that is supported, with rights to read alone', () => {
    const ci = parse(read('.github/workflows/ci.yml')) as {
      permissions: unknown;
      jobs: Record<string, { steps: { run?: string }[]; strategy?: { matrix: { node: string[] } } }>;
    };
    const { engines, scripts } = JSON.parse(read('package.json'));
    expect(ci.permissions).toEqual({ contents: 'read' });
    expect(ci.jobs.test!.strategy!.matrix.node.map((one) => `>=${one}`)).toContain(engines.node);
    const commands = Object.values(ci.jobs).flatMap(({ steps }) => steps.flatMap(({ run }) => run ?? []));
    expect(existsSync(join(ROOT, commands.find((one) => one.startsWith('.ci/'))!))).toBe(true);
    for (const [, script] of commands.join('\n').matchAll(/npm run ([\w:]+)/g))
      expect(scripts).toHaveProperty(script!);
  });
});

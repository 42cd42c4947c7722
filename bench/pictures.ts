/**
 * Takes the documentation's pictures of the dashboard: `npm run pictures`. A real Chromium at a gateway with the eight experts
 * of `serve`, emulated, under light load. With `--views FOLDER` it takes every view instead, narrow to wide, light, dark and
 * in Japanese, to be looked at: first before anything has been asked, then while something is wrong: experts are short of
 * places and fail some requests, one is killed and one drained.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type Browser, chromium, type Page } from 'playwright-core';
import { parse, stringify } from 'yaml';
import type { Row } from '../src/serving/board/wire.ts';
import { newKey } from '../src/serving/front/auth.ts';
import { startExperts } from './kit/candidates.ts';
import { Bench, listening } from './kit/processes.ts';

const { values } = parseArgs({
  options: {
    views: { type: 'string' },
    /** Of these pictures, those whose name (`now-360-dark`) has one of these words, with commas. */
    only: { type: 'string', default: '' },
    /** Of load before the first picture. */
    seconds: { type: 'string', default: '75' },
    chromium: { type: 'string', default: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium' },
  },
});

interface ExpertYaml {
  readonly id: string;
  readonly description?: string;
  readonly samples?: readonly string[];
  readonly fallback?: boolean;
}

const PROMPT = 'Why does my Python loop never end? It iterates over a list of integers and appends to it.';
const VIEWS = [
  'now',
  'decide',
  'map',
  'requests',
  'conversations',
  'experts',
  'topics',
  'what-if',
  'reports',
];
/** Requests whose pages are of interest. */
const STORIES = {
  'story-running': ({ running }: Row) => running,
  'story-failed': ({ error }: Row) => error !== null,
  'story-again': ({ tries }: Row) => tries > 1,
  'story-away': ({ expert, choice, running }: Row) => choice !== null && !running && expert !== choice.home,
};
const WIDTHS = [360, 1280, 2560];
const LOOKS = [
  { name: 'light', colorScheme: 'light', locale: 'en-US' },
  { name: 'dark', colorScheme: 'dark', locale: 'en-US' },
  { name: 'japanese', colorScheme: 'light', locale: 'ja-JP' },
] as const;
const USERS = 24;
const DRAINED = 'society';

const { views } = values;
const broken = views !== undefined;
const bench = new Bench();
const { experts } = parse(readFileSync('presets/embedded.yaml', 'utf8')) as { experts: ExpertYaml[] };
const pace = ['--ttft', '150ms', '--tpot', '25ms'];
const mishaps = ['--misbehave', '503:2%', '--misbehave', 'cut:1%'];
const steady = await startExperts(bench, experts.length - 1, ...pace, ...(broken ? mishaps : []));
const fragile = await startExperts(bench, 1, ...pace);
const ports = [...steady.ports, ...fragile.ports];
const { key, hash } = newKey();
const folder = (name: string): string => {
  const path = join(bench.folder, name);
  mkdirSync(path);
  return path;
};
const reports = folder('reports');
const port = ports[0]! + 1_000;
const file = join(bench.folder, 'config.yaml');
writeFileSync(
  file,
  stringify({
    records: { dir: folder('records') },
    ...(broken ? { reports, keys: [{ name: 'ops', hash, roles: ['ask', 'observe', 'operate'] }] } : {}),
    experts: experts.map(({ id, description, samples, fallback }, at) => ({
      id,
      kind: 'openai',
      url: `http://127.0.0.1:${ports[at]}/v1`,
      description,
      samples,
      fallback,
      ...(broken ? { max_concurrent: 4, price: { input: 0.2, cached_input: 0.05, output: 0.8 } } : {}),
    })),
  }),
);
const gateway = bench.cli('serve', '--config', file, '--port', String(port), '--workers', '1');
await listening(port, gateway);
const url = `http://127.0.0.1:${port}`;
const authorization = `Bearer ${key}`;

const browser = await chromium.launch({
  executablePath: values.chromium,
  args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
});
if (views !== undefined) await emptyViews(browser, views);

let asking = true;
const prompts = experts.flatMap(({ samples = [] }) => samples);
const users = Array.from({ length: USERS }, (_, user) => converse(user));
await sleep(1_000 * Number(values.seconds));
if (views === undefined) await forDocs(browser);
else await everyView(browser, views);
asking = false;
await Promise.all(users);
await browser.close();
process.exit(0);

/** Conversations of a few turns, one after another. */
async function converse(user: number): Promise<void> {
  for (let round = user; asking; round += USERS) {
    const messages: object[] = [];
    for (let turn = 0; turn <= round % 3 && asking; turn++) {
      const content = turn === 0 ? prompts[(round * 7) % prompts.length]! : 'And why is that so?';
      messages.push({ role: 'user', content });
      const body = { messages, max_tokens: 40, stream: true, stream_options: { include_usage: true } };
      await fetch(`${url}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization },
        body: JSON.stringify(body),
      })
        .then((response) => response.arrayBuffer())
        .catch(() => {});
      messages.push({ role: 'assistant', content: 'Because it is.' });
      await sleep(500);
    }
  }
}

interface Look {
  readonly width: number;
  readonly height: number;
  readonly colorScheme?: 'light' | 'dark';
  readonly locale?: string;
}

async function open(from: Browser, view: string, look: Look, prompt = PROMPT): Promise<Page> {
  const { width, height, colorScheme = 'light', locale = 'en-US' } = look;
  const context = await from.newContext({ viewport: { width, height }, colorScheme, locale });
  if (broken && view !== 'sign-in') await context.request.post(`${url}/ui/api/login`, { data: { key } });
  const page = await context.newPage();
  await page.goto(`${url}/ui#/${view}`);
  if (view === 'sign-in') return page;
  await page.locator('.status.live').waitFor();
  if (view.startsWith('decide')) await page.locator('textarea').first().fill(prompt);
  await sleep(view === 'map' ? 4_000 : 1_500);
  return page;
}

async function forDocs(from: Browser): Promise<void> {
  for (const view of ['now', 'decide', 'map']) {
    const page = await open(from, view, { width: 1280, height: 900 });
    await page.screenshot({ path: `docs/pictures/dashboard-${view}.png` });
    await page.context().close();
    console.log(`wrote docs/pictures/dashboard-${view}.png`);
  }
}

/** As a newcomer meets them, and where the keyboard is. */
async function emptyViews(from: Browser, to: string): Promise<void> {
  mkdirSync(to, { recursive: true });
  for (const view of VIEWS.filter((view) => isWanted(`${view}-empty`))) {
    const page = await open(from, view, { width: 1280, height: 900 }, '');
    for (let i = 0; i < 4; i++) await page.keyboard.press('Tab');
    await page.screenshot({ path: join(to, `${view}-empty.png`), fullPage: true });
    await page.context().close();
  }
}

/** Of names of pictures. */
function isWanted(name: string): boolean {
  return values.only.split(',').some((word) => name.includes(word));
}

async function everyView(from: Browser, to: string): Promise<void> {
  await breakThings();
  const pictures = LOOKS.flatMap((look) =>
    WIDTHS.flatMap((width) =>
      [...VIEWS, 'sign-in', ...Object.keys(STORIES)].map((view) => ({
        view,
        name: `${view}-${width}-${look.name}`,
        look: { ...look, width, height: 900 },
      })),
    ),
  ).filter(({ name }) => isWanted(name));
  for (const { view, name, look } of pictures) {
    const story = STORIES[view as keyof typeof STORIES];
    const page = await open(from, story ? await addressOf(story) : view, look);
    if (view === 'decide') await compareTwo(page);
    if (view === 'what-if') await replay(page);
    await page.screenshot({ path: join(to, `${name}.png`), fullPage: true });
    await page.context().close();
  }
  console.log(`wrote ${pictures.length} pictures to ${to}`);
}

async function breakThings(): Promise<void> {
  bench.cli('simulate', 'evaluation/scenarios/skewed.yaml', '--html', join(reports, 'skewed.html'));
  await fetch(`${url}/v1/experts/${DRAINED}/drain`, { method: 'POST', headers: { authorization } });
  await fragile.process.end();
  await sleep(20_000);
}

/** The page of the latest request that this is true of: those of some minutes ago are forgotten. */
async function addressOf(story: (row: Row) => boolean): Promise<string> {
  for (;;) {
    const answer = await fetch(`${url}/ui/api/requests`, { headers: { authorization } });
    const row = ((await answer.json()) as readonly Row[]).find(story);
    if (row) return `requests/${row.trace}`;
    await sleep(500);
  }
}

async function compareTwo(page: Page): Promise<void> {
  await page.getByRole('checkbox').nth(1).check();
  await page.locator('.picks button').click();
  await page.locator('.answer').first().waitFor();
  await sleep(2_500);
}

async function replay(page: Page): Promise<void> {
  await page.locator('main form button[type=submit]').click();
  await page.locator('main table').nth(1).waitFor({ timeout: 90_000 });
}

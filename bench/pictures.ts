/**
 * Takes the documentation's pictures of the dashboard: `npm run pictures`. A real Chromium at a gateway with the eight experts
 * of `serve`, emulated, under light load. With `--views FOLDER` it takes every view instead, narrow to wide, light, dark and
 * in Japanese, to be looked at.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type Browser, chromium, type Page } from 'playwright-core';
import { parse, stringify } from 'yaml';
import { startExperts } from './kit/candidates.ts';
import { Bench, listening } from './kit/processes.ts';

const { values } = parseArgs({
  options: {
    views: { type: 'string' },
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
const WIDTHS = [360, 768, 1280, 2560];
const LOOKS = [
  { name: 'light', colorScheme: 'light', locale: 'en-US' },
  { name: 'dark', colorScheme: 'dark', locale: 'en-US' },
  { name: 'japanese', colorScheme: 'light', locale: 'ja-JP' },
] as const;
const USERS = 24;

const bench = new Bench();
const { experts } = parse(readFileSync('presets/embedded.yaml', 'utf8')) as { experts: ExpertYaml[] };
const { ports } = await startExperts(bench, experts.length, '--ttft', '150ms', '--tpot', '25ms');
const file = join(bench.folder, 'config.yaml');
const port = ports[0]! + 1_000;
writeFileSync(
  file,
  stringify({
    records: { dir: join(bench.folder, 'records') },
    experts: experts.map(({ id, description, samples, fallback }, at) => ({
      id,
      kind: 'openai',
      url: `http://127.0.0.1:${ports[at]}/v1`,
      description,
      samples,
      fallback,
    })),
  }),
);
const gateway = bench.cli('serve', '--config', file, '--port', String(port), '--workers', '1');
await listening(port, gateway);
const url = `http://127.0.0.1:${port}`;

let asking = true;
const prompts = experts.flatMap(({ samples = [] }) => samples);
const users = Array.from({ length: USERS }, (_, user) => converse(user));
await sleep(1_000 * Number(values.seconds));
const browser = await chromium.launch({
  executablePath: values.chromium,
  args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
});
if (values.views === undefined) await forDocs(browser);
else await everyView(browser, values.views);
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
      await fetch(`${url}/v1/chat/completions`, { method: 'POST', body: JSON.stringify(body) })
        .then((response) => response.arrayBuffer())
        .catch(() => {});
      messages.push({ role: 'assistant', content: 'Because it is.' });
      await sleep(500);
    }
  }
}

async function open(
  from: Browser,
  view: string,
  look: { width: number; height: number; colorScheme?: 'light' | 'dark'; locale?: string },
): Promise<Page> {
  const { width, height, colorScheme = 'light', locale = 'en-US' } = look;
  const page = await from.newPage({ viewport: { width, height }, colorScheme, locale });
  await page.goto(`${url}/ui#/${view}`);
  await page.locator('.status.live').waitFor();
  if (view === 'decide') await page.locator('textarea').first().fill(PROMPT);
  await sleep(view === 'map' ? 4_000 : 1_500);
  return page;
}

async function forDocs(from: Browser): Promise<void> {
  for (const view of ['now', 'decide', 'map']) {
    const page = await open(from, view, { width: 1280, height: 900 });
    await page.screenshot({ path: `docs/pictures/dashboard-${view}.png` });
    await page.close();
    console.log(`wrote docs/pictures/dashboard-${view}.png`);
  }
}

async function everyView(from: Browser, folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  for (const { name, ...look } of LOOKS)
    for (const width of WIDTHS)
      for (const view of VIEWS) {
        const page = await open(from, view, { width, height: 900, ...look });
        await page.screenshot({ path: join(folder, `${view}-${width}-${name}.png`), fullPage: true });
        await page.close();
      }
  console.log(`wrote ${LOOKS.length * WIDTHS.length * VIEWS.length} pictures to ${folder}`);
}

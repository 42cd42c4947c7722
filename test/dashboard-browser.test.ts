/** The dashboard as people meet it: a real Chromium at a real gateway with emulated experts. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { DEFAULT_MODEL } from '../src/deciding/model/file.ts';
import { createGateway, type EmbeddedGateway } from '../src/index.ts';
import { pageFiles } from '../src/serving/board/files.ts';
import { hashKey } from '../src/serving/front/auth.ts';
import { saveRouterModel, train } from '../src/training.ts';
import { CHROMIUM, type Look, openPage, startBrowser, type Watched } from './support/browser.ts';
import { polite, upstream } from './support/upstream.ts';

if (CHROMIUM === null)
  console.warn('The dashboard is not looked at: there is no Chromium here (CHROMIUM_PATH names one).');

const EXPERTS = `experts:
  - { id: code, kind: emulated, tokens_per_second: 200, description: Writes and explains programs }
  - { id: cooking, kind: emulated, tokens_per_second: 200, description: Cooking and recipes }
`;
const VIEWS = {
  now: 'Requests per second, by expert',
  decide: 'Type a prompt',
  map: 'Each circle is a topic',
  requests: 'The latest requests',
  conversations: 'Lives at',
  experts: 'Replica',
  topics: 'In training',
  'what-if': 'No decisions are recorded here',
  reports: 'No folder of reports is configured',
} as const;
const TRAINED_TOPICS = 3;
const PROMPTS = [
  'Why does my Python loop never end?',
  'How do I cook rice with vegetables?',
  'Fix this function: for (let i = 0; i <= n; i++) {}',
];

let browser: Browser;
let gateway: EmbeddedGateway;
let url = '';
const open: Watched[] = [];

beforeAll(async () => {
  if (CHROMIUM !== null) browser = await startBrowser();
});
afterAll(() => browser?.close());
afterEach(async () => {
  await Promise.all(open.splice(0).map(({ context }) => context.close()));
  await gateway?.close({ graceMs: 0 });
});

async function serve(yaml: string, port = 0): Promise<void> {
  gateway = await createGateway(yaml, { probes: true });
  url = await gateway.listen({ host: '127.0.0.1', port });
}

async function look(view: string, how: Look = {}): Promise<Watched> {
  const watched = await openPage(browser, url, how);
  open.push(watched);
  await watched.page.goto(`${url}/ui#/${view}`);
  return watched;
}

async function ask(messages: readonly object[], headers: Record<string, string> = {}): Promise<Response> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ messages, max_tokens: 20 }),
  });
  await response.arrayBuffer();
  return response;
}

async function traffic(): Promise<void> {
  const first = { role: 'user', content: 'Write a Python function.' };
  const turns = [
    first,
    { role: 'assistant', content: 'def f(): pass' },
    { role: 'user', content: 'Now test it.' },
  ];
  await Promise.all(PROMPTS.map((content) => ask([{ role: 'user', content }])));
  await ask([first]);
  await ask(turns);
}

/** Serious and critical findings, in words. */
async function barriers(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() =>
    (globalThis as unknown as { axe: { run(): Promise<axe.AxeResults> } }).axe.run(),
  );
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`);
}

const overflow = (page: Page): Promise<number> =>
  page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth');

describe.skipIf(CHROMIUM === null)('the dashboard', () => {
  it.each([
    ['light', {}],
    ['dark', { dark: true }],
    ['narrow', { width: 360 }],
    ['wide', { width: 2560 }],
    ['Japanese', { japanese: true }],
    ['Japanese and dark', { japanese: true, dark: true }],
  ] as const)('shows every view, %s, without barriers, errors or anything from elsewhere', async (_, how) => {
    await serve(EXPERTS);
    await traffic();
    const { page, problems } = await look('now', how);
    await page.locator('.status.live').waitFor();
    for (const [view, says] of Object.entries(VIEWS)) {
      await page.goto(`${url}/ui#/${view}`);
      if ('japanese' in how) await page.locator('html[lang=ja] nav a[aria-current]').waitFor();
      else await page.getByText(says).first().waitFor();
      expect([view, await barriers(page)]).toEqual([view, []]);
      expect([view, await overflow(page)]).toEqual([view, 0]);
      expect([view, problems]).toEqual([view, []]);
    }
  });

  it('decides a prompt, has it answered, and tells the story of the request', async () => {
    await serve(EXPERTS);
    const { page, problems } = await look('decide');
    await page.getByRole('textbox', { name: 'Prompt' }).fill(PROMPTS[0]!);
    await page.locator('.verdict').getByText('code', { exact: true }).waitFor();
    expect(await page.locator('mark.for').allTextContents()).toContain('Python');
    await page.getByRole('checkbox', { name: 'cooking' }).check();
    await page.getByRole('button', { name: 'Ask', exact: true }).click();
    await page.locator('.answer').nth(1).getByText('Details').waitFor();
    expect(await page.locator('.answer .said').allTextContents()).toHaveLength(2);
    await page.locator('.answer').first().getByText('Details').click();
    await page.getByText('The answer was complete after').waitFor();
    await page.getByText('A header of the request demands').waitFor();
    expect(problems).toEqual([]);
  });

  it('goes on from an answer, which is left behind with the prompt that it answered', async () => {
    await serve(EXPERTS);
    const { page } = await look('decide');
    await page.getByLabel('Prompt').fill(PROMPTS[1]!);
    await page.getByRole('button', { name: 'Ask', exact: true }).click();
    await page.getByRole('button', { name: 'Go on from this answer' }).click();
    const turns = page.getByLabel('Prompt');
    expect(await turns.count()).toBe(3);
    expect(await turns.nth(1).inputValue()).toContain('emulated answer by expert cooking');
    expect(await page.locator('textarea:focus').inputValue()).toBe('');
    expect(await page.locator('.answer').count()).toBe(0);
  });

  it('says in the list why a request failed', async () => {
    const broken = await upstream((response, request) => {
      if (request.method === 'GET') void polite(response, request);
      else response.writeHead(500).end('{}');
    });
    await serve(`experts: [{ id: broken, kind: openai, url: '${broken.url}' }]`);
    await ask([{ role: 'user', content: PROMPTS[0] }]);
    const { page } = await look('requests');
    await page.getByRole('row', { name: /Failed the expert answered with an error/ }).waitFor();
    await broken.close();
  });

  it('replays the last minutes with more replicas, beside what was recorded and what a shadow model decides', async () => {
    const records = mkdtempSync(join(tmpdir(), 'records-'));
    await serve(`records: { dir: ${records} }\nshadow: ${DEFAULT_MODEL}\n${EXPERTS}`);
    await traffic();
    const { page, problems } = await look('what-if', { width: 360 });
    const replicas = page.getByLabel('Replicas of code, What if');
    await replicas.fill('3');
    await page.getByRole('combobox', { name: 'Policy' }).selectOption('nearest');
    // Records are written once a second.
    await expect
      .poll(
        async () => {
          await page.getByRole('button', { name: 'Replay' }).click();
          return page.getByText('What would have been').count();
        },
        { timeout: 10_000, interval: 500 },
      )
      .toBe(1);
    const gpus = page.getByRole('row', { name: /^GPUs/ });
    expect(await gpus.locator('td').allTextContents()).toEqual(['–', '2', '–', '4', '+100\u00a0%']);
    await page.getByText(/has looked at \d+ requests: 0\s% of them would belong to another expert/).waitFor();
    expect(await barriers(page)).toEqual([]);
    expect(await overflow(page)).toBe(0);
    expect(problems).toEqual([]);
  });

  it('shows a report in place, without running its scripts', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'reports-'));
    writeFileSync(
      join(dir, 'load.html'),
      '<style>h1 { color: teal }</style><h1>Load test</h1><script>parent.hacked = 1; document.body.textContent = "ran"</script>',
    );
    await serve(`reports: ${dir}\n${EXPERTS}`);
    const { page } = await look('reports', { width: 360 });
    await page.getByRole('button', { name: 'load.html' }).click();
    await page.frameLocator('iframe').getByRole('heading', { name: 'Load test' }).waitFor();
    const colour = await page
      .frames()[1]!
      .evaluate<string>("getComputedStyle(document.querySelector('h1')).color");
    expect(colour).toBe('rgb(0, 128, 128)');
    expect(await page.evaluate(() => (globalThis as { hacked?: number }).hacked)).toBeUndefined();
    expect(await barriers(page)).toEqual([]);
    expect(await overflow(page)).toBe(0);
  });

  it('drains an expert for an operator who confirms it, and resumes it', async () => {
    await serve(`keys: [{ name: ops, hash: '${hashKey('mine')}', roles: [observe, operate] }]\n${EXPERTS}`);
    const { page, problems } = await look('experts', { width: 360 });
    await page.getByLabel('API key').fill('mine');
    await page.keyboard.press('Enter');
    const code = page.locator('section.card').filter({ has: page.getByRole('heading', { name: 'code' }) });
    await code.getByRole('button', { name: 'Drain' }).click();
    await page.getByText('Drain code? It finishes').waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await code.getByText('Available', { exact: true }).waitFor();
    await code.getByRole('button', { name: 'Drain' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Drain' }).click();
    await code.getByText('Drained', { exact: true }).first().waitFor();
    expect(await overflow(page)).toBe(0);
    await page.goto(`${url}/ui#/now`);
    await page.getByText('code was drained').waitFor();
    await page.getByText('so without new requests: code.').waitFor();
    await page.goto(`${url}/ui#/experts`);
    await code.getByRole('button', { name: 'Resume' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Resume' }).click();
    await code.getByText('Available', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Reload the config' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Reload the config' }).click();
    await page.getByText('Still serving as before').waitFor(); // this config is no file
    expect(problems.filter((one) => !one.includes('409'))).toEqual([]);
  });

  it('shows no buttons to those who may not press them', async () => {
    await serve(EXPERTS);
    const { page } = await look('experts');
    await page.getByText('sign in with a key that has the role').waitFor();
    expect(await page.getByRole('button', { name: 'Drain' }).count()).toBe(0);
    await page.goto(`${url}/ui#/topics`);
    await page.getByText('To retrain from here, the config needs').waitFor();
    await page.getByText('records: {dir: ./records, prompts: true}').waitFor();
    expect(await page.getByRole('button', { name: 'Retrain' }).count()).toBe(0);
  });

  it('leaves script in prompts, answers and names as text', async () => {
    const script = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>';
    await serve(`keys: [{ name: '${script.slice(0, 44)}', hash: '${hashKey('mine')}' }]\n${EXPERTS}`);
    const { page, problems } = await look('now');
    await page.getByLabel('API key').fill('mine');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.locator('.status.live').waitFor();
    await page.goto(`${url}/ui#/decide`);
    await page.getByRole('textbox', { name: 'Prompt' }).fill(script);
    await page.getByRole('button', { name: 'Ask', exact: true }).click();
    await page.locator('.answer').getByText('onerror').waitFor();
    await page.locator('.answer').getByText('Details').click();
    await page.locator('.story').getByText('onerror').waitFor();
    expect(await page.evaluate(() => (globalThis as { hacked?: number }).hacked)).toBeUndefined();
    expect(await page.locator('main img').count()).toBe(0);
    expect(problems).toEqual([]);
  });

  it('asks for a key where keys are configured, says what is wrong with one, and signs out', async () => {
    await serve(`keys: [{ name: me, hash: '${hashKey('mine')}' }]\n${EXPERTS}`);
    const { page } = await look('now');
    await page.getByLabel('API key').fill('wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('This API key is not known here').waitFor();
    expect(await page.locator('nav').count()).toBe(0);
    expect(await barriers(page)).toEqual([]);
    await page.getByLabel('API key').fill('mine');
    await page.keyboard.press('Enter');
    await page.locator('.status.live').waitFor();
    expect(await page.evaluate('document.cookie')).toBe('');
    expect(page.url()).not.toContain('mine');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('API key').waitFor();
  });

  it('says that the connection is lost, connects again and goes on', async () => {
    await serve(EXPERTS);
    const { page } = await look('now');
    await page.locator('.status.live').waitFor();
    const port = Number(new URL(url).port);
    await gateway.close({ graceMs: 0 });
    await page.getByText('Connection lost').waitFor();
    await serve(EXPERTS, port);
    await page.locator('.status.live').waitFor();
    await traffic();
    await page.getByText('of the answers came from').waitFor();
  });

  it('says that as many dashboards are open as are served, and goes on when one of them closes', async () => {
    await serve(EXPERTS);
    const watching = await Promise.all(
      Array.from({ length: 64 }, async () => {
        const stop = new AbortController();
        const { status, body } = await fetch(`${url}/ui/api/stream`, { signal: stop.signal });
        void body!.pipeTo(new WritableStream(), { signal: stop.signal }).catch(() => {});
        return { status, stop };
      }),
    );
    expect(watching.every(({ status }) => status === 200)).toBe(true);
    const { page } = await look('now');
    await page.getByText('As many dashboards are open as this router serves at once. Close one').waitFor();
    expect(await page.getByText('Connection lost').count()).toBe(0);
    expect(await barriers(page)).toEqual([]);
    watching[0]!.stop.abort();
    await page.locator('.status.live').waitFor();
    expect(await page.locator('.banner').count()).toBe(0);
    for (const { stop } of watching) stop.abort();
  });

  it('gives up its place while nobody sees it, and takes it again', async () => {
    await serve(EXPERTS);
    const { page } = await look('now');
    await page.clock.install();
    await page.goto(`${url}/ui#/now`);
    await page.locator('.status.live').waitFor();
    let streams = 0;
    let ended = 0;
    page.on('request', (request) => {
      if (request.url().endsWith('/stream')) streams += 1;
    });
    page.on('requestfailed', (request) => {
      if (request.url().endsWith('/stream')) ended += 1;
    });
    const hide = (hidden: boolean): Promise<void> =>
      page.evaluate(
        `Object.defineProperty(document, 'hidden', { configurable: true, get: () => ${hidden} });
        document.dispatchEvent(new Event('visibilitychange'));`,
      );
    await hide(true);
    await page.clock.fastForward(31_000);
    await expect.poll(() => ended).toBe(1);
    expect(streams).toBe(0);
    await hide(false);
    await expect.poll(() => streams).toBe(1);
  });

  it('asks for a key again when the session has ended, and shows what was looked at', async () => {
    const keys = (key: string) => `keys: [{ name: me, hash: '${hashKey(key)}' }]\n${EXPERTS}`;
    await serve(keys('mine'));
    const { page } = await look('map');
    await page.getByLabel('API key').fill('mine');
    await page.keyboard.press('Enter');
    await page.locator('.status.live').waitFor();
    expect(await page.getByText('Your session has ended').count()).toBe(0);
    await gateway.reload(keys('another'));
    await page.getByText('Your session has ended').waitFor();
    await page.getByLabel('API key').fill('another');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Map' }).waitFor();
    await page.locator('.status.live').waitFor();
  });

  it('takes up what a reload has changed, while it is looked at', async () => {
    await serve(EXPERTS);
    const { page } = await look('now');
    await page.getByText('Cooking and recipes').waitFor();
    await gateway.reload(EXPERTS.replace('Cooking and recipes', 'Recipes of all the world'));
    await page.getByText('Recipes of all the world').waitFor();
    await page.goto(`${url}/ui#/experts`);
    await page.getByRole('heading', { name: 'cooking' }).waitFor();
    await gateway.reload(EXPERTS.replace(/.*id: cooking.*\n/, ''));
    await page.getByRole('heading', { name: 'cooking' }).waitFor({ state: 'detached' });
  });

  it('counts for the topics of a new router model what came since, while the map is open', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'model-'));
    const file = join(folder, 'other.safetensors');
    const prompts = Array.from({ length: 60 }, (_, i) => `${PROMPTS[i % PROMPTS.length]!} ${i}`);
    writeFileSync(join(folder, 'prompts.txt'), prompts.join('\n'));
    const options = { clusters: TRAINED_TOPICS, threads: 1, embedding: 'lexical' } as const;
    const { model } = await train({ paths: [join(folder, 'prompts.txt')] }, options);
    await saveRouterModel(model, file);
    await serve(EXPERTS);
    const { page } = await look('map');
    await page.locator('.status.live').waitFor();
    await traffic();
    const patient = { timeout: 15_000 };
    await expect.poll(() => page.locator('circle.prompt').count(), patient).toBeGreaterThan(0);
    await gateway.reload(`router: ${file}\n${EXPERTS}`);
    await expect.poll(() => page.locator('circle.topic').count(), patient).toBe(TRAINED_TOPICS);
    await expect.poll(() => page.locator('circle.prompt').count(), patient).toBe(0);
    const counts = await page.locator('.topic-list .weight').allTextContents();
    expect(counts).toEqual(Array(TRAINED_TOPICS).fill('0'));
  });

  it('shows the same where the clock of the browser is an hour off', async () => {
    await serve(EXPERTS);
    const { page } = await look('now');
    await page.clock.setSystemTime(Date.now() + 3_600_000);
    await page.goto(`${url}/ui#/now`);
    await page.locator('.status.live').waitFor();
    await traffic();
    await page.getByText('of the answers came from').waitFor();
    expect((await page.evaluate<number>('Date.now()')) - Date.now()).toBeGreaterThan(3_000_000);
  });

  it('says of a trace id that there is no such request, and of another that it is none', async () => {
    await serve(EXPERTS);
    const { page } = await look(`requests/${'a'.repeat(32)}`);
    await page.getByText('No request with this trace id is remembered').waitFor();
    await page.goto(`${url}/ui#/requests/abc`);
    await page.getByText('A trace id is 32 hexadecimal digits').waitFor();
  });

  it('loads its first view and language alone, 60 kB at most, and the others as they are looked at', async () => {
    await serve(EXPERTS);
    const { page } = await look('now');
    await page.locator('.status.live').waitFor();
    const loaded = (): Promise<string[]> =>
      page.evaluate<string[]>(
        "performance.getEntriesByType('resource').map(({ name }) => name).filter((name) => !name.includes('/api/'))",
      );
    const { files } = pageFiles();
    const names = (await loaded()).map((name) => name.split('/').at(-1)!);
    const bytes = ['index.html', ...names].reduce((sum, name) => sum + files.get(name)!.gzipped.length, 0);
    expect(names.some((name) => name.startsWith('now-'))).toBe(true);
    expect(names.filter((name) => /^(?:ja|map|decide|what-if)-/.test(name))).toEqual([]);
    expect(bytes).toBeGreaterThan(10_000);
    expect(bytes).toBeLessThan(60_000);
    await page.getByLabel('Language').selectOption('ja');
    await page.getByRole('link', { name: '地図' }).click();
    await page.getByText('円はトピックで').waitFor();
  });

  it('says that a view could not be loaded', async () => {
    await serve(EXPERTS);
    const { page } = await look('now');
    await page.locator('.status.live').waitFor();
    await page.route('**/ui/map-*.js', (route) => route.abort());
    await page.getByRole('link', { name: 'Map' }).click();
    await page.getByText('This part of the page could not be loaded').waitFor();
    await page.unroute('**/ui/map-*.js');
    await page.getByRole('button', { name: 'Load the page again' }).click();
    await page.getByText('Each circle is a topic').waitFor();
  });

  it('shows an expert that is killed while it is watched', async () => {
    const expert = await upstream(polite);
    await serve(`experts:
  - { id: fragile, kind: openai, url: '${expert.url}' }
  - { id: steady, kind: emulated, fallback: true }
`);
    const { page } = await look('now');
    await page.getByText('All experts are available').waitFor();
    await expert.close();
    await page.getByText('Not available: fragile').waitFor({ timeout: 20_000 });
    await page.getByText('fragile cannot take requests').waitFor();
  });

  it('reloads itself once when the server has another page', async () => {
    await serve(EXPERTS);
    const watched = await openPage(browser, url);
    open.push(watched);
    const { page } = watched;
    // The page as an earlier version left it open: a script of another name.
    let old = 0;
    await page.route('**/ui', async (route) => {
      const response = await route.fetch();
      const body = (await response.text()).replace(
        /index-([\w-]+)\.js/,
        old === 0 ? 'index-old.js' : 'index-$1.js',
      );
      await route.fulfill({ response, body });
    });
    await page.route('**/index-old.js', async (route) => {
      old += 1;
      const name = /index-[\w-]+\.js/.exec(await (await fetch(`${url}/ui`)).text())![0];
      await route.fulfill({ response: await route.fetch({ url: `${url}/ui/${name}` }) });
    });
    await page.goto(`${url}/ui`);
    await page.locator('script[src*="index-old"]').waitFor({ state: 'detached' });
    await page.locator('.status.live').waitFor();
    expect(old).toBe(1);
  });

  it('is used by keyboard', async () => {
    await serve(EXPERTS);
    const { page } = await look('now');
    await page.locator('.status.live').waitFor();
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to the content');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Decide' }).waitFor();
  });
});

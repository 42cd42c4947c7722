/** The dashboard over HTTP: who gets in, what is sent and what is not, its weight, and several processes as one. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createGateway } from '../src/index.ts';
import { pageFiles } from '../src/serving/board/files.ts';
import type { Frame, Row } from '../src/serving/board/wire.ts';
import { hashKey } from '../src/serving/front/auth.ts';
import { eventually, gateway, type RunningGateway } from './support/gateway.ts';
import { type RouterProcess, routerProcess } from './support/process.ts';

const EXPERTS = 'experts: [{ id: one, kind: emulated }, { id: two, kind: emulated }]';
const KEYS = `keys:
  - { name: watcher, hash: '${hashKey('watch-me')}', roles: [observe] }
  - { name: asker, hash: '${hashKey('ask-me')}', roles: [ask] }
  - { name: both, hash: '${hashKey('both-of-it')}' }
`;
const API = ['stream', 'layout', 'experts', 'requests', `trace/${'a'.repeat(32)}`];

let running: RunningGateway | null = null;
let router: RouterProcess | null = null;
afterEach(async () => {
  await running?.close();
  await router?.stop();
  running = null;
  router = null;
});

const ask = (text: string, more: object = {}, headers: Record<string, string> = {}) =>
  running!.post('/v1/chat/completions', { messages: [{ role: 'user', content: text }], ...more }, headers);
const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(running!.url + path, { headers, redirect: 'manual' });

/** The events of a stream until a condition holds. */
async function hear<T>(
  response: Response,
  until: (name: string, data: unknown) => T | undefined,
): Promise<T> {
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let held = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) throw new Error('the stream ended');
    held += value;
    const events = held.split('\n\n');
    held = events.pop()!;
    for (const event of events) {
      const name = /^event: (.*)$/m.exec(event)?.[1] ?? 'message';
      const data = /^data: (.*)$/m.exec(event)?.[1];
      const found = data === undefined ? undefined : until(name, JSON.parse(data));
      if (found === undefined) continue;
      await reader.cancel();
      return found;
    }
  }
}

describe('the page', () => {
  it('weighs less than 60 kB on the wire with any view in any language', () => {
    const { files, build } = pageFiles();
    const page = files.get('index.html')!.bytes.toString();
    expect(page).toContain(`/${build}`);
    const shared = [
      'index.html',
      ...[...page.matchAll(/(?:src|href)="[^"]*\/([^"/]+)"/g)].map(([, name]) => name!),
    ];
    const parts = (kind: string) => [...files.keys()].filter((name) => name.startsWith(`${kind}-`));
    const whole = (names: readonly string[]): ReadonlySet<string> => {
      const all = new Set<string>();
      const take = (name: string): void => {
        if (all.has(name)) return;
        all.add(name);
        const text = name.endsWith('.js') ? files.get(name)!.bytes.toString() : '';
        // What it imports at once, unlike `import("./name.js")`.
        for (const [, other] of text.matchAll(/(?:from|import)\s*["`]\.\/([^"`]+\.js)["`]/g)) take(other!);
      };
      for (const name of names) take(name);
      return all;
    };
    for (const view of [
      'now',
      'decide',
      'map',
      'requests',
      'conversations',
      'experts',
      'topics',
      'what-if',
      'reports',
    ])
      for (const language of ['en', 'ja']) {
        const loaded = whole([...shared, ...parts(view), ...parts(language)]);
        const bytes = [...loaded].reduce((sum, name) => sum + files.get(name)!.gzipped.length, 0);
        expect([view, parts(view).length, parts(language).length]).toEqual([view, 1, 1]);
        expect(bytes).toBeGreaterThan(20_000);
        expect(bytes).toBeLessThan(60_000);
      }
  });

  it('is at /ui, and at / for a browser', async () => {
    running = await gateway(EXPERTS);
    const page = await get('/ui');
    expect(page.headers.get('content-type')).toContain('text/html');
    const policy = page.headers.get('content-security-policy')!;
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/unsafe|https?:/);
    const html = await page.text();
    const parts = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path!);
    expect(parts.length).toBeGreaterThan(2);
    for (const part of parts) {
      const file = await get(part);
      expect(file.status).toBe(200);
      expect(file.headers.get('cache-control')).toContain('immutable');
    }
    const browser = await get('/', { accept: 'text/html,*/*;q=0.8' });
    expect([browser.status, browser.headers.get('location')]).toEqual([303, '/ui']);
    expect(await (await get('/', { accept: '*/*' })).text()).toBe('Ollama is running');
    expect((await get('/ui/../package.json')).status).toBe(404);
    expect((await get('/ui/%2e%2e/package.json')).status).toBe(404);
  });

  it('can be turned off', async () => {
    running = await gateway(`dashboard: false\n${EXPERTS}`);
    for (const path of ['/ui', '/ui/api/viewer', '/ui/api/stream'])
      expect((await get(path)).status).toBe(404);
    expect((await ask('hello')).status).toBe(200);
  });
});

describe('where keys are configured', () => {
  const signIn = async (key: string) => {
    const response = await running!.post('/ui/api/login', { key });
    const cookie = response.headers.get('set-cookie')?.split(';')[0] ?? '';
    return { status: response.status, cookie, all: response.headers.get('set-cookie') };
  };

  it('nothing leaks without one', async () => {
    running = await gateway(KEYS + EXPERTS);
    await ask('hello', {}, { authorization: 'Bearer both-of-it' });
    for (const path of API) {
      const response = await get(`/ui/api/${path}`);
      expect([path, response.status]).toEqual([path, 401]);
      expect(await response.text()).not.toMatch(/one|two|watcher/);
    }
    for (const path of ['route', 'ask'])
      expect((await running.post(`/ui/api/${path}`, { prompt: 'x', messages: [] })).status).toBe(401);
    expect(await (await get('/ui/api/viewer')).json()).toMatchObject({ login: true, name: null, roles: [] });
    expect((await get('/ui/api/layout?key=watch-me')).status).toBe(401);
  });

  it('a session stands for its key, with its roles', async () => {
    running = await gateway(KEYS + EXPERTS);
    const { cookie, all } = await signIn('watch-me');
    expect(all).toMatch(/HttpOnly; SameSite=Strict/);
    expect(cookie).not.toContain('watch-me');
    expect((await get('/ui/api/layout', { cookie })).status).toBe(200);
    expect(await (await get('/ui/api/viewer', { cookie })).json()).toMatchObject({
      login: false,
      name: 'watcher',
      roles: ['observe'],
    });
    expect((await running.post('/ui/api/route', { prompt: 'x' }, { cookie })).status).toBe(403);
    const both = await signIn('both-of-it');
    expect((await running.post('/ui/api/route', { prompt: 'x' }, { cookie: both.cookie })).status).toBe(200);
    // It is for the dashboard alone.
    expect((await running.post('/v1/route', { prompt: 'x' }, { cookie: both.cookie })).status).toBe(401);
  });

  it('only those get one who may watch', async () => {
    running = await gateway(KEYS + EXPERTS);
    for (const [key, status] of [
      ['ask-me', 403],
      ['wrong', 401],
      ['', 401],
    ] as const)
      expect(await signIn(key)).toMatchObject({ status, cookie: '' });
    expect((await running.post('/ui/api/login', 'no JSON')).status).toBe(401);
  });

  it('a program may use its key as everywhere', async () => {
    running = await gateway(KEYS + EXPERTS);
    expect((await get('/ui/api/experts', { authorization: 'Bearer watch-me' })).status).toBe(200);
    expect((await get('/ui/api/experts', { authorization: 'Bearer ask-me' })).status).toBe(403);
  });
});

describe('what is sent', () => {
  it('is what happened, and no word of a prompt or an answer', async () => {
    running = await gateway(EXPERTS);
    const secret = 'xylophonequartz';
    const trace = 'b'.repeat(32);
    const answer = await ask(`${secret} tell me`, {}, { traceparent: `00-${trace}-${'c'.repeat(16)}-01` });
    const { usage } = (await answer.json()) as { usage: { completion_tokens: number } };
    await ask('second turn', { model: 'nobody' });
    const pages = await Promise.all(
      ['requests', `trace/${trace}`].map(async (path) => (await get(`/ui/api/${path}`)).text()),
    );
    for (const page of pages) expect(page).not.toContain('xylophone');
    const [row] = JSON.parse(pages[1]!) as [Row];
    expect(row).toMatchObject({
      trace,
      running: false,
      status: 200,
      error: null,
      output: usage.completion_tokens,
      path: '/v1/chat/completions',
    });
    expect(row.choice!.conversation).toMatch(/^[0-9a-f]{12}$/);
    expect(row.asked).toMatchObject([{ expert: row.expert, error: null }]);
    expect(row.decidedMs).toBeLessThanOrEqual(row.asked[0]!.fromMs);
    expect(row.asked[0]!.fromMs).toBeLessThanOrEqual(row.firstMs!);
    const refused = (JSON.parse(pages[0]!) as Row[]).find(({ status }) => status === 404)!;
    expect(refused).toMatchObject({ error: 'model_not_found', choice: null });
  });

  it('is a small frame a second, after the history', async () => {
    running = await gateway(EXPERTS);
    await Promise.all(Array.from({ length: 200 }, (_, i) => ask(`question ${i}`)));
    const seen: string[] = [];
    const frame = await hear(await get('/ui/api/stream'), (name, data) => {
      seen.push(name);
      return name === 'message' && (data as Frame).dots.length > 0 ? (data as Frame) : undefined;
    });
    expect(seen[0]).toBe('history');
    expect(Object.keys(frame.experts)).toEqual(['one', 'two']);
    expect(frame.dots.length).toBeGreaterThan(0);
    expect(JSON.stringify(frame).length).toBeLessThan(8_000);
  });

  it('tells of a stream that still runs', async () => {
    running = await gateway('experts: [{ id: slow, kind: emulated, tokens_per_second: 5 }]');
    const answer = await ask('hello', { stream: true });
    const id = answer.headers.get('x-expert-router-trace-id')!;
    const [row] = (await (await get(`/ui/api/trace/${id}`)).json()) as [Row];
    expect(row).toMatchObject({ running: true, status: null, error: null });
    await answer.body!.cancel();
    await eventually('its end is told', async () => {
      const [now] = (await (await get(`/ui/api/trace/${id}`)).json()) as [Row];
      return !now.running && !now.whole;
    });
  });

  it('ends for those whose key is taken away', async () => {
    running = await gateway(KEYS + EXPERTS);
    const response = await get('/ui/api/stream', { authorization: 'Bearer watch-me' });
    await hear(response.clone(), (name) => name === 'history' || undefined);
    await running.reload(`keys: [{ name: other, hash: '${hashKey('other')}' }]\n${EXPERTS}`);
    await expect(hear(response, (name) => (name === 'never' ? true : undefined))).rejects.toThrow('ended');
  });

  it('ends in order when the gateway does', async () => {
    const ending = await createGateway(EXPERTS, { probes: false });
    const url = await ending.listen({ port: 0 });
    const response = await fetch(`${url}/ui/api/stream`);
    const closed = ending.close({ graceMs: 30_000 });
    // Cut off, it would be an error.
    expect(await response.text()).toContain('event: history');
    await closed;
  });
});

describe('several processes', () => {
  it('are one', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'expert-router-')), 'config.yaml');
    writeFileSync(file, `${KEYS}${EXPERTS}`);
    router = await routerProcess(['--config', file, '--workers', '2']);
    const { url } = router;
    const post = (path: string, body: object, headers: Record<string, string>) =>
      fetch(url + path, {
        method: 'POST',
        headers: { connection: 'close', ...headers },
        body: JSON.stringify(body),
      });
    const asked = 12;
    for (let i = 0; i < asked; i++)
      await post(
        '/v1/chat/completions',
        { messages: [{ role: 'user', content: `${i}` }] },
        {
          authorization: 'Bearer both-of-it',
        },
      );
    const login = await post('/ui/api/login', { key: 'watch-me' }, {});
    const cookie = login.headers.get('set-cookie')!.split(';')[0]!;
    // A session that one process began counts at every other, and each tells what all of them did.
    for (let i = 0; i < 6; i++) {
      const response = await fetch(`${url}/ui/api/requests`, { headers: { cookie, connection: 'close' } });
      expect(response.status).toBe(200);
      expect((await response.json()) as Row[]).toHaveLength(asked);
    }
  });
});

/** What operators do to a gateway that runs: drain and resume experts and replicas, reload the config; and who may not. */
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Frame } from '../src/serving/board/wire.ts';
import { hashKey } from '../src/serving/front/auth.ts';
import { eventually, gateway, type RunningGateway } from './support/gateway.ts';
import { type RouterProcess, routerProcess } from './support/process.ts';
import { polite, type Upstream, upstream } from './support/upstream.ts';

const KEYS = `keys:
  - { name: ops, hash: '${hashKey('operate')}', roles: [ask, observe, operate] }
  - { name: user, hash: '${hashKey('use')}' }
`;
const OPS = { authorization: 'Bearer operate' };
const TWO = 'experts: [{ id: one, kind: emulated }, { id: two, kind: emulated }]\n';

let running: RunningGateway | null = null;
let router: RouterProcess | null = null;
const experts: Upstream[] = [];
afterEach(async () => {
  await running?.close();
  await router?.stop();
  await Promise.all(experts.splice(0).map((expert) => expert.close()));
  running = router = null;
});

const url = (): string => running?.url ?? router!.url;
const post = (path: string, body: object | string = {}, headers: Record<string, string> = OPS) =>
  fetch(url() + path, {
    method: 'POST',
    headers,
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
const ask = async (model = 'auto', headers = OPS): Promise<string | number> => {
  const body = { model, max_tokens: 1, messages: [{ role: 'user', content: 'hello' }] };
  const response = await post('/v1/chat/completions', body, { ...headers, connection: 'close' });
  await response.text();
  return response.ok ? response.headers.get('x-expert-router-expert')! : response.status;
};
// biome-ignore lint/suspicious/noExplicitAny: what it is, is what is tested
const json = (response: Response): Promise<any> => response.json() as Promise<any>;
// biome-ignore lint/suspicious/noExplicitAny: the same
const listed = async (): Promise<any[]> =>
  (await json(await fetch(`${url()}/v1/experts`, { headers: OPS }))).data;
const error = async (response: Response) => [response.status, (await json(response)).error.code];

describe('draining', () => {
  it('gives an expert nothing new, lets it finish, and sends who waits for it elsewhere at once', async () => {
    let finish = (): void => {};
    const held = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const slow = await upstream(async (response, request) => {
      if (request.method === 'POST') await held;
      return polite(response, request);
    });
    experts.push(slow);
    running = await gateway(
      `${KEYS}experts:\n  - { id: slow, kind: openai, url: '${slow.url}', max_concurrent: 1 }\n  - { id: other, kind: emulated, fallback: true }\npolicy: { name: nearest }\n`,
    );
    const begun = ask('slow');
    await eventually('it is asked', async () => (await listed())[0].in_flight === 1);
    const waiting = ask('slow');
    await eventually('another waits', async () => (await listed())[0].queued === 1);
    const drained = await json(await post('/v1/experts/slow/drain'));
    expect(drained).toMatchObject({ object: 'expert', id: 'slow', drained: true, in_flight: 1 });
    expect(await waiting).toBe(503); // it asked for this expert and no other
    expect(await ask('auto')).toBe('other');
    const refused = await post('/v1/chat/completions', {
      model: 'slow',
      messages: [{ role: 'user', content: 'x' }],
    });
    expect((await json(refused)).error.message).toContain('is drained');
    finish();
    expect(await begun).toBe('slow');
    expect((await listed())[0]).toMatchObject({ drained: true, available: false, in_flight: 0 });
    expect(await running.metric('expert_router_drained{expert="slow"}')).toBe(1);
    await post('/v1/experts/slow/resume');
    expect(await ask('slow')).toBe('slow');
  });

  it('takes one replica out, and holds over a reload', async () => {
    const seen = [0, 0];
    for (const at of [0, 1])
      experts.push(
        await upstream((response, request) => {
          if (request.method === 'POST') seen[at]! += 1;
          return polite(response, request);
        }),
      );
    const [first, second] = experts.map((one) => one.url);
    const yaml = `${KEYS}experts: [{ id: pair, kind: openai, url: ['${first}', '${second}'] }]\n`;
    running = await gateway(yaml);
    const told = await json(await post('/v1/experts/pair/drain', { replica: first }));
    expect(told.replicas).toMatchObject([
      { name: first, drained: true },
      { name: second, drained: false },
    ]);
    for (let i = 0; i < 4; i++) expect(await ask()).toBe('pair');
    await running.reload(`${yaml}max_body_mb: 3\n`);
    for (let i = 0; i < 4; i++) expect(await ask()).toBe('pair');
    expect(seen).toEqual([0, 8]);
    await post('/v1/experts/pair/drain');
    expect(await ask()).toBe(503);
    expect(await error(await post('/v1/experts/pair/resume', { replica: second }))).toEqual([
      400,
      'invalid_request',
    ]);
    await post('/v1/experts/pair/resume'); // all of it, the first replica too
    await post('/v1/experts/pair/drain', { replica: second });
    for (let i = 0; i < 4; i++) expect(await ask()).toBe('pair');
    expect(seen).toEqual([4, 8]);
  });

  it('wakes no expert that nothing runs of, nor holds requests for it', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'cold-')), 'replicas.json');
    writeFileSync(file, '[]');
    running = await gateway(
      `${KEYS}experts:\n  - { id: cold, kind: openai, discover: { file: '${file}' }, start_timeout: 30s }\n  - { id: other, kind: emulated, fallback: true }\n`,
    );
    const begun = performance.now();
    expect(await json(await post('/v1/experts/cold/drain'))).toMatchObject({ drained: true, replicas: [] });
    const refused = await post('/v1/chat/completions', {
      model: 'cold',
      messages: [{ role: 'user', content: 'x' }],
    });
    expect((await json(refused)).error.message).toContain('it is drained');
    expect(performance.now() - begun).toBeLessThan(20_000);
    expect((await listed())[0]).toMatchObject({ drained: true, starts_in: null });
  });

  it('says what is wrong with a request', async () => {
    running = await gateway(KEYS + TWO);
    expect(await error(await post('/v1/experts/three/drain'))).toEqual([404, 'not_found']);
    expect(await error(await post('/v1/experts/one/drain', '{'))).toEqual([400, 'invalid_json']);
    expect(await error(await post('/v1/experts/one/drain', '[]'))).toEqual([400, 'invalid_request']);
    expect(await error(await post('/v1/experts/one/drain', { replica: 'x' }))).toEqual([404, 'not_found']);
    expect(await error(await post('/v1/experts/one/drain', { replica: { toString: 1 } }))).toEqual([
      404,
      'not_found',
    ]);
    expect(await error(await post('/v1/experts/one/drain', { replicas: [] }))).toEqual([
      400,
      'invalid_request',
    ]);
    expect(await error(await post('/v1/experts/one/drain', 'x'.repeat(100_000)))).toEqual([
      413,
      'body_too_large',
    ]);
    expect((await post('/v1/experts/one/drain', '')).status).toBe(200);
    expect((await fetch(`${url()}/v1/experts/one/drain`, { headers: OPS })).status).toBe(405);
    expect((await listed()).map(({ drained }) => drained)).toEqual([true, false]);
  });

  it('is an event on the time axis and a line of the audit log', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'audit-'));
    running = await gateway(`audit: { dir: '${dir}' }\n${KEYS}${TWO}`);
    const stream = await fetch(`${url()}/ui/api/stream`, { headers: OPS });
    const reader = stream.body!.pipeThrough(new TextDecoderStream()).getReader();
    let heard = '';
    void (async () => {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        heard += value;
      }
    })();
    const events = () =>
      [...heard.matchAll(/^data: (.*)$/gm)].flatMap(([, text]) => {
        try {
          return (JSON.parse(text!) as Frame).events.map(({ kind, what }) => `${kind} ${what}`);
        } catch {
          return []; // not all of it has come
        }
      });
    await eventually('the stream runs', () => heard.includes('data:'));
    await post('/v1/experts/one/drain');
    await eventually('it is told', () => events().includes('drained one'));
    await post('/v1/experts/one/resume');
    await eventually('that too', () => events().includes('resumed one'));
    expect(events().filter((event) => event.startsWith('down'))).toEqual([]);
    await reader.cancel();
    await post('/v1/reload'); // of a config that is no file
    const lines = readdirSync(dir)
      .flatMap((name) => readFileSync(join(dir, name), 'utf8').trim().split('\n'))
      .map((line) => JSON.parse(line))
      .filter(({ event }) => event === 'action');
    expect(lines).toMatchObject([
      { key: 'ops', action: 'drain', expert: 'one', replica: null, error: null },
      { key: 'ops', action: 'resume', expert: 'one', replica: null, error: null },
      { key: 'ops', action: 'reload', expert: null, error: expect.stringContaining('was no file') },
    ]);
    expect(running.logged.join('\n')).toContain("Expert 'one' is drained, as key 'ops' asked.");
  });
});

describe('who may', () => {
  const PATHS = ['/v1/experts/one/drain', '/v1/experts/one/resume', '/v1/reload'];
  const PAGES = ['/ui/api/drain/one', '/ui/api/resume/one', '/ui/api/reload'];
  const JSON_TYPE = { 'content-type': 'application/json' };

  it('not a key without the role, nor nobody, nor anybody where there are no keys', async () => {
    running = await gateway(KEYS + TWO);
    for (const path of [...PATHS, ...PAGES]) {
      expect(await error(await post(path, {}, { ...JSON_TYPE, authorization: 'Bearer use' }))).toEqual([
        403,
        'role_missing',
      ]);
      expect(await error(await post(path, {}, JSON_TYPE))).toEqual([401, 'invalid_api_key']);
    }
    expect((await listed()).map(({ drained }) => drained)).toEqual([false, false]);
    await running.close();
    running = await gateway(TWO);
    for (const path of [...PATHS, ...PAGES]) {
      const response = await post(path, {}, JSON_TYPE);
      expect(response.status).toBe(403);
      expect((await json(response)).error.message).toContain('while there are no API keys');
    }
  });

  it('not another page with the session of an operator', async () => {
    running = await gateway(KEYS + TWO);
    const signed = await post('/ui/api/login', { key: 'operate' }, {});
    const cookie = signed.headers.get('set-cookie')!.split(';')[0]!;
    const act = (headers: Record<string, string>) => post('/ui/api/drain/one', {}, { cookie, ...headers });
    expect((await act({ ...JSON_TYPE, 'sec-fetch-site': 'same-site' })).status).toBe(403);
    expect((await act({ ...JSON_TYPE, 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    // What a form can send, in a browser that does not say where it comes from.
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data'])
      expect((await act({ 'content-type': type })).status).toBe(415);
    // A session is good for the dashboard's own addresses alone.
    expect((await post('/v1/experts/one/drain', {}, { cookie })).status).toBe(401);
    expect((await listed())[0].drained).toBe(false);
    expect((await act({ ...JSON_TYPE, 'sec-fetch-site': 'same-origin' })).status).toBe(200);
    expect((await listed())[0].drained).toBe(true);
  });
});

describe('several processes', () => {
  const serve = async (yaml: string): Promise<string> => {
    const file = join(mkdtempSync(join(tmpdir(), 'expert-router-')), 'config.yaml');
    writeFileSync(file, yaml);
    router = await routerProcess(['--config', file, '--workers', '3']);
    return file;
  };
  const asked = async (): Promise<Set<string | number>> =>
    new Set(await Promise.all(Array.from({ length: 24 }, () => ask())));

  it("drain in all of them, and one that takes another's place knows it", async () => {
    await serve(`${KEYS}${TWO}policy: { name: round-robin }\n`);
    expect((await asked()).size).toBe(2);
    expect((await post('/v1/experts/one/drain')).status).toBe(200);
    expect(await asked()).toEqual(new Set(['two']));
    const before = router!.children();
    for (const worker of before) process.kill(worker, 'SIGKILL');
    await eventually('others took their places', () => {
      const now = router!.children();
      return now.length === 3 && now.every((one) => !before.includes(one));
    });
    await eventually('they serve', async () => typeof (await ask().catch(() => 0)) === 'string');
    expect(await asked()).toEqual(new Set(['two']));
    await post('/v1/experts/one/resume');
    expect((await asked()).size).toBe(2);
  });

  it('reload in all of them, or say why not', async () => {
    const file = await serve(KEYS + TWO);
    writeFileSync(file, `${KEYS}experts: [{ id: three, kind: emulated }]\n`);
    const response = await post('/v1/reload');
    expect(await json(response)).toMatchObject({ object: 'reload', experts: ['three'] });
    expect(await asked()).toEqual(new Set(['three']));
    writeFileSync(file, `${KEYS}experts: []\n`);
    const refused = await post('/v1/reload');
    expect(refused.status).toBe(409);
    expect((await json(refused)).error).toMatchObject({
      code: 'not_reloaded',
      message: expect.stringContaining('Still serving as before'),
    });
    expect(await asked()).toEqual(new Set(['three']));
  });
});

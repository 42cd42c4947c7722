/** A router model trained anew from a gateway that runs, deciding in the shadow, and put into force. */
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { shipped } from '../src/core/shipped.ts';
import { createGateway, type EmbeddedGateway } from '../src/index.ts';
import { hashKey } from '../src/serving/front/auth.ts';
import { eventually } from './support/gateway.ts';
import { type RouterProcess, routerProcess } from './support/process.ts';

const OPS = { authorization: 'Bearer operate' };
const KEYS = `keys:
  - { name: ops, hash: '${hashKey('operate')}', roles: [ask, observe, operate] }
  - { name: user, hash: '${hashKey('use')}', roles: [ask, observe] }
`;
const EXPERTS = `experts:
  - { id: code, kind: emulated, description: Writes and explains programs, tokens_per_second: 10000 }
  - { id: cooking, kind: emulated, description: Cooking and recipes, tokens_per_second: 10000 }
`;
const { experts } = parse(readFileSync(shipped('presets/embedded.yaml'), 'utf8')) as {
  experts: { samples?: string[] }[];
};
const PROMPTS = experts.flatMap(({ samples = [] }) => samples);

let folder: string;
let running: EmbeddedGateway | null = null;
let router: RouterProcess | null = null;
let url: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'retraining-'));
});
afterEach(async () => {
  await running?.close({ graceMs: 0 });
  await router?.stop();
  running = router = null;
});

async function serve(yaml: string): Promise<void> {
  const file = join(folder, 'config.yaml');
  writeFileSync(file, KEYS + EXPERTS + yaml);
  running = await createGateway(file, { probes: false, log: () => {} });
  url = await running.listen({ host: '127.0.0.1', port: 0 });
}

const post = (path: string, body: object = {}, headers: Record<string, string> = OPS): Promise<Response> =>
  fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) });
// biome-ignore lint/suspicious/noExplicitAny: what it is, is what is tested
const json = async (response: Response | Promise<Response>): Promise<any> => (await response).json();
const ask = (content: string): Promise<unknown> =>
  json(post('/v1/chat/completions', { model: 'auto', max_tokens: 1, messages: [{ role: 'user', content }] }));
const told = () => json(fetch(`${url}/v1/retraining`, { headers: OPS }));
// biome-ignore lint/suspicious/noExplicitAny: the same
const lines = (): any[] =>
  readdirSync(join(folder, 'records'))
    .filter((name) => name.endsWith('.jsonl'))
    .flatMap((name) =>
      readFileSync(join(folder, 'records', name), 'utf8')
        .split('\n')
        // Behind the last line end is one that is being written.
        .slice(0, -1),
    )
    .map((line) => JSON.parse(line));

const WHOLE = `router: ./router.safetensors
shadow: ./next.safetensors
records: { dir: ./records, prompts: true }
`;

describe('retraining', () => {
  it('makes the shadow model from recorded prompts; it is compared, then put into force', async () => {
    copyFileSync(shipped('models/default.router.safetensors'), join(folder, 'router.safetensors'));
    await serve(WHOLE);
    const [before] = [(await json(post('/v1/route', { prompt: 'hello' }))).router_model];
    expect(await told()).toMatchObject({ lacking: [], state: 'idle', shadow: false });
    expect((await post('/v1/shadow/apply')).status).toBe(400);
    await Promise.all(PROMPTS.map(ask));
    await eventually('all are recorded', () => lines().length >= PROMPTS.length);
    expect(lines().map(({ prompt }) => prompt)).toContain(PROMPTS[0]);

    expect((await post('/v1/retraining')).status).toBe(202);
    expect((await post('/v1/retraining')).status).toBe(429);
    let now = await told();
    expect(now.state).toBe('running');
    for (
      const until = Date.now() + 120_000;
      now.state === 'running' && Date.now() < until;
      now = await told()
    )
      await new Promise((resolve) => setTimeout(resolve, 200));
    expect(now).toMatchObject({ state: 'done', error: null, shadow: true });
    expect(now.result.prompts).toBe(new Set(PROMPTS).size);
    expect(now.result.router_model).not.toBe(before);

    // In force is what was; the new one looks on.
    expect((await json(post('/v1/route', { prompt: 'hello' }))).router_model).toBe(before);
    await ask('Why does my Python loop never end?');
    const shadow = () => json(fetch(`${url}/ui/api/shadow`, { headers: OPS }));
    await eventually('the shadow has looked', async () => (await shadow())?.pairs.length > 0);
    expect((await shadow()).model).toBe(now.result.router_model);
    expect(await running!.metrics()).toMatch(
      /^expert_router_shadow_decisions_total\{expert="code",shadow="\w+"\} 1$/m,
    );
    await eventually('that is recorded', () => lines().some((line) => 'shadow_home' in line));

    expect((await json(post('/v1/shadow/apply'))).router_model).toBe(now.result.router_model);
    expect((await json(post('/v1/route', { prompt: 'hello' }))).router_model).toBe(now.result.router_model);
    expect(existsSync(join(folder, 'next.safetensors'))).toBe(false);
    const kept = readFileSync(join(folder, 'router.safetensors.before'));
    expect(kept.equals(readFileSync(shipped('models/default.router.safetensors')))).toBe(true);
    expect(await shadow()).toBeNull();
  }, 180_000);

  it('is begun once, whichever of several processes are asked, and again when the one that follows it is killed', async () => {
    copyFileSync(shipped('models/default.router.safetensors'), join(folder, 'router.safetensors'));
    const file = join(folder, 'config.yaml');
    writeFileSync(file, KEYS + EXPERTS + WHOLE);
    router = await routerProcess(['--config', file, '--workers', '3']);
    url = router.url;
    await Promise.all(PROMPTS.map(ask));
    await eventually('all are recorded', () => lines().length >= PROMPTS.length);
    const begin = async (): Promise<number> =>
      (await post('/v1/retraining', {}, { ...OPS, connection: 'close' })).status;
    const statuses = await Promise.all(Array.from({ length: 8 }, begin));
    expect(statuses.toSorted()).toEqual([202, ...new Array(7).fill(429)]);

    const { pid } = JSON.parse(readFileSync(join(folder, 'records', 'retraining.json'), 'utf8'));
    process.kill(pid, 'SIGKILL');
    await eventually('the others tell that it is gone', async () => (await told()).state === 'failed');
    expect((await told()).error).toBe('the process that trained is gone');
    expect(await begin()).toBe(202);
    expect((await post('/v1/reload')).status).toBe(200);
    const until = Date.now() + 120_000;
    while ((await told()).state === 'running' && Date.now() < until)
      await new Promise((resolve) => setTimeout(resolve, 200));
    const { state, result } = await told();
    expect(state).toBe('done');

    expect((await post('/v1/shadow/apply')).status).toBe(200);
    const models = await Promise.all(
      Array.from({ length: 12 }, async () => {
        const headers = { ...OPS, connection: 'close' };
        return (await json(post('/v1/route', { prompt: 'hello' }, headers))).router_model;
      }),
    );
    expect(new Set(models)).toEqual(new Set([result.router_model]));
  }, 180_000);

  it('says what the config lacks, and begins nothing', async () => {
    await serve('records: { dir: ./records }\n');
    expect((await told()).lacking).toEqual(['records', 'router', 'shadow']);
    const refused = await post('/v1/retraining');
    expect([refused.status, (await json(refused)).error.message]).toEqual([
      400,
      expect.stringContaining('prompts are not kept (records: {dir: ./records, prompts: true})'),
    ]);
    await ask('hello');
    await eventually('it is recorded', () => lines().length > 0);
    expect(lines()[0]).not.toHaveProperty('prompt');
  });

  it('leaves everything as it was where the shadow model is none', async () => {
    copyFileSync(shipped('models/default.router.safetensors'), join(folder, 'router.safetensors'));
    await serve(WHOLE);
    writeFileSync(join(folder, 'next.safetensors'), 'no model');
    const refused = await post('/v1/shadow/apply');
    expect([refused.status, (await json(refused)).error.code]).toEqual([409, 'not_reloaded']);
    expect(readFileSync(join(folder, 'next.safetensors'), 'utf8')).toBe('no model');
    expect((await post('/v1/route', { prompt: 'hello' })).status).toBe(200);
  });

  it('is for those with the role operate alone, and identifiers are taken out of what is kept', async () => {
    await serve(`${WHOLE.replace('router: ./router.safetensors\n', '')}deidentify: true\n`);
    const user = { authorization: 'Bearer use', 'content-type': 'application/json' };
    for (const path of ['/v1/retraining', '/v1/shadow/apply', '/ui/api/retraining', '/ui/api/shadow'])
      expect((await post(path, {}, user)).status).toBe(403);
    await ask('Write to jane.doe@example.com that the soup is ready.');
    await eventually('it is recorded', () => lines().length > 0);
    expect(lines()[0].prompt).toMatch(/soup/);
    expect(lines()[0].prompt).not.toMatch(/jane/);
  });
});

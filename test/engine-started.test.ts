/** `start: engine`: servers that run already are asked to load the model when it is needed, and to unload it after a while. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startEmulatedServers } from '../src/load/emulator/servers.ts';
import { simpleEngine } from '../src/load/emulator/simple-pacer.ts';
import { command } from './support/command.ts';
import { eventually, gateway } from './support/gateway.ts';
import { routerProcess } from './support/process.ts';
import { polite, type Recorded, type Upstream, upstream } from './support/upstream.ts';

const opened: { close(): Promise<unknown> }[] = [];
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'engine-started-'));
});
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
  rmSync(folder, { recursive: true });
});

function configOf(expert: object): string {
  const file = join(folder, 'experts.yaml');
  writeFileSync(
    file,
    JSON.stringify({ experts: [{ id: 'code', kind: 'openai', start: 'engine', ...expert }] }),
  );
  return file;
}
const ask = (url: string): Promise<Response> =>
  fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ model: 'code', max_tokens: 4, messages: [{ role: 'user', content: 'Hello' }] }),
  });

describe('a LoRA adapter', () => {
  it.each([1, 2])('is loaded and unloaded at every server, for %d processes', async (workers) => {
    const emulated = await startEmulatedServers({
      experts: 2,
      names: ['base', 'base'],
      host: '127.0.0.1',
      port: 0,
      outputTokens: 4,
      seed: 1,
      mishaps: [],
      created: 0,
      engine: simpleEngine({
        firstTokenMs: 0,
        prefillPerSecond: 1e6,
        perTokenMs: { alone: 1, full: 1 },
        maxBatch: 8,
        kvTokens: 5_000,
      }),
      adapters: { slots: 2, loadMs: 1 },
    });
    opened.push(emulated);
    const urls = emulated.servers.map(({ port }) => `http://127.0.0.1:${port}`);
    const loadedAt = (): Promise<boolean[]> =>
      Promise.all(
        urls.map(async (url) => (await (await fetch(`${url}/v1/models`)).text()).includes('"id":"code"')),
      );
    const file = configOf({ url: urls, lora: { path: '/adapters/code' }, idle: '1s' });
    const router = await routerProcess(['--config', file, '--workers', String(workers)]);
    opened.push({ close: () => router.stop() });
    expect(await loadedAt()).toEqual([false, false]);
    expect((await ask(router.url)).status).toBe(200);
    expect(await loadedAt()).toEqual([true, true]);
    expect(router.output()).toContain("Expert 'code' is started: its engine loads its model");
    await eventually('it is unloaded', async () => !(await loadedAt()).includes(true));
    expect((await ask(router.url)).status).toBe(200);
    expect(await loadedAt()).toEqual([true, true]);
  });
});

describe('a model of Ollama', () => {
  interface Ollama extends Upstream {
    loaded: boolean;
  }
  async function ollama(loads = true): Promise<Ollama> {
    const json = (request: Recorded): unknown => {
      const pages: Readonly<Record<string, unknown>> = {
        '/api/version': { version: '0.17.0' },
        '/v1/models': { object: 'list', data: [{ id: 'qwen:latest', object: 'model', owned_by: 'library' }] },
        '/api/ps': { models: server.loaded ? [{ model: 'qwen:latest', context_length: 4096 }] : [] },
      };
      if (request.path !== '/api/generate') return pages[request.path];
      if (!loads) return undefined;
      const asked = JSON.parse(request.body) as { model: string; keep_alive: number };
      server.loaded = asked.keep_alive !== 0;
      return { model: asked.model, done: true, done_reason: server.loaded ? 'load' : 'unload' };
    };
    const double = await upstream((response, request) => {
      if (request.path === '/v1/chat/completions') return polite(response, request);
      const body = json(request);
      response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body ?? { error: "model 'qwen' not found" }));
    });
    const server: Ollama = { ...double, loaded: false };
    opened.push(server);
    return server;
  }

  it('is kept until it has been idle, whatever Ollama itself would do', async () => {
    const server = await ollama();
    const config = {
      experts: [{ id: 'code', kind: 'openai', url: server.url, model: 'qwen', start: 'engine', idle: '1s' }],
    };
    const running = await gateway(JSON.stringify(config), { probes: true });
    opened.push(running);
    expect((await ask(running.url)).status).toBe(200);
    expect(server.loaded).toBe(true);
    await eventually('it is unloaded', () => !server.loaded);
    const asked = server.requests.filter(({ path }) => path === '/api/generate').map(({ body }) => body);
    expect(asked).toEqual(['{"model":"qwen","keep_alive":-1}', '{"model":"qwen","keep_alive":0}']);
  });

  it('that cannot be loaded is refused with the words of the engine', async () => {
    const server = await ollama(false);
    const config = {
      experts: [{ id: 'code', kind: 'openai', url: server.url, model: 'qwen', start: 'engine' }],
    };
    const running = await gateway(JSON.stringify(config), { probes: true });
    opened.push(running);
    const refused = await ask(running.url);
    expect(refused.status).toBe(503);
    expect(await refused.text()).toMatch(/POST \/api\/generate answered 404: model 'qwen' not found/);
  });
});

it.each([
  [{ url: 'http://gpu1', stop: ['true'] }, /stop: with `start: engine` the engine is asked to unload/],
  [{ discover: { dns: 'gpu.local', port: 8000 } }, /start: an engine is asked at the addresses in `url`/],
  [
    { kind: 'anthropic', model: 'm', api_key: 'k' },
    /start: experts of this kind have no server of their own to start/,
  ],
])('check refuses %j', async (expert, why) => {
  const check = command('check', '--config', configOf(expert));
  expect(await check.ended).not.toBe(0);
  expect(check.output()).toMatch(why);
});

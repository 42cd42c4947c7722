/** LoRA adapters as experts on a base that they share: loaded by request, preferred where they are, their load priced. */
import { afterEach, describe, expect, it } from 'vitest';
import type { ExpertBody } from '../src/cli/experts/table.ts';
import { type EmulatedServers, startEmulatedServers } from '../src/load/emulator/servers.ts';
import { simpleEngine } from '../src/load/emulator/simple-pacer.ts';
import { eventually, gateway, type RunningGateway } from './support/gateway.ts';
import { upstream } from './support/upstream.ts';

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

async function bases(
  count: number,
  adapters: { slots: number; loadMs: number } | null,
): Promise<EmulatedServers> {
  const servers = await startEmulatedServers({
    experts: count,
    names: Array.from({ length: count }, () => 'base'),
    host: '127.0.0.1',
    port: 0,
    outputTokens: 4,
    seed: 1,
    mishaps: [],
    created: 1_700_000_000,
    engine: simpleEngine({
      firstTokenMs: 0,
      prefillPerSecond: 1e6,
      perTokenMs: { alone: 1, full: 1 },
      maxBatch: 8,
      kvTokens: 5_000,
    }),
    adapters,
  });
  opened.push(servers);
  return servers;
}

async function router(
  urls: readonly string[],
  lora: object = { path: '/adapters/x' },
): Promise<RunningGateway> {
  const expert = (id: string, description: string) => ({
    id,
    description,
    kind: 'openai',
    url: urls,
    lora,
    first_token_timeout: '10s',
  });
  const experts = [expert('code', 'Writes and explains programs'), expert('cook', 'Cooking recipes')];
  const running = await gateway(JSON.stringify({ experts }), { probes: true });
  opened.push(running);
  return running;
}

const urlsOf = ({ servers }: EmulatedServers) => servers.map(({ port }) => `http://127.0.0.1:${port}`);
const expertsOf = async ({ url }: RunningGateway) =>
  ((await (await fetch(`${url}/v1/experts`)).json()) as { data: ExpertBody[] }).data;
const ready = (running: RunningGateway) =>
  eventually('both adapters are loaded', async () =>
    (await expertsOf(running)).every(({ replicas }) =>
      replicas.every(({ health, adapter }) => health.state === 'ready' && adapter?.resident !== null),
    ),
  );
const ask = (running: RunningGateway, model: string, content = 'How do I sort a list in Python?') =>
  running.post('/v1/chat/completions', { model, stream: true, messages: [{ role: 'user', content }] });

describe('an expert that is a LoRA adapter', () => {
  it('is loaded by request where its base lacks it, answers under its own name, and stays where it is loaded', async () => {
    const emulated = await bases(3, { slots: 1, loadMs: 30 });
    const running = await router(urlsOf(emulated));
    await ready(running);
    const models = (await (await fetch(`${urlsOf(emulated)[0]}/v1/models`)).json()) as {
      data: { id: string }[];
    };
    expect(models.data.map(({ id }) => id).toSorted()).toEqual(['base', 'code', 'cook']);
    for (let turn = 0; turn < 6; turn++) {
      const answer = await ask(running, 'code', `Question number ${turn} of its own conversation`);
      expect(answer.status).toBe(200);
      expect(await answer.text()).toContain('"model":"code"');
    }
    expect(emulated.servers.map(({ stats }) => stats.requests).toSorted()).toEqual([0, 0, 6]);
  });

  it('costs its load as long as no replica has it', async () => {
    const emulated = await bases(1, { slots: 1, loadMs: 1 });
    const running = await router(urlsOf(emulated), { path: '/adapters/x', load_time: '3s' });
    await ready(running);
    const load = async (): Promise<Record<string, number>> => {
      const prompt = { messages: [{ role: 'user', content: 'How do I sort a list in Python?' }] };
      const decision = (await (await running.post('/v1/route', prompt)).json()) as {
        ranking: { expert: string; cost: { load: number; total: number } }[];
      };
      return Object.fromEntries(decision.ranking.map(({ expert, cost }) => [expert, cost.load]));
    };
    expect(await load()).toEqual({ code: 3, cook: 3 });
    await (await ask(running, 'cook')).text();
    await eventually(
      'the load of the one that is there counts nothing',
      async () => (await load()).cook === 0,
    );
    expect((await load()).code).toBe(3);
  });

  it('is known as one by the list of models, where the engine was started with it', async () => {
    const emulated = await bases(1, { slots: 2, loadMs: 1 });
    const [url] = urlsOf(emulated);
    for (const lora_name of ['code', 'cook']) {
      const body = JSON.stringify({ lora_name, lora_path: '/x' });
      expect((await fetch(`${url}/v1/load_lora_adapter`, { method: 'POST', body })).status).toBe(200);
      expect((await fetch(`${url}/v1/load_lora_adapter`, { method: 'POST', body })).status).toBe(400);
    }
    const experts = ['code', 'cook'].map((id) => ({ id, kind: 'openai', url, model: id }));
    const running = await gateway(JSON.stringify({ experts }), { probes: true });
    opened.push(running);
    await ready(running);
    expect((await expertsOf(running))[0]!.replicas[0]).toMatchObject({
      adapter: { resident: false, load_seconds: 1 },
    });
  });

  it('is loaded at SGLang by the paths of SGLang', async () => {
    const asked: string[] = [];
    const server = await upstream((response, request) => {
      if (request.path === '/load_lora_adapter') asked.push(request.body);
      const listed = ['base', ...(asked.length > 0 ? ['code'] : [])];
      const pages: Readonly<Record<string, unknown>> = {
        '/v1/models': { object: 'list', data: listed.map((id) => ({ id, owned_by: 'sglang' })) },
        '/get_server_info': { model_path: 'base', version: '0.5.4' },
        '/load_lora_adapter': { success: true },
      };
      const page = pages[request.path];
      response.writeHead(page === undefined ? 404 : 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(page ?? {}));
    });
    opened.push(server);
    const experts = [{ id: 'code', kind: 'openai', url: server.url, lora: { path: '/adapters/code' } }];
    const running = await gateway(JSON.stringify({ experts }), { probes: true });
    opened.push(running);
    await eventually(
      'it is loaded',
      async () => (await expertsOf(running))[0]!.replicas[0]!.health.state === 'ready',
    );
    expect(asked).toEqual(['{"lora_name":"code","lora_path":"/adapters/code"}']);
  });

  it('whose engine loads none is down, and the health says why', async () => {
    const emulated = await bases(1, null);
    const running = await router(urlsOf(emulated));
    await eventually('its health tells', async () =>
      (await expertsOf(running)).every(({ replicas }) =>
        /load_lora_adapter answered 404/.test(replicas[0]!.health.detail ?? ''),
      ),
    );
    expect((await ask(running, 'code')).status).toBe(503);
  });
});

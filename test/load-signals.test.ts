/** Load that engines report, from their page of metrics to the choice of replica, through a whole gateway. */
import { afterEach, describe, expect, it } from 'vitest';
import type { ExpertBody } from '../src/cli/experts/table.ts';
import { command } from './support/command.ts';
import { eventually, gateway, type RunningGateway } from './support/gateway.ts';
import { polite, type Upstream, upstream } from './support/upstream.ts';

/** A server that stands in for vLLM, with its metrics' documented names; what they say is for the test to change. */
interface Engine extends Upstream {
  metrics: string | null;
  chats(): number;
}

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

const page = (running: number, waiting = 0, cache = 0.1) =>
  `vllm:num_requests_running{model_name="m",engine="0"} ${running}
vllm:num_requests_waiting{model_name="m",engine="0"} ${waiting}
vllm:kv_cache_usage_perc{model_name="m",engine="0"} ${cache}\n`;

async function engine(metrics: string | null): Promise<Engine> {
  const server = await upstream((response, request) => {
    if (request.method === 'POST' && request.path.startsWith('/v1/')) return polite(response, request);
    const models = { object: 'list', data: [{ id: 'm', object: 'model', owned_by: 'vllm' }] };
    const body =
      request.path === '/v1/models'
        ? JSON.stringify(models)
        : request.path === '/version'
          ? '{"version":"0.11.0"}'
          : request.path === '/metrics'
            ? made.metrics
            : null;
    response.writeHead(body === null ? 404 : 200).end(body ?? '');
  });
  const chats = () => server.requests.filter((request) => request.path === '/v1/chat/completions').length;
  const made: Engine = { ...server, metrics, chats };
  opened.push(made);
  return made;
}

async function router(yaml: string): Promise<RunningGateway> {
  const running = await gateway(yaml, { probes: true });
  opened.push(running);
  return running;
}

const replicas = async ({ url }: RunningGateway) =>
  ((await (await fetch(`${url}/v1/experts`)).json()) as { data: ExpertBody[] }).data[0]!.replicas;
const ask = ({ post }: RunningGateway, content: string) =>
  post('/v1/chat/completions', { model: 'auto', messages: [{ role: 'user', content }] });

describe('reported load', () => {
  it('avoids the replica that others keep busy, and shows the reported load', async () => {
    const busy = await engine(page(40, 0, 0.5));
    const idle = await engine(page(0));
    const running = await router(
      `experts: [{ id: e, kind: openai, url: ['${busy.url}', '${idle.url}'], model: m }]`,
    );
    await eventually('both have told', async () =>
      (await replicas(running)).every(
        ({ reported, engine: told }) => reported.state === 'fresh' && told !== null,
      ),
    );
    expect((await replicas(running))[0]).toMatchObject({
      engine: { name: 'vLLM', version: '0.11.0' },
      reported: { running: 40, waiting: 0, kv_cache_use: 0.5, others: 40, full: false, problem: null },
    });
    const line = `{expert="e",replica="e/1"}`;
    expect(await running.metric(`expert_router_engine_running${line}`)).toBe(40);
    for (let i = 0; i < 12; i++) expect((await ask(running, `Question number ${i}`)).status).toBe(200);
    expect([busy.chats(), idle.chats()]).toEqual([0, 12]);
  });

  it('leaves a replica whose cache is full to the last, and returns when there is room', async () => {
    const full = await engine(page(1, 0, 0.98));
    const roomy = await engine(page(1, 0, 0.5));
    const running = await router(`experts: [{ id: e, kind: openai, url: ['${full.url}', '${roomy.url}'] }]`);
    await eventually('it is seen to be full', async () => (await replicas(running))[0]!.reported.full);
    await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map((i) => ask(running, `Question number ${i}`)));
    expect(full.chats()).toBe(0);
    full.metrics = page(0, 0, 0.1);
    await eventually('it is seen to have room', async () => !(await replicas(running))[0]!.reported.full);
    for (let i = 0; full.chats() === 0 && i < 100; i++) await ask(running, `Another question, ${i}`);
    expect(full.chats()).toBeGreaterThan(0);
  });

  it('reports renamed or missing metrics, keeps serving, and reads them again when they return', async () => {
    const one = await engine(page(3));
    const running = await router(`experts: [{ id: e, kind: openai, url: '${one.url}', model: m }]`);
    const reported = async () => (await replicas(running))[0]!.reported;
    await eventually('it has told', async () => (await reported()).state === 'fresh');
    one.metrics = 'vllm:requests_running_v2{model_name="m"} 3\n';
    await eventually('the new names are noticed', async () =>
      /renamed/.test((await reported()).problem ?? ''),
    );
    expect((await reported()).state).toMatch(/aging|lost/);
    one.metrics = null;
    await eventually('the page is gone', async () => (await reported()).state === 'none');
    expect((await ask(running, 'Still there?')).status).toBe(200);
    one.metrics = page(5);
    await eventually('it tells again', async () => (await reported()).running === 5);
  });

  it('is silent if there are no metrics, or if reading is disabled', async () => {
    const without = await engine(null);
    const unasked = await engine(page(9));
    const running = await router(
      `experts: [{ id: e, kind: openai, url: [{ url: '${without.url}' }, { url: '${unasked.url}', metrics_url: false }] }]`,
    );
    await eventually('the first was looked at', () =>
      without.requests.some((request) => request.path === '/metrics'),
    );
    const [first, second] = await replicas(running);
    expect(first!.reported).toMatchObject({ state: 'none', problem: null, others: 0 });
    expect(second!.reported.state).toBe('none');
    expect(unasked.requests.some((request) => request.path === '/metrics')).toBe(false);
  });

  it('reads the page that the config names, and sends the key only to the expert’s own address', async () => {
    const api = await engine(null);
    const elsewhere = await engine(page(2));
    const running = await router(
      `experts: [{ id: e, kind: openai, url: '${api.url}', api_key: secret, metrics_url: '${elsewhere.url}/metrics' }]`,
    );
    await eventually('it has told', async () => (await replicas(running))[0]!.reported.running === 2);
    expect(elsewhere.requests.every((request) => request.headers.authorization === undefined)).toBe(true);
  });

  it('refuses one page of metrics for several addresses', async () => {
    const yaml = `experts: [{ id: e, kind: openai, url: ['http://a:1', 'http://b:1'], metrics_url: 'http://a:1/metrics' }]`;
    await expect(gateway(yaml)).rejects.toThrow(/stands for 2 addresses/);
  });
});

describe('expert-router experts', () => {
  it('prints a running router’s experts as a table or as JSON', async () => {
    const one = await engine(page(3));
    const running = await router(`experts: [{ id: e, kind: openai, url: '${one.url}', model: m }]`);
    await eventually('it has told', async () => (await replicas(running))[0]!.reported.state === 'fresh');
    const table = command('experts', '--url', `${running.url}/v1/`);
    expect(await table.ended).toBe(0);
    expect(table.output()).toMatch(/^EXPERT +REPLICA +ENGINE/);
    expect(table.output()).toMatch(/^e +vLLM 0\.11\.0 +ready +closed +0\/256 +0 +- +3 +0 +10 % +3 +fresh/m);
    const json = command('experts', '--url', running.url, '--json');
    expect(await json.ended).toBe(0);
    expect(JSON.parse(json.output())).toMatchObject([{ id: 'e', replicas: [{ reported: { running: 3 } }] }]);
  });

  it('reports that there is no router', async () => {
    const other = await engine(null);
    const wrong = command('experts', '--url', other.url);
    expect(await wrong.ended).toBe(1);
    expect(wrong.output()).toMatch(/answered 404, so it is not an Expert Router/);
  });
});

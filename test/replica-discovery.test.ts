/** Replicas that are found while the gateway serves: by DNS, in a file, and as a Service's pods. */
import { createHash } from 'node:crypto';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Found } from '../src/serving/fleet/membership.ts';
import { watchKubernetes } from '../src/serving/members/kubernetes.ts';
import type { Source } from '../src/serving/members/source.ts';
import { type ApiDouble, apiServer } from './support/api-server.ts';
import { authority } from './support/certificates.ts';
import { eventually, gateway, type RunningGateway } from './support/gateway.ts';
import { type Answer, polite, type Upstream, upstream } from './support/upstream.ts';

const signer = authority();
const servers: Upstream[] = [];
let folder: string;
let running: RunningGateway | null = null;
let api: ApiDouble | null = null;
let source: Source | null = null;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'found-'));
});
afterEach(async () => {
  source?.close();
  await running?.close();
  await api?.close();
  await Promise.all(servers.splice(0).map((server) => server.close()));
  rmSync(folder, { recursive: true });
  source = running = api = null;
});
afterAll(() => signer?.remove());

async function pod(answer: Answer = polite): Promise<Upstream> {
  const server = await upstream(answer);
  servers.push(server);
  return server;
}
const portOf = ({ url }: Upstream): number => Number(new URL(url).port);
const answered = ({ requests }: Upstream): number =>
  requests.filter(({ method }) => method === 'POST').length;
const sha256 = (key: string): string => createHash('sha256').update(key).digest('hex');
const asOperator = { authorization: 'Bearer operator-key' };
let asks = 0;
/** Each begins with other words, so that no replica is preferred for what it has cached. */
const ask = (): Promise<Response> => {
  const chat = { model: 'code', messages: [{ role: 'user', content: `${asks++} and more` }] };
  return running!.post('/v1/chat/completions', chat, asOperator);
};
async function replicas(): Promise<readonly { name: string; in_flight: number }[]> {
  const { data } = (await (await fetch(`${running!.url}/v1/experts`, { headers: asOperator })).json()) as {
    data: { replicas: { name: string; in_flight: number }[] }[];
  };
  return data[0]!.replicas;
}
const names = async (): Promise<readonly string[]> => (await replicas()).map(({ name }) => name).sort();
const serve = async (discover: string, options = {}): Promise<void> => {
  running = await gateway(
    `keys: [{ name: me, hash: 'sha256:${sha256('operator-key')}', roles: [ask, observe, operate] }]
experts: [{ id: code, kind: openai, discover: ${discover} }]`,
    options,
  );
};

describe('a file of replicas', () => {
  const list = (...urls: readonly string[]): void => {
    writeFileSync(join(folder, 'new'), JSON.stringify(urls));
    renameSync(join(folder, 'new'), join(folder, 'code.json'));
  };

  it('is obeyed without a reload, and an answer under way ends where it began', async () => {
    let release = (): void => {};
    const slow = await pod(async (response, request) => {
      if (request.method === 'POST')
        await new Promise<void>((resolve) => {
          release = resolve;
        });
      return polite(response, request);
    });
    const quick = await pod();
    list(slow.url);
    await serve(`{ file: '${join(folder, 'code.json')}' }`);
    expect(await names()).toEqual([slow.url]);
    const held = ask();
    await eventually('the first is asked', () => answered(slow) === 1);
    list(quick.url);
    await eventually('the second is there', async () => (await names()).length === 2);
    for (let n = 0; n < 5; n++) expect((await ask()).status).toBe(200);
    expect([answered(slow), answered(quick)]).toEqual([1, 5]);
    // What leaves is counted for as long as something is with it.
    expect((await replicas()).find(({ name }) => name === slow.url)?.in_flight).toBe(1);
    release();
    expect((await held).status).toBe(200);
    await eventually('the first is gone', async () => (await names()).join() === quick.url);
    expect(running!.logged.join('\n')).toContain(
      `Expert 'code' has 1 replica: new ${quick.url}; leaving ${slow.url}.`,
    );
  });

  it('may be empty: requests are told to come back, until a replica is there', async () => {
    list();
    await serve(`{ file: '${join(folder, 'code.json')}' }`);
    const refused = await ask();
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBe('5');
    expect(await refused.json()).toMatchObject({
      error: { code: 'expert_not_ready', message: expect.stringContaining('no replica of it is there') },
    });
    expect((await fetch(`${running!.url}/v1/models`, { headers: asOperator })).status).toBe(200);
    const server = await pod();
    list(server.url);
    await eventually('it is found', async () => (await names()).length === 1);
    expect((await ask()).status).toBe(200);
  });

  it('that comes back before it is idle stays', async () => {
    const held: (() => void)[] = [];
    const server = await pod(async (response, request) => {
      if (request.method === 'POST') await new Promise<void>((resolve) => void held.push(resolve));
      return polite(response, request);
    });
    list(server.url);
    await serve(`{ file: '${join(folder, 'code.json')}' }`);
    const first = ask();
    await eventually('it is asked', () => answered(server) === 1);
    list();
    await eventually('it leaves', () => running!.logged.some((line) => line.includes('leaving')));
    expect((await ask()).status).toBe(503);
    list(server.url);
    const tries: Promise<Response>[] = [];
    await eventually('it is asked again', () => {
      tries.push(ask());
      return answered(server) > 1;
    });
    expect(await names()).toEqual([server.url]);
    const letGo = setInterval(() => {
      for (const go of held) go();
    }, 10);
    expect((await first).status).toBe(200);
    await Promise.all(tries);
    clearInterval(letGo);
  });

  it('gives a replica that loads its model nothing before it is ready', async () => {
    let ready = false;
    const loading = await pod((response, request) => {
      if (ready) return polite(response, request);
      response.writeHead(503, { 'content-type': 'application/json' }).end('{"error":"loading"}');
    });
    const there = await pod();
    list(there.url);
    await serve(`{ file: '${join(folder, 'code.json')}' }`, { probes: true });
    list(there.url, loading.url);
    await eventually('both are known', async () => (await names()).length === 2);
    for (let n = 0; n < 6; n++) expect((await ask()).status).toBe(200);
    expect(answered(loading)).toBe(0);
    ready = true;
    await eventually('it is asked as well', async () => {
      await Promise.all([ask(), ask(), ask()]);
      return answered(loading) > 0;
    });
  });
});

it('takes every address of a DNS name', async () => {
  const server = await pod();
  await serve(`{ dns: localhost, port: ${portOf(server)} }`);
  expect(await names()).toEqual([`http://127.0.0.1:${portOf(server)}`]);
  expect((await ask()).status).toBe(200);
});

it.each([
  ['url: http://gpu1, discover: { file: a }', /discover: `url` lists its replicas already/],
  ['model: m', /url: the address of its server is missing; or say how to `discover` it/],
  ['discover: { dns: gpu }', /discover/],
  ['discover: { dns: gpu, port: 8000, file: a }', /discover/],
  ['discover: { file: a }, metrics_url: http://gpu1/metrics', /metrics_url: one page cannot stand/],
])('refuses the config %s', async (options, why) => {
  await expect(gateway(`experts:\n  - { id: code, kind: openai, ${options} }`)).rejects.toThrow(why);
});

describe.skipIf(signer === null)('the pods of a Service', () => {
  const at = (server: Upstream) =>
    [{ addresses: ['127.0.0.1'], conditions: { ready: true } }, portOf(server)] as const;
  const place = (name: string, server: Upstream, conditions: object = { ready: true }): void =>
    api!.put(name, portOf(server), [{ ...at(server)[0], conditions }]);
  const discover = (): string => `{ kubernetes: { service: vllm, credentials: '${api!.credentials}' } }`;
  const watching = (): Promise<void> => eventually('a watch runs', () => api!.asked.watches.length > 0);

  it('come and go, and a terminating one keeps what it has', async () => {
    api = await apiServer(signer!);
    let release = (): void => {};
    const first = await pod(async (response, request) => {
      if (request.method === 'POST' && answered(first) === 1)
        await new Promise<void>((resolve) => {
          release = resolve;
        });
      return polite(response, request);
    });
    const second = await pod();
    place('a', first);
    api.put('other', 1, [{ addresses: ['127.0.0.1'] }], 'another-service');
    await serve(discover(), { environment: api.environment });
    expect(await names()).toEqual([`http://127.0.0.1:${portOf(first)}`]);
    const held = ask();
    await eventually('it is asked', () => answered(first) === 1);
    place('b', second, { ready: false });
    place('a', first, { ready: false, serving: true, terminating: true });
    await eventually('it gets nothing new', async () => (await ask()).status === 503);
    const before = answered(first);
    place('b', second);
    await eventually('the second serves', async () => (await ask()).status === 200);
    expect(answered(first)).toBe(before);
    release();
    expect((await held).status).toBe(200);
    await eventually('one is left', async () => (await names()).length === 1);
    expect(api.asked).toMatchObject({ lists: 1, refused: [] });
  });

  function listen(from: { service: string } | { pool: string } = { service: 'vllm' }) {
    const told: string[][] = [];
    const troubles: (string | null)[] = [];
    source = watchKubernetes(
      { ...from, credentials: api!.credentials },
      {
        tell: (found: readonly Found[]) => void told.push(found.map(({ url }) => url)),
        trouble: (problem) => void troubles.push(problem),
        environment: api!.environment,
        random: () => 0,
      },
    );
    return { told, troubles };
  }
  const ip = (n: number): readonly { addresses: [string] }[] => [
    { addresses: [`10.0.${n >> 8}.${n & 255}`] },
  ];

  it('are listed in pages, and a storm of changes is told in few steps', async () => {
    api = await apiServer(signer!, { pageSize: 10 });
    for (let n = 0; n < 35; n++) api.put(`slice-${n}`, 8000, ip(n));
    const { told } = listen();
    await eventually('the list', () => told.at(-1)?.length === 35);
    expect(api.asked).toMatchObject({ lists: 1, pages: 4 });
    await watching();
    for (let n = 0; n < 2000; n++) api.put(`slice-${n % 500}`, 8000, ip(n));
    await eventually('the last change', () => told.at(-1)?.length === 500);
    expect(told.length).toBeLessThan(30);
  });

  it('are watched on from the last version seen, a bookmark’s included', async () => {
    api = await apiServer(signer!);
    api.put('a', 8000, ip(1));
    const { told } = listen();
    await watching();
    expect(api.asked.watches).toEqual(['1001']);
    api.put('b', 8000, ip(2));
    api.bookmark();
    await eventually('the change', () => told.at(-1)?.length === 2);
    api.endWatches();
    api.drop('a'); // between two watches
    await eventually('what was missed', () => told.at(-1)?.length === 1);
    expect(api.asked).toMatchObject({ lists: 1, watches: ['1001', '1003'] });
  });

  it('are listed anew when their history is gone', async () => {
    api = await apiServer(signer!);
    api.put('a', 8000, ip(1));
    const { told, troubles } = listen();
    await watching();
    api.compact();
    api.drop('a');
    api.put('b', 8000, ip(2));
    await eventually('what is so now', () => told.at(-1)?.join() === 'http://10.0.0.2:8000');
    expect(api.asked.lists).toBe(2);
    expect(troubles.filter((problem) => problem !== null)).toEqual([]);
  });

  it('stay as they were while the API server refuses or is away, and its new token is taken up', async () => {
    api = await apiServer(signer!);
    api.put('a', 8000, ip(1));
    const { told, troubles } = listen();
    await watching();
    const { credentials } = api;
    writeFileSync(join(credentials, 'token'), 'stale');
    api.endWatches();
    await eventually('the refusal is told', () => /401.*needs a Role/.test(troubles.at(-1) ?? ''));
    expect(told).toEqual([['http://10.0.0.1:8000']]);
    api.rotate('second-token');
    api.put('b', 8000, ip(2));
    await eventually('it goes on', () => told.at(-1)?.length === 2);
    expect(troubles.at(-1)).toBeNull();
  });

  const inPool = (n: number, app: string, ready = true, more: object = {}): void =>
    api!.putOther('pods', `${app}-${n}`, {
      metadata: { labels: { app }, ...more },
      status: { podIP: `10.0.0.${n}`, conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
    });
  const pool = (app: string, ...ports: number[]): void =>
    api!.putOther('inferencepools', 'code', {
      spec: {
        selector: { matchLabels: { app } },
        targetPorts: ports.map((number) => ({ number })),
      },
    });

  it('of an InferencePool are its ready pods, at each of its ports, as both change', async () => {
    api = await apiServer(signer!);
    const { told, troubles } = listen({ pool: 'code' });
    await eventually('it is said that there is none', () =>
      troubles.includes("There is no InferencePool 'code'."),
    );
    inPool(1, 'vllm');
    inPool(2, 'vllm', false);
    inPool(3, 'other');
    pool('vllm', 8000);
    await eventually('the one that is ready', () => told.at(-1)?.join() === 'http://10.0.0.1:8000');
    expect(troubles.at(-1)).toBeNull();
    inPool(2, 'vllm');
    pool('vllm', 8000, 8001);
    const four = [1, 2].flatMap((n) => [8000, 8001].map((port) => `http://10.0.0.${n}:${port}`));
    await eventually('both at both', () => told.at(-1)?.join() === four.join());
    inPool(1, 'vllm', true, { deletionTimestamp: '2027-01-01T00:00:00Z' });
    await eventually('one is leaving', () => told.at(-1)?.join() === four.slice(2).join());
    pool('other', 9000);
    await eventually('others are selected', () => told.at(-1)?.join() === 'http://10.0.0.3:9000');
    api.drop('code');
    await eventually('none', () => told.at(-1)?.length === 0);
    expect(troubles.at(-1)).toBe("There is no InferencePool 'code'.");
    expect(api.asked.refused).toEqual([]);
  });

  it.each([
    ['{ kubernetes: { } }', /name a `service` or a `pool`/],
    ['{ kubernetes: { service: a, pool: b } }', /name a `service` or a `pool`/],
    ['{ kubernetes: { pool: b, port: http } }', /ports have no names/],
  ])('are refused as %s', async (where, why) => {
    await expect(gateway(`experts: [{ id: e, kind: openai, discover: ${where} }]`)).rejects.toThrow(why);
  });

  it('are not asked for outside of a pod', async () => {
    api = await apiServer(signer!);
    await serve(discover(), { environment: {} });
    expect(running!.logged.join('\n')).toMatch(/KUBERNETES_SERVICE_HOST is not set, so this is no pod/);
    expect((await ask()).status).toBe(503);
  });
});

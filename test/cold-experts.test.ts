/** Experts of which nothing runs: their prompts are held until they have started, or go to the next best. */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, credentials } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createGateway, type EmbeddedGateway } from '../src/index.ts';
import { externalScalerService } from '../src/serving/scaler/server.ts';
import { eventually } from './support/gateway.ts';
import { polite, type Upstream, upstream } from './support/upstream.ts';

const CODE = 'Write a Python function that reverses a list';
let folder: string;
let running: EmbeddedGateway;
let url: string;
let code: Upstream;
let general: Upstream;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cold-'));
  [code, general] = [await upstream(polite), await upstream(polite)];
});
afterEach(async () => {
  await running?.close({ graceMs: 0 });
  await Promise.all([code?.close(), general?.close()]);
  rmSync(folder, { recursive: true });
});

function replicas(...urls: readonly string[]): void {
  writeFileSync(join(folder, 'new'), JSON.stringify(urls));
  renameSync(join(folder, 'new'), join(folder, 'code.json'));
}

async function serve(cold: string, more = '', alone = false): Promise<void> {
  replicas();
  const other = `
  - { id: general, kind: openai, url: '${general.url}', samples: ['What is the capital of France?'] }`;
  running = await createGateway(
    `${more}
experts:
  - { id: code, kind: openai, discover: { file: '${join(folder, 'code.json')}' }, samples: ['${CODE}']${cold} }${
    alone ? '' : other
  }`,
    { probes: false, log: () => {} },
  );
  url = await running.listen({ port: 0 });
}

const ask = (model: string, more = {}, signal?: AbortSignal): Promise<Response> =>
  fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ model, messages: [{ role: 'user', content: CODE }], ...more }),
    signal: signal ?? null,
  });
const by = (response: Response) => response.headers.get('x-expert-router-expert');
const queued = async (count: number): Promise<void> =>
  eventually(`${count} wait`, async () =>
    (await running.metrics()).includes(`expert_router_queued{expert="code"} ${count}`),
  );
const answered = ({ requests }: Upstream): number =>
  requests.filter(({ method }) => method === 'POST').length;
const startsIn = async (): Promise<number | null> => {
  const { data } = (await (await fetch(`${url}/v1/experts`)).json()) as {
    data: { starts_in: number | null }[];
  };
  return data[0]!.starts_in;
};

describe('an expert at zero', () => {
  it('holds who asks for it, streams with signs of life, and answers once it has started', async () => {
    await serve(', start_timeout: 30s', 'heartbeat: 100ms');
    expect(await startsIn()).toBe(60);
    const [whole, stream] = [ask('code'), await ask('code', { stream: true })];
    await queued(2);
    expect(stream.status).toBe(200);
    replicas(code.url);
    expect((await whole).status).toBe(200);
    const text = await stream.text();
    expect(text).toMatch(/^: /);
    expect(text.trimEnd()).toMatch(/data: \[DONE\]$/);
    expect(answered(code)).toBe(2);
    expect(await startsIn()).toBeNull();
    // What that start took is what the next is expected to take.
    replicas();
    await eventually('it is gone', async () => (await startsIn()) !== null);
    expect(await startsIn()).toBeLessThan(20);
  });

  it('lets the next best answer where that costs less than its start, and waits where it costs more', async () => {
    await serve(', start_timeout: 90s');
    expect(by(await ask('auto'))).toBe('general');
    await running.close({ graceMs: 0 });
    await serve(', start_timeout: 90s', 'policy: { name: spill, seconds_per_affinity: 100000 }');
    const held = ask('auto');
    await queued(1);
    replicas(code.url);
    expect(by(await held)).toBe('code');
  });

  it('is waited for where there is nobody else', async () => {
    await serve(', start_timeout: 90s', '', true);
    const held = ask('auto');
    await queued(1);
    replicas(code.url);
    expect((await held).status).toBe(200);
  });

  it('that does not start in time costs nobody an answer who can have another', async () => {
    await serve(', start_timeout: 500ms');
    const refused = await ask('code');
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toMatch(/^\d+$/);
    expect(by(await ask('auto'))).toBe('general');
  });

  it('holds no more than its queue, and forgets who leaves', async () => {
    await serve(', start_timeout: 90s, queue_size: 1');
    const leaving = new AbortController();
    const first = ask('code', {}, leaving.signal);
    await queued(1);
    const second = await ask('code');
    expect([second.status, ((await second.json()) as { error: { code: string } }).error.code]).toEqual([
      429,
      'overloaded',
    ]);
    leaving.abort();
    await expect(first).rejects.toThrow();
    await queued(0);
    replicas(code.url);
    await eventually('it is there', async () => (await startsIn()) === null);
    expect(answered(code)).toBe(0);
  });

  it('is active for KEDA while a request is held for it, and until it has come', async () => {
    await serve(', start_timeout: 90s');
    const client = new Client(await running.listenScaler({ port: 0 }), credentials.createInsecure());
    const { path, requestSerialize, responseDeserialize } = externalScalerService().IsActive!;
    const active = (): Promise<boolean> =>
      new Promise((resolve, reject) => {
        client.makeUnaryRequest(
          path,
          requestSerialize,
          responseDeserialize,
          { name: 'so', namespace: 'llm', scalerMetadata: { expert: 'code' } },
          (error: unknown, told?: { result?: boolean }) =>
            error ? reject(error) : resolve(told?.result ?? false),
        );
      });
    expect(await active()).toBe(false);
    const held = ask('code');
    await queued(1);
    expect(await active()).toBe(true);
    replicas(code.url);
    expect((await held).status).toBe(200);
    client.close();
  });
});

it.each([
  ['kind: openai, url: http://gpu1, start_timeout: 5m', /start_timeout: goes with `start` or `discover`/],
  ['kind: openai, url: http://gpu1, start: docker start code', /start: a list of words/],
  ['kind: openai, url: http://gpu1, start: []', /start: at least the name of a program/],
  ['kind: openai, url: http://gpu1, stop: [docker, stop, code]', /stop: goes with `start`/],
  ['kind: openai, url: http://gpu1, idle: 5m', /idle: goes with `start`/],
  ['kind: emulated, start: [docker, start, code]', /start: experts of this kind have no server/],
])('refuses an expert with %s', async (options, why) => {
  await expect(createGateway(`experts:\n  - { id: code, ${options} }`)).rejects.toThrow(why);
});

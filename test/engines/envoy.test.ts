/** The external processor with a real Envoy around it: every row of what such a pair is known to get wrong. */
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createGateway, type EmbeddedGateway } from '../../src/index.ts';
import { hashKey } from '../../src/serving/front/auth.ts';
import { authority } from '../support/certificates.ts';
import { command } from '../support/command.ts';
import { eventually } from '../support/gateway.ts';
import { type Answer, polite, type Recorded, type Upstream, upstream } from '../support/upstream.ts';
import { describeWith } from './component.ts';
import { freePort } from './engine-process.ts';
import { bootstrapText, type EnvoyProcess, envoyProcess, validate } from './envoy-process.ts';

const CODE = 'Write a Python function that reverses a list';
const MATHS = 'Solve for x in 3x + 7 = 22';
const body = (text: string, more: object = {}): string =>
  JSON.stringify({ model: 'auto', messages: [{ role: 'user', content: text }], ...more });

/** Streams piece by piece, each when it is let; so that whoever holds pieces back is found out. */
function paced(): { readonly answer: Answer; go(): void } {
  let go = (): void => {};
  const answer: Answer = async (response, asked) => {
    if (asked.method === 'GET') return polite(response, asked);
    response.writeHead(200, { 'content-type': 'text/event-stream', 'x-pod': 'secret' });
    for (let piece = 0; piece < 5; piece += 1) {
      response.write(`data: {"piece":${piece}}\n\n`);
      await new Promise<void>((resolve) => {
        go = resolve;
      });
    }
    response.end('data: [DONE]\n\n');
  };
  return { answer, go: () => go() };
}

const posts = ({ requests }: Upstream): readonly Recorded[] =>
  requests.filter(({ method }) => method === 'POST');

describeWith(['envoy'], 'Envoy', (folder) => {
  let gateway: EmbeddedGateway;
  let envoy: EnvoyProcess;
  let experts: readonly Upstream[] = [];

  async function start(
    yaml: (urls: readonly string[]) => string,
    answers: readonly Answer[],
    options: Parameters<typeof envoyProcess>[3] = {},
  ): Promise<void> {
    experts = await Promise.all(answers.map(upstream));
    const text = yaml(experts.map(({ url }) => url));
    gateway = await createGateway(text, { probes: false });
    envoy = await envoyProcess(folder!, text, await gateway.listenExtProc({ port: 0 }), options);
  }

  async function stop(): Promise<void> {
    await envoy.kill();
    await gateway.close({ graceMs: 0 });
    await Promise.all(experts.map((one) => one.close()));
  }

  const post = (
    bytes: string | Uint8Array,
    headers: Record<string, string> = {},
    path = '/v1/chat/completions',
  ) => fetch(envoy.url + path, { method: 'POST', headers, body: bytes as string });
  const inFlight = async (): Promise<number> =>
    [...(await gateway.metrics()).matchAll(/^expert_router_inflight\{.*\} (\d+)$/gm)].reduce(
      (sum, [, count]) => sum + Number(count),
      0,
    );
  const two = (urls: readonly string[]): string => `
experts:
  - { id: code, kind: openai, url: '${urls[0]}', model: coder, samples: ['${CODE}'], api_key: sk-code }
  - { id: maths, kind: openai, url: '${urls[1]}', model: maths-7b, samples: ['${MATHS}'] }
`;

  describe.each(['full-duplex', 'buffered'] as const)('with limits, and bodies %s', (mode) => {
    const stream = paced();
    const key = { authorization: 'Bearer limited' };
    const limited = (urls: readonly string[]): string => `${two(urls)}
keys:
  - { name: limited, hash: '${hashKey('limited')}', limits: { tokens_per_minute: 10000, concurrent: 1 } }
  - { name: free, hash: '${hashKey('free')}' }
`;
    const usage: Answer = async (response, asked) => {
      if (asked.method === 'GET') return polite(response, asked);
      const answer = {
        choices: [{ message: { role: 'assistant', content: 'yes' }, finish_reason: 'stop' }],
        usage: { prompt_tokens: 1000, completion_tokens: 3000, total_tokens: 4000 },
      };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    };
    const left = (answer: Response): number => Number(answer.headers.get('x-ratelimit-remaining-tokens'));
    beforeAll(() => start(limited, [usage, stream.answer], { body: mode }));
    afterAll(stop);

    it('charges what a whole answer says that it took', async () => {
      const first = await post(body(CODE, { max_tokens: 10 }), key);
      expect(left(first)).toBeGreaterThan(9_900);
      await first.json();
      await eventually('it is charged', async () => {
        const next = await post(body(CODE, { max_tokens: 10 }), key);
        await next.text();
        return next.status === 200 && left(next) < 7_000;
      });
    });

    it('passes every piece of a stream as it comes, and holds its place until the end', async () => {
      const answer = await post(body(MATHS, { stream: true }), key);
      const reader = answer.body!.getReader();
      let read = '';
      for (let piece = 0; piece < 5; piece += 1) {
        while (!read.includes(`"piece":${piece}`))
          read += Buffer.from((await reader.read()).value!).toString();
        expect(read).not.toContain(`"piece":${piece + 1}`);
        if (piece === 2) expect((await post(body(CODE), key)).status).toBe(429);
        stream.go();
      }
      while (!(await reader.read()).done);
      await eventually('its place is free', async () => (await post(body(CODE), key)).status === 200);
      await eventually('the lease is given back', async () => (await inFlight()) === 0);
    });

    it('shows no piece of other keys to the processor', async () => {
      const before = await envoy.stat('ext_proc.stream_msgs_sent');
      const answer = await post(body(MATHS, { stream: true }), { authorization: 'Bearer free' });
      const reader = answer.body!.getReader();
      let read = '';
      for (let piece = 0; piece < 5; piece += 1) {
        while (!read.includes(`"piece":${piece}`))
          read += Buffer.from((await reader.read()).value!).toString();
        stream.go();
      }
      while (!(await reader.read()).done);
      expect((await envoy.stat('ext_proc.stream_msgs_sent')) - before).toBeLessThanOrEqual(5);
    });
  });

  describe.each(['full-duplex', 'buffered'] as const)('with bodies %s', (mode) => {
    const stream = paced();
    beforeAll(() => start(two, [polite, stream.answer], { body: mode }));
    afterAll(stop);

    it('asks the expert chosen, by its own name of the model', async () => {
      const answer = await post(body(CODE), { authorization: 'Bearer of-the-client', cookie: 'a=b' });
      expect(answer.status).toBe(200);
      expect(await answer.json()).toMatchObject({ model: 'coder' });
      expect(Object.fromEntries(answer.headers)).toMatchObject({
        'x-expert-router-expert': 'code',
        'x-expert-router-reason': 'nearest-cluster',
        'x-expert-router-cluster': expect.stringMatching(/^\d+$/),
      });
      const [asked] = posts(experts[0]!).slice(-1);
      expect(asked!.body).toBe(body(CODE).replace('"auto"', '"coder"'));
      expect(asked!.headers).toMatchObject({
        authorization: 'Bearer sk-code',
        host: experts[0]!.url.slice('http://'.length),
        'x-selected-model': 'code',
        'x-gateway-model-name': 'coder',
      });
      expect(asked!.headers.cookie).toBeUndefined();
    });

    it('passes every piece of a stream as it comes, and shows none of it to the processor', async () => {
      const before = await envoy.stat('ext_proc.stream_msgs_sent');
      const answer = await post(body(MATHS, { stream: true }));
      expect(answer.headers.get('x-pod')).toBeNull();
      const reader = answer.body!.getReader();
      let read = '';
      for (let piece = 0; piece < 5; piece += 1) {
        while (!read.includes(`"piece":${piece}`)) {
          const { value } = await reader.read();
          read += Buffer.from(value!).toString();
        }
        expect(read).not.toContain(`"piece":${piece + 1}`);
        expect(await inFlight()).toBe(1);
        stream.go();
      }
      while (!(await reader.read()).done);
      await eventually('the lease is given back', async () => (await inFlight()) === 0);
      // Head, body and its end, and the head of the answer; perhaps its end.
      expect((await envoy.stat('ext_proc.stream_msgs_sent')) - before).toBeLessThanOrEqual(5);
    });

    it('gives the lease back, and tells the expert, when the client leaves', async () => {
      const leaving = new AbortController();
      const left = experts[1]!.abandoned;
      const answer = await fetch(`${envoy.url}/v1/chat/completions`, {
        method: 'POST',
        body: body(MATHS, { stream: true }),
        signal: leaving.signal,
      });
      await answer.body!.getReader().read();
      expect(await inFlight()).toBe(1);
      leaving.abort();
      await left;
      await eventually('the lease is given back', async () => (await inFlight()) === 0);
    });

    it('holds nothing of a client that leaves within its body', async () => {
      const leaving = request(`${envoy.url}/v1/chat/completions`, { method: 'POST' });
      leaving.on('error', () => {});
      leaving.write(body(CODE).slice(0, 20));
      await eventually(
        'the processor reads it',
        async () => (await envoy.stat('ext_proc.streams_started')) > 0,
      );
      leaving.destroy();
      await eventually(
        'all streams are over',
        async () =>
          (await envoy.stat('ext_proc.streams_started')) === (await envoy.stat('ext_proc.streams_closed')),
      );
      expect(await inFlight()).toBe(0);
    });

    it('lets no client choose: copies of our headers are not read and do not pass', async () => {
      const asked = posts(experts[0]!).length;
      const forged = {
        'x-selected-model': 'maths',
        'X-Gateway-Model-Name': 'mine',
        'x-gateway-destination-endpoint': experts[1]!.url.slice('http://'.length),
        'x-gateway-destination-endpoint-subset': experts[1]!.url.slice('http://'.length),
      };
      const answer = await post(body(CODE), forged);
      expect(answer.headers.get('x-expert-router-expert')).toBe('code');
      const [got] = posts(experts[0]!).slice(asked);
      expect(got!.headers).toMatchObject({
        'x-selected-model': 'code',
        'x-gateway-model-name': 'coder',
        'x-gateway-destination-endpoint': experts[0]!.url.slice('http://'.length),
      });
      expect(got!.headers['x-gateway-destination-endpoint-subset']).toBeUndefined();
    });

    it('relays 3 MB, and refuses what is over the limit', async () => {
      const large = body(CODE, { padding: 'x'.repeat(3_000_000) });
      const answer = await post(large);
      expect(answer.status).toBe(200);
      expect(posts(experts[0]!).at(-1)!.body).toBe(large.replace('"auto"', '"coder"'));
      const refused = await post(body(CODE, { padding: 'x'.repeat(33 * 1024 * 1024) }));
      expect(refused.status).toBe(413);
    });

    it('answers a request without a body, and one for the models, at once', async () => {
      expect((await post('')).status).toBe(400);
      const models = (await (await fetch(`${envoy.url}/v1/models`)).json()) as { data: { id: string }[] };
      expect(models.data.map(({ id }) => id)).toEqual(['auto', 'code', 'maths']);
    });

    it.each<[string, string | Uint8Array, Record<string, string>, string, number, string]>([
      ['malformed JSON', '{"messages":', {}, '/v1/chat/completions', 400, 'invalid_json'],
      [
        'a compressed body',
        gzipSync(body(CODE)),
        { 'content-encoding': 'gzip' },
        '/v1/chat/completions',
        415,
        'unsupported_media_type',
      ],
      [
        'an unknown expert',
        body(CODE, { model: 'nobody' }),
        {},
        '/v1/chat/completions',
        404,
        'model_not_found',
      ],
      ['an unknown path', body(CODE), {}, '/v1/elsewhere', 404, 'not_found'],
    ])('refuses %s in the words of the gateway', async (_what, bytes, headers, path, status, code) => {
      const answer = await post(bytes, headers, path);
      expect(answer.status).toBe(status);
      expect(await answer.json()).toMatchObject({ error: { code } });
      expect(answer.headers.get('content-type')).toContain('application/json');
    });

    it('logs who answered, without a word of what was asked', async () => {
      await eventually('it is logged', () => envoy.logged().some((line) => line.expert === 'code'));
      const line = envoy.logged().find((one) => one.expert === 'code' && one.status === 200)!;
      expect(line).toMatchObject({
        reason: 'nearest-cluster',
        endpoints: experts[0]!.url.slice('http://'.length),
        upstream: experts[0]!.url.slice('http://'.length),
      });
      expect(JSON.stringify(envoy.logged())).not.toContain('reverses');
    });
  });

  describe('where experts fail', () => {
    afterEach(stop);
    const replicas = (urls: readonly string[], more = ''): string =>
      `experts: [{ id: code, kind: openai, url: ['http://127.0.0.1:1', '${urls[0]}'], model: coder${more} }]`;

    it('asks the next replica of the list where the first cannot be reached', async () => {
      await start(replicas, [polite]);
      const lists: string[] = [];
      for (let round = 0; round < 12; round += 1) {
        expect((await post(body(`${CODE} ${round}`))).status).toBe(200);
        lists.push(String(posts(experts[0]!).at(-1)!.headers['x-gateway-destination-endpoint']));
      }
      expect(lists.some((list) => list.startsWith('127.0.0.1:1,'))).toBe(true);
    });

    it('says so in the shape of an API’s error where nobody can be reached', async () => {
      await start(() => `experts: [{ id: code, kind: openai, url: 'http://127.0.0.1:1' }]`, []);
      const answer = await post(body(CODE));
      expect(answer.status).toBe(502);
      expect(await answer.json()).toMatchObject({ type: 'error', error: { code: 'expert_unreachable' } });
      expect(answer.headers.get('retry-after')).toBe('1');
    });

    it('says when to come again where an expert is full', async () => {
      const { answer } = paced();
      const full = ', max_concurrent: 1, queue_size: 0';
      await start(
        ([url]) => `experts: [{ id: code, kind: openai, url: '${url}', model: coder${full} }]`,
        [answer],
      );
      const first = await post(body(CODE, { stream: true }));
      const second = await post(body(CODE));
      expect(second.status).toBe(429);
      expect(Number(second.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
      expect(await second.json()).toMatchObject({ error: { code: 'overloaded' } });
      await first.body!.cancel();
    });

    it('answers within its own deadline, where Envoy itself would wait for ever', async () => {
      await start(
        ([url]) => `extproc: { deadline: 500ms }\nexperts: [{ id: code, kind: openai, url: '${url}' }]`,
        [polite],
      );
      const slow = request(`${envoy.url}/v1/chat/completions`, { method: 'POST' });
      slow.on('error', () => {});
      slow.write('{');
      const [answer] = (await once(slow, 'response')) as [{ statusCode: number; resume(): void }];
      expect(answer.statusCode).toBe(400);
      slow.destroy();
    });

    it('ends a ring of routers', async () => {
      const port = await freePort();
      await start(() => `experts: [{ id: code, kind: openai, url: 'http://127.0.0.1:${port}' }]`, [], {
        port,
      });
      const answer = await post(body(CODE));
      expect(answer.status).toBe(400);
      expect(await answer.json()).toMatchObject({ error: { code: 'request_loop' } });
      await eventually('no lease is left', async () => (await inFlight()) === 0);
    });

    it('lets nobody in without a key, where there are keys', async () => {
      const keys = `keys: [{ name: me, hash: '${hashKey('key')}' }]`;
      await start(([url]) => `${keys}\nexperts: [{ id: code, kind: openai, url: '${url}' }]`, [polite]);
      const stranger = await post(body(CODE));
      expect(stranger.status).toBe(401);
      expect(stranger.headers.get('www-authenticate')).toBe('Bearer');
      expect((await post(body(CODE), { authorization: 'Bearer key' })).status).toBe(200);
    });

    it('gives every lease back when Envoy is killed', async () => {
      const { answer } = paced();
      await start(([url]) => `experts: [{ id: code, kind: openai, url: '${url}' }]`, [answer]);
      const open = await Promise.all([1, 2, 3].map(() => post(body(CODE, { stream: true }))));
      expect(await inFlight()).toBe(3);
      await envoy.kill();
      await eventually('all are given back', async () => (await inFlight()) === 0);
      for (const one of open) await one.body!.cancel().catch(() => {});
    });
  });

  it('fails closed while the processor is gone, and serves again once it is back', async () => {
    const stream = paced();
    const expert = await upstream(stream.answer);
    const file = join(mkdtempSync(join(tmpdir(), 'expert-router-')), 'experts.yaml');
    const yaml = `experts: [{ id: code, kind: openai, url: '${expert.url}' }]\n`;
    writeFileSync(file, yaml);
    const port = await freePort();
    const serve = async () => {
      const running = command('extproc', '--config', file, '--port', String(port));
      await running.said(/serves Envoy on/);
      return running;
    };
    const ask = (headers: Record<string, string> = {}) =>
      fetch(`${running.url}/v1/chat/completions`, {
        method: 'POST',
        headers,
        body: body(CODE, { stream: true }),
      });
    const first = await serve();
    const running = await envoyProcess(folder!, yaml, `127.0.0.1:${port}`);
    try {
      // What is answered already is broken off, never ended as if it were whole.
      const cut = await ask();
      const reader = cut.body!.getReader();
      await reader.read();
      first.process.kill('SIGKILL');
      await expect(
        (async () => {
          while (!(await reader.read()).done) stream.go();
        })(),
      ).rejects.toThrow();
      const asked = posts(expert).length;
      const forged = { 'x-selected-model': 'code', 'x-gateway-destination-endpoint': expert.url.slice(7) };
      for (const headers of [{}, forged]) {
        const refused = await ask(headers);
        expect(refused.status).toBe(503);
        expect(await refused.json()).toMatchObject({ error: { code: 'shutting_down' } });
      }
      expect(posts(expert).length).toBe(asked);

      // One that is told to stop lets what it has begun come to its end.
      const second = await serve();
      await eventually('it is healthy', async () => (await ask().then(discarded)) === 200);
      const whole = await ask();
      second.process.kill('SIGTERM');
      let read = '';
      for await (const piece of whole.body!) {
        read += Buffer.from(piece).toString();
        stream.go();
      }
      expect(read).toContain('[DONE]');
      expect(await second.ended).toBe(0);
    } finally {
      await running.kill();
      first.process.kill('SIGKILL');
      await expert.close();
    }
  });

  it('takes every configuration that is written for it', async () => {
    const signed = authority()!;
    const { cert, key } = signed.issue('envoy');
    const tls = `tls: { cert: '${cert}', key: '${key}', client_ca: '${signed.ca}' }`;
    const cloud = `experts: [{ id: cloud, kind: openai, url: 'https://api.example.com/v1', api_key: k }]`;
    const yamls = [
      two(['http://127.0.0.1:1', 'http://gpu2:8000']),
      `${tls}\n${cloud}`,
      `extproc: { endpoints: false, expert_headers: [x-a, x-b] }\nmax_connections: 5\n${cloud}`,
    ];
    for (const yaml of yamls) {
      for (const mode of ['full-duplex', 'buffered'] as const) {
        const text = bootstrapText(yaml, '127.0.0.1:9002', { port: 10_000, admin: 9901, body: mode });
        expect(validate(folder!, text)).toMatchObject({ status: 0 });
      }
    }
    signed.remove();
  });
});

async function discarded(answer: Response): Promise<number> {
  await answer.body?.cancel();
  return answer.status;
}

/** What a client sees when experts misbehave: saved where it can be, told honestly where it cannot. */
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { defineExpert, RunningGenerations, z } from '../src/expert.ts';
import { eventually, gateway, type RunningGateway } from './support/gateway.ts';
import { type Answer, polite, type Upstream, upstream } from './support/upstream.ts';

let running: (RunningGateway | Upstream)[] = [];
afterEach(async () => {
  await Promise.all(running.map((one) => one.close()));
  running = [];
});

/** Two experts: every prompt goes to `code`, the only one that describes itself, and it misbehaves; `other` is well. */
async function start(
  misbehave: Answer,
  more = '',
): Promise<{ router: RunningGateway; code: Upstream; other: Upstream }> {
  const code = await upstream((response, request) =>
    request.method === 'GET' ? polite(response, request) : misbehave(response, request),
  );
  const other = await upstream(polite);
  const router = await gateway(`
experts:
  - { id: code, kind: openai, url: '${code.url}', samples: [Write a Python function that sorts a list]${more} }
  - { id: other, kind: openai, url: '${other.url}' }
`);
  running.push(router, code, other);
  return { router, code, other };
}

const PROMPT = 'Write a Python function that sorts a list';
const ask = (router: RunningGateway, more: object = {}, headers: Record<string, string> = {}) =>
  router.post(
    '/v1/chat/completions',
    { model: 'auto', messages: [{ role: 'user', content: PROMPT }], ...more },
    headers,
  );
const servedBy = (response: Response) => [
  response.status,
  response.headers.get('x-expert-router-expert'),
  response.headers.get('x-expert-router-tries'),
];

const status =
  (code: number, headers: Record<string, string> = {}): Answer =>
  (response) =>
    void response
      .writeHead(code, { 'content-type': 'application/json', ...headers })
      .end('{"error":{"message":"no"}}');

const told =
  (code: number, message: string, type = 'invalid_request_error'): Answer =>
  (response) =>
    void response
      .writeHead(code, { 'content-type': 'application/json' })
      .end(JSON.stringify({ error: { message, type } }));

const headOnly: Answer = (response) => {
  response.writeHead(200).flushHeaders();
  setTimeout(() => response.destroy(), 20);
};

describe('before the first token', () => {
  it.each([
    ['429 with Retry-After', status(429, { 'retry-after': '7' })],
    ['401: the key that is refused is the config’s', status(401)],
    ['402: our credit', status(402)],
    ['403: our credentials', status(403)],
    ['404: our name for the model', status(404)],
    ['405: the path in the config', status(405)],
    ['409: it is at something else', status(409)],
    ['410: a model that is no more', status(410)],
    ['421: an address in the config', status(421)],
    ['400: our credit, in words', told(400, 'Your credit balance is too low to access the API.')],
    ['400: our name for the model, in words', told(400, 'Model Not Exist')],
    [
      'an error under 200, in a shape of its own',
      ((response) =>
        void response
          .writeHead(200, { 'content-type': 'application/json' })
          .end('{"code":20015,"message":"no"}')) satisfies Answer,
    ],
    ['424: something that the server depends on', status(424)],
    ['a prompt too long for it', told(400, 'This model has a maximum context length of 4096 tokens.')],
    ['500', status(500)],
    ['501', status(501)],
    ['520', status(520)],
    ['529', status(529)],
    ['503', status(503)],
    ['a reset connection', ((response) => void response.destroy()) satisfies Answer],
    ['a head without a body', headOnly],
  ])('%s goes to the next of the ranking', async (_name, misbehave) => {
    const { router } = await start(misbehave);
    const response = await ask(router);
    expect(servedBy(response)).toEqual([200, 'other', '2']);
    expect(await response.text()).toContain('I am other.');
    expect(await router.metric('expert_router_spillover_total{from="code",to="other"}')).toBe(1);
  });

  it('invariant 5: a silent expert loses a stream to the next after the first-token deadline', async () => {
    const { router, code } = await start(() => {}, ', first_token_timeout: 200ms');
    const response = await ask(router, { stream: true });
    expect(servedBy(response)).toEqual([200, 'other', '2']);
    expect(await response.text()).toContain('[DONE]');
    await code.abandoned;
  });

  it.each([400, 413, 422])('%d is the client’s to see, not another expert’s to try', async (code) => {
    const { router, other } = await start(status(code));
    const response = await ask(router);
    expect(servedBy(response)).toEqual([code, 'code', '1']);
    expect(other.requests.filter((one) => one.method === 'POST')).toEqual([]);
  });

  it('what a content filter refuses is asked of nobody else, whatever its status', async () => {
    const { router, other } = await start(told(403, 'Your input was flagged by moderation.', 'error'));
    expect(servedBy(await ask(router))).toEqual([403, 'code', '1']);
    expect(other.requests.filter((one) => one.method === 'POST')).toEqual([]);
  });

  it('what a content filter refuses by its type is asked of nobody else', async () => {
    const { router, other } = await start(told(403, 'No.', 'content_filter'));
    expect(servedBy(await ask(router))).toEqual([403, 'code', '1']);
    expect(other.requests.filter((one) => one.method === 'POST')).toEqual([]);
  });

  it.each([
    ['the one with a larger window', 20_000, 200, 'large'],
    ['nobody, where no window is larger', 3_000, 400, 'code'],
  ])('a prompt too long for one is asked of %s', async (_what, window, code, by) => {
    const [small, other] = [
      await upstream((response, request) =>
        request.method === 'GET'
          ? polite(response, request)
          : told(400, 'This model has a maximum context length of 4096 tokens.')(response, request),
      ),
      await upstream(polite),
    ];
    const router = await gateway(`policy: nearest
experts:
  - { id: code, kind: openai, url: '${small.url}', context: 4096, samples: [${PROMPT}] }
  - { id: smaller, kind: openai, url: '${other.url}', context: 2048, samples: [Write a program in Python] }
  - { id: large, kind: openai, url: '${other.url}', context: ${window}, samples: [How do I bake bread?] }
`);
    running.push(router, small, other);
    expect(servedBy(await ask(router)).slice(0, 2)).toEqual([code, by]);
    expect(other.requests.filter((one) => one.method === 'POST')).toHaveLength(code === 200 ? 1 : 0);
  });

  it('a prompt too long for all is told as that', async () => {
    const router = await gateway(await threeFailing(told(400, 'The prompt exceeds the context window.')));
    running.push(router);
    const response = await ask(router);
    expect([response.status, await response.text()]).toEqual([
      400,
      expect.stringContaining('context window'),
    ]);
  });

  /** @returns the config of three experts that answer a prompt with BAD in it so */
  async function threeFailing(bad: Answer, more = ''): Promise<string> {
    const failing = await upstream((response, request) =>
      request.body.includes('BAD') || request.body.includes(PROMPT)
        ? request.body.includes('GOOD')
          ? polite(response, request)
          : bad(response, request)
        : polite(response, request),
    );
    running.push(failing);
    return `experts:\n${['a', 'b', 'c'].map((id) => `  - { id: ${id}, kind: openai, url: '${failing.url}'${more} }\n`).join('')}`;
  }

  it.each([
    ['500', status(500)],
    ['429', status(429, { 'retry-after': '100' })],
    ['a reset connection', headOnly],
  ])('a request that fails everywhere by itself (%s) closes no expert to others', async (_name, bad) => {
    const router = await gateway(await threeFailing(bad));
    running.push(router);
    const say = (content: string) => ask(router, { messages: [{ role: 'user', content }] });
    for (let i = 0; i < 30; i++) expect((await say(`BAD ${i}`)).status).not.toBe(200);
    for (const expert of ['a', 'b', 'c'])
      expect(await router.metric(`expert_router_available{expert="${expert}"}`)).toBe(1);
    for (let i = 0; i < 6; i++) expect((await say(`GOOD ${i}`)).status).toBe(200);
  });

  it('many that wait for an expert which hangs go to an idle one, by one deadline', async () => {
    const { router, code, other } = await start(() => {}, ', first_token_timeout: 1500ms');
    // The other is known to answer.
    expect((await ask(router, { model: 'other' })).status).toBe(200);
    const first = Array.from({ length: 40 }, () => ask(router, { stream: true }));
    await new Promise((resolve) => setTimeout(resolve, 700));
    const later = Array.from({ length: 20 }, () => ask(router, { stream: true }));
    const answers = await Promise.all([...first, ...later]);
    expect(answers.map(servedBy)).toEqual(answers.map(() => [200, 'other', '2']));
    expect(code.requests.filter((one) => one.method === 'POST').length).toBe(60);
    expect(other.requests.filter((one) => one.method === 'POST').length).toBe(61);
  });

  it('invariant 6: an expert gets no requests until its Retry-After has passed', async () => {
    const { router, code } = await start(status(429, { 'retry-after': '30' }));
    await ask(router);
    await ask(router);
    expect(code.requests.filter((one) => one.method === 'POST')).toHaveLength(1);
    const experts = (await (await fetch(`${router.url}/v1/experts`)).json()) as {
      data: { id: string; available: boolean }[];
    };
    expect(experts.data.find((one) => one.id === 'code')).toMatchObject({ available: false });
  });

  it('invariant 6: a breaker opens after few failures', async () => {
    const { router, code } = await start(status(500));
    for (let i = 0; i < 20; i++) await ask(router);
    expect(code.requests.filter((one) => one.method === 'POST')).toHaveLength(5);
  });

  it('an expert asked for by name is not replaced by another', async () => {
    const { router } = await start(status(503));
    expect(servedBy(await ask(router, { model: 'code' }))).toEqual([503, 'code', '1']);
  });

  it('retries stop when the budget is spent: an outage is not answered by a storm', async () => {
    const failing = await upstream((response, request) =>
      request.method === 'GET' ? polite(response, request) : status(500)(response, request),
    );
    const experts = Array.from(
      { length: 30 },
      (_, i) => `  - { id: e${i}, kind: openai, url: '${failing.url}' }`,
    ).join('\n');
    const router = await gateway(`experts:\n${experts}\n`);
    running.push(router, failing);
    const before = performance.now();
    await Promise.all(Array.from({ length: 50 }, () => ask(router)));
    const seconds = (performance.now() - before) / 1000;
    const tries = failing.requests.filter((one) => one.method === 'POST').length;
    expect(tries).toBeLessThanOrEqual(50 + 10 + 50 * 0.2 + 10 * seconds);
  });
});

describe('replicas', () => {
  it('share the work, and one takes over from another that fails', async () => {
    const bad = await upstream((response, request) =>
      request.method === 'GET' ? polite(response, request) : status(500)(response, request),
    );
    const good = await upstream(polite);
    const router = await gateway(
      `experts: [{ id: code, kind: openai, url: ['${bad.url}', { url: '${good.url}', weight: 3 }] }]`,
    );
    running.push(router, bad, good);
    // Prompts keep to replicas by their names, which hold random ports: of 12, all went to the good one in 3 runs of 100.
    const answers = await Promise.all(
      Array.from({ length: 36 }, (_, i) =>
        ask(router, { messages: [{ role: 'user', content: `question ${i}` }] }),
      ),
    );
    expect(answers.map((one) => one.status)).toEqual(answers.map(() => 200));
    expect(bad.requests.some((one) => one.method === 'POST')).toBe(true);
  });
});

const TOKEN = 'data: {"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}]}\n\n';

describe('after the first token', () => {
  it('nobody takes over: the stream ends with an error event', async () => {
    const { router, other } = await start((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(TOKEN, () => response.destroy());
    });
    const text = await (await ask(router, { stream: true })).text();
    expect(text).toContain('"code":"expert_cut_stream"');
    expect(text).not.toContain('[DONE]');
    expect(other.requests.filter((one) => one.method === 'POST')).toEqual([]);
  });

  it('silence ends after the idle deadline with an error event', async () => {
    const { router } = await start((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(TOKEN);
    }, ', idle_timeout: 1s');
    const text = await (await ask(router, { stream: true })).text();
    expect(text).toContain('"code":"expert_timeout"');
  });
});

describe('admission', () => {
  it('over limit and queue there is 429 with Retry-After; in the queue a stream waits its turn', async () => {
    const open: (() => void)[] = [];
    const slow = await upstream((response, request) => {
      if (request.method === 'GET') return polite(response, request);
      open.push(() => void polite(response, request));
    });
    const router = await gateway(
      `experts: [{ id: one, kind: openai, url: '${slow.url}', max_concurrent: 1, queue_size: 1 }]`,
    );
    running.push(router, slow);
    const first = ask(router);
    await eventually('the first is running', () => open.length === 1);
    const second = ask(router);
    await eventually(
      'the second waits',
      async () => (await router.metric('expert_router_queued{expert="one"}')) === 1,
    );
    const third = await ask(router);
    expect([third.status, Number(third.headers.get('retry-after'))]).toEqual([429, expect.any(Number)]);
    expect(Number(third.headers.get('retry-after'))).toBeGreaterThan(0);
    open.shift()!();
    expect((await first).status).toBe(200);
    await eventually('the second is running', () => open.length === 1);
    open.shift()!();
    expect((await second).status).toBe(200);
    await eventually(
      'nothing is left',
      async () => (await router.metric('expert_router_demand{expert="one"}')) === 0,
    );
  });

  it('invariant 14: a silent stream gets signs of life, queued or not, and an error after them comes as an event', async () => {
    const open: (() => void)[] = [];
    let answer: Answer = polite;
    const slow = await upstream((response, request) => {
      if (request.method === 'GET') return polite(response, request);
      open.push(() => void answer(response, request));
    });
    const router = await gateway(
      `heartbeat: 50ms\nexperts: [{ id: one, kind: openai, url: '${slow.url}', max_concurrent: 1 }]`,
    );
    running.push(router, slow);
    const first = ask(router, { stream: true });
    await eventually('the first is running', () => open.length === 1);
    const second = await ask(router, { stream: true }); // its head comes with the first sign of life
    expect(second.headers.get('content-type')).toBe('text/event-stream');
    open.shift()!();
    // The one that runs has been as silent.
    expect(await (await first).text()).toMatch(/^(: keep-alive\n\n)+data: \{"id"/);
    await eventually('the second is running', () => open.length === 1);
    answer = status(400);
    open.shift()!();
    const text = await second.text();
    expect(text).toMatch(/^(: keep-alive\n\n)+data: \{"error":\{"message":"no"\}\}\n\n$/);
  });

  it('invariant 2: a client that leaves the queue is forgotten', async () => {
    const slow = await upstream((response, request) =>
      request.method === 'GET' ? polite(response, request) : undefined,
    );
    const router = await gateway(
      `experts: [{ id: one, kind: openai, url: '${slow.url}', max_concurrent: 1 }]`,
    );
    running.push(router, slow);
    const leaving = new AbortController();
    const send = () =>
      fetch(`${router.url}/v1/chat/completions`, {
        method: 'POST',
        body: JSON.stringify({ messages: [{ role: 'user', content: 'x' }] }),
        signal: leaving.signal,
      }).catch(() => null);
    const both = [send(), send()];
    await eventually(
      'one waits',
      async () => (await router.metric('expert_router_queued{expert="one"}')) === 1,
    );
    leaving.abort();
    await Promise.all(both);
    await eventually(
      'nothing is left',
      async () => (await router.metric('expert_router_demand{expert="one"}')) === 0,
    );
    expect(slow.requests.filter((one) => one.method === 'POST')).toHaveLength(1);
  });

  it('a client that leaves the queue of the second expert is forgotten there too', async () => {
    const slow = await upstream((response, request) =>
      request.method === 'GET' ? polite(response, request) : undefined,
    );
    const router = await gateway(`
policy: nearest
experts:
  - { id: code, kind: openai, url: '${slow.url}', max_concurrent: 1, queue_size: 0, samples: [${PROMPT}] }
  - { id: other, kind: openai, url: '${slow.url}', max_concurrent: 1 }
`);
    running.push(router, slow);
    const send = () => {
      const leaving = new AbortController();
      const body = JSON.stringify({ messages: [{ role: 'user', content: PROMPT }] });
      const { signal } = leaving;
      void fetch(`${router.url}/v1/chat/completions`, { method: 'POST', body, signal }).catch(() => null);
      return leaving;
    };
    const queued = () => router.metric('expert_router_queued{expert="other"}');
    const asked = () => slow.requests.filter((one) => one.method === 'POST').length;
    const all = [send(), send()];
    await eventually('both run', () => asked() === 2);
    const third = send();
    await eventually('one waits', async () => (await queued()) === 1);
    third.abort();
    await eventually('nobody waits', async () => (await queued()) === 0);
    for (const one of all) one.abort();
    await eventually(
      'nothing is left',
      async () => (await router.metric('expert_router_demand{expert="other"}')) === 0,
    );
    expect(asked()).toBe(2);
  });
});

describe('an expert that breaks the protocol', () => {
  /** An expert that answers with these very bytes. */
  async function raw(bytes: string): Promise<RunningGateway> {
    const { createServer } = await import('node:net');
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', () => socket.write(bytes));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const router = await gateway(
      `experts: [{ id: one, kind: openai, url: 'http://127.0.0.1:${port}', header_timeout: 5s }]`,
    );
    running.push(router, { close: async () => void server.close() } as unknown as Upstream);
    return router;
  }

  it('cannot smuggle a second response: a length beside chunks is dropped', async () => {
    const forged = 'HTTP/1.1 200 OK\r\nx-forged: yes\r\ncontent-length: 2\r\n\r\n{}';
    const payload = `{"a":"${forged}"}`;
    const router = await raw(
      `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n${payload.length.toString(16)}\r\n${payload}\r\n0\r\n\r\n`,
    );
    const response = await ask(router);
    expect(response.headers.get('content-length')).toBeNull();
    expect(await response.text()).toBe(payload);
  });

  it.each([
    ['a status that is none', 'HTTP/1.1 000 X\r\ncontent-length: 0\r\n\r\n', 'expert_failed'],
    [
      'a header that is none',
      'HTTP/1.1 200 OK\r\ncontent-type: a\x01b\r\ncontent-length: 0\r\n\r\n',
      'expert_failed',
    ],
    ['something else than HTTP', 'SSH-2.0-OpenSSH_9.2\r\n\r\n', 'expert_failed'],
    [
      'a redirect',
      'HTTP/1.1 302 Found\r\nlocation: http://elsewhere/\r\ncontent-length: 0\r\n\r\n',
      'expert_failed',
    ],
    ['nothing inside', 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n', 'expert_failed'],
    ['no content', 'HTTP/1.1 204 No Content\r\n\r\n', 'expert_failed'],
  ])('becomes 502: %s', async (_name, bytes, code) => {
    const response = await ask(await raw(bytes));
    expect(response.status).toBe(502);
    expect(await response.json()).toMatchObject({ error: { code } });
  });

  it('cannot take itself out for long: Retry-After is honoured for two minutes at most', async () => {
    const { router } = await start(status(429, { 'retry-after': '99999' }));
    await ask(router);
    expect(await router.metric('expert_router_available{expert="code"}')).toBe(0);
  });
});

describe('requests that are odd but whole', () => {
  it('deeply nested parts are passed to the expert', async () => {
    const { router } = await start(polite);
    const deep = `${'['.repeat(500)}${']'.repeat(500)}`;
    const response = await router.post(
      '/v1/chat/completions',
      `{"messages":[{"role":"user","content":[{"type":"x","y":${deep}}]}]}`,
    );
    expect(response.status).toBe(200);
  });

  it('auto may be said by header or by an empty name; a single model can be looked up', async () => {
    const { router } = await start(polite);
    expect(servedBy(await ask(router, {}, { 'x-expert-router-expert': 'auto' }))[0]).toBe(200);
    expect(servedBy(await ask(router, { model: '' }))[0]).toBe(200);
    expect(await (await fetch(`${router.url}/v1/models/code`)).json()).toMatchObject({
      id: 'code',
      object: 'model',
    });
    expect((await fetch(`${router.url}/v1/models/nobody`)).status).toBe(404);
    expect((await fetch(`${router.url}/health`, { method: 'HEAD' })).status).toBe(200);
  });
});

describe('invariants of a lone expert and of many streams', () => {
  it('invariant 6: a single expert backs off too, and the refusal has Retry-After', async () => {
    const lone = await upstream((response, request) =>
      request.method === 'GET'
        ? polite(response, request)
        : status(429, { 'retry-after': '30' })(response, request),
    );
    const router = await gateway(`experts: [{ id: one, kind: openai, url: '${lone.url}' }]`);
    running.push(router, lone);
    expect((await ask(router)).status).toBe(429);
    const second = await ask(router);
    expect([second.status, second.headers.get('retry-after')]).toEqual([429, '30']);
    expect(lone.requests.filter((one) => one.method === 'POST')).toHaveLength(1);
  });

  it('invariant 6: a content filter’s 400 is not tried elsewhere', async () => {
    const { router, other } = await start((response) => {
      response.writeHead(400, { 'content-type': 'application/json' });
      response.end('{"error":{"message":"filtered","code":"content_filter"}}');
    });
    expect((await ask(router)).status).toBe(400);
    expect(other.requests.filter((one) => one.method === 'POST')).toEqual([]);
  });

  it.each([true, false])(
    'an empty answer is tried elsewhere, and else shown as it came (stream: %s)',
    async (stream) => {
      const empty = stream
        ? 'data: {"choices":[{"index":0,"delta":{"role":"assistant"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
        : '{"choices":[{"message":{"content":""},"finish_reason":"stop"}]}';
      const { router } = await start((response) => {
        response.writeHead(200, { 'content-type': stream ? 'text/event-stream' : 'application/json' });
        response.end(empty);
      });
      expect(servedBy(await ask(router, { stream })).slice(0, 2)).toEqual([200, 'other']);
      const named = await ask(router, { model: 'code', stream });
      expect(servedBy(named).slice(0, 2)).toEqual([200, 'code']);
      expect(await named.text()).toBe(empty);
      expect(
        await router.metric('expert_router_requests_total{expert="code",reason="named",outcome="ok"}'),
      ).toBe(1);
    },
  );

  it.each([true, false])(
    'so is an empty one of an expert whose answer is typed (stream: %s)',
    async (stream) => {
      const hollow = defineExpert({
        kind: 'hollow',
        summary: 'says nothing',
        options: z.strictObject({}),
        create: async (id) => {
          const generations = new RunningGenerations(id);
          return {
            id,
            kind: 'hollow',
            speaks: [],
            generate: ({ ask: asked }, sink) =>
              generations.start(asked, sink, { id: 'x', created: 1, model: id }, async ({ reply }) => {
                reply.text('');
                reply.finish('stop', 'unknown');
              }),
            health: async () => ({ state: 'ready' }),
            close: () => generations.close(),
          };
        },
      });
      const other = await upstream(polite);
      const router = await gateway(
        `experts:
  - { id: code, kind: hollow, samples: [${PROMPT}] }
  - { id: other, kind: openai, url: '${other.url}' }
`,
        { kinds: [hollow] },
      );
      running.push(router, other);
      expect(servedBy(await ask(router, { stream }))).toEqual([200, 'other', '2']);
      const named = await ask(router, { model: 'code', stream });
      expect(servedBy(named).slice(0, 2)).toEqual([200, 'code']);
      expect(await named.text()).toContain('"finish_reason":"stop"');
    },
  );

  it('a compressed stream is read and passed on as it comes, and one that is cut is told as cut', async () => {
    const token = 'data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}\n\n';
    const { router } = await start((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' });
      response.end(gzipSync(token));
    });
    const text = await (await ask(router, { model: 'code', stream: true })).text();
    expect(text.startsWith(token)).toBe(true);
    expect(text).toContain('"code":"expert_cut_stream"');
  });

  it('invariant 15: 400 streams to one expert are open at once, with no cap in between', async () => {
    const open: (() => void)[] = [];
    const token = 'data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}\n\n';
    const many = await upstream((response, request) => {
      if (request.method === 'GET') return polite(response, request);
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(token);
      open.push(() => void response.end('data: [DONE]\n\n'));
    });
    const router = await gateway(
      `heartbeat: 10m\nexperts: [{ id: one, kind: openai, url: '${many.url}', max_concurrent: 1000 }]`,
    );
    running.push(router, many);
    const asked = Array.from({ length: 400 }, () => ask(router, { stream: true }));
    await eventually('all are open', () => open.length === 400);
    for (const end of open) end();
    const texts = await Promise.all(asked.map(async (one) => (await one).text()));
    expect(new Set(texts)).toEqual(new Set([`${token}data: [DONE]\n\n`]));
    await eventually(
      'nothing is left',
      async () => (await router.metric('expert_router_inflight{expert="one"}')) === 0,
    );
  });
});

describe('hedging', () => {
  it('starts a second expert when the first is slower than usual; the first to answer wins, the other is freed', async () => {
    let slow = false;
    const code = await upstream((response, request) =>
      slow && request.method === 'POST' ? undefined : polite(response, request),
    );
    const other = await upstream(polite);
    const router = await gateway(`
hedge: true
experts:
  - { id: code, kind: openai, url: '${code.url}', samples: [Write a Python function that sorts a list] }
  - { id: other, kind: openai, url: '${other.url}' }
`);
    running.push(router, code, other);
    // Exactly as many answers as a 95th percentile needs: none of these can be hedged, however slow the machine.
    for (let i = 0; i < 20; i++) await (await ask(router, { stream: true })).text();
    expect(other.requests.filter((one) => one.method === 'POST')).toEqual([]);
    slow = true;
    const response = await ask(router, { stream: true });
    expect(servedBy(response)).toEqual([200, 'other', '2']);
    expect(await response.text()).toContain('[DONE]');
    await code.abandoned;
    await eventually(
      'nothing is left',
      async () => (await router.metric('expert_router_inflight{expert="code"}')) === 0,
    );
  });

  it('goes to an expert that the first tries have not reached, and leaves them those it asks', async () => {
    let failing = false;
    const silent: Answer = (response, request) => {
      if (!failing || request.method === 'GET') void polite(response, request);
    };
    const code = await upstream((response, request) =>
      failing && request.method === 'POST' ? status(500)(response, request) : polite(response, request),
    );
    const next = await upstream(silent);
    const last = await upstream(silent);
    const router = await gateway(`
hedge: true
request_timeout: 3s
experts:
  - { id: code, kind: openai, url: '${code.url}', samples: [Write a Python function that sorts a list] }
  - { id: next, kind: openai, url: '${next.url}', first_token_timeout: 1500ms }
  - { id: last, kind: openai, url: '${last.url}' }
`);
    running.push(router, code, next, last);
    for (let i = 0; i < 20; i++) await (await ask(router, { stream: true })).text();
    failing = true;
    // `code` fails and `next` is silent when the second sequence begins; it goes to `last`, and the first ends at `next`.
    expect((await ask(router, { stream: true })).status).toBe(504);
    const asked = [code, next, last].map(
      (one) => one.requests.filter(({ method }) => method === 'POST').length,
    );
    expect(asked).toEqual([21, 1, 1]);
  });
});

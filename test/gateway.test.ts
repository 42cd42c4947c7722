/** The gateway from socket to socket, in front of servers that behave well or badly. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hashKey } from '../src/serving/front/auth.ts';
import { eventually, gateway, type RunningGateway } from './support/gateway.ts';
import { type Answer, polite, type Upstream, upstream } from './support/upstream.ts';

let running: (RunningGateway | Upstream)[] = [];

async function start(answer: Answer, more = ''): Promise<{ router: RunningGateway; code: Upstream }> {
  const code = await upstream(answer);
  const router = await gateway(`
${more}
experts:
  - { id: code, kind: openai, url: '${code.url}', model: served-code, api_key: expert-secret, samples: [Write a Python function] }
  - { id: general, kind: openai, url: '${code.url}', fallback: true }
  - { id: gone, kind: openai, url: 'http://127.0.0.1:1' }
`);
  running.push(router, code);
  return { router, code };
}

afterEach(async () => {
  await Promise.all(running.map((one) => one.close()));
  running = [];
});

const ask = (content: unknown, more: object = {}) => ({
  model: 'auto',
  messages: [{ role: 'user', content }],
  ...more,
});
const errorOf = async (response: Response) =>
  ((await response.json()) as { error: Record<string, unknown> }).error;

describe('answers', () => {
  it('come from the expert of the prompt, with the reason in headers', async () => {
    const { router, code } = await start(polite);
    const response = await router.post(
      '/v1/chat/completions',
      ask('Write a Python function that sorts a list of integers'),
    );
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      choices: [{ message: { content: 'I am served-code.' } }],
      usage: { total_tokens: 8 },
    });
    expect(response.headers.get('x-expert-router-expert')).toBe('code');
    expect(response.headers.get('x-expert-router-reason')).toBe('nearest-cluster');
    expect(response.headers.get('x-expert-router-cluster')).toMatch(/^\d+$/);
    expect(Number(response.headers.get('x-expert-router-confidence'))).toBeGreaterThan(0);
    expect(response.headers.get('x-expert-router-trace-id')).toMatch(/^[0-9a-f]{32}$/);
    expect(code.requests[0]!.path).toBe('/v1/chat/completions');
  });

  it('stream as they come', async () => {
    const { router } = await start(polite);
    const response = await router.post('/v1/chat/completions', ask('hello', { model: 'code', stream: true }));
    const text = await response.text();
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    expect(response.headers.get('x-accel-buffering')).toBe('no');
    expect(text).toContain('"content":"served-code"');
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
  });

  it('reach the named expert, or the one the header forces', async () => {
    const { router, code } = await start(polite);
    await router.post('/v1/chat/completions', ask('Write a Python function', { model: 'general' }));
    const forced = await router.post('/v1/chat/completions', ask('hi', { model: 'general' }), {
      'x-expert-router-expert': 'code',
    });
    expect(code.requests.map((one) => (JSON.parse(one.body) as { model: string }).model)).toEqual([
      'general',
      'served-code',
    ]);
    expect(forced.headers.get('x-expert-router-reason')).toBe('forced');
  });

  it('serve plain completions', async () => {
    const { router, code } = await start(polite);
    await router.post('/v1/completions', { model: 'code', prompt: 'def f(x):' });
    expect(code.requests[0]!.path).toBe('/v1/completions');
  });

  it('go back to zero in flight', async () => {
    const { router } = await start(polite);
    await (await router.post('/v1/chat/completions', ask('hi', { model: 'code' }))).text();
    expect(await router.metric('expert_router_inflight{expert="code"}')).toBe(0);
    expect(
      await router.metric('expert_router_requests_total{expert="code",reason="named",outcome="ok"}'),
    ).toBe(1);
  });
});

describe('what crosses the router', () => {
  it('is the body, byte for byte but for the model name', async () => {
    const { router, code } = await start(polite);
    const body =
      '{ "tools":[{"x":1.0}], "seed":12345678901234567890, "model" : "code","messages":[{"role":"user","content":"\\u00e9 \\ud800"}] }';
    await router.post('/v1/chat/completions', body);
    expect(code.requests[0]!.body).toBe(body.replace('"code"', '"served-code"'));
  });

  it("invariant 11: is never the client's key or cookie, nor the expert's internals", async () => {
    const { router, code } = await start((response) => {
      response.writeHead(200, {
        'content-type': 'application/json',
        'set-cookie': 'a=b',
        server: 'x',
        'x-ratelimit-remaining-tokens': '9',
      });
      response.end('{"choices":[{"message":{"content":"a"},"finish_reason":"stop"}]}');
    });
    const response = await router.post('/v1/chat/completions', ask('hi', { model: 'code' }), {
      authorization: 'Bearer client-secret',
      cookie: 'session=1',
      'x-api-key': 'client-secret',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    });
    const { headers } = code.requests[0]!;
    expect(JSON.stringify(headers)).not.toContain('client-secret');
    expect(headers.cookie).toBeUndefined();
    expect(headers.authorization).toBe('Bearer expert-secret');
    expect(headers.traceparent).toContain('0af7651916cd43dd8448eb211c80319c');
    expect(response.headers.get('x-expert-router-trace-id')).toBe('0af7651916cd43dd8448eb211c80319c');
    expect(response.headers.get('set-cookie')).toBeNull();
    expect(response.headers.get('x-ratelimit-remaining-tokens')).toBe('9');
  });

  it("is the expert's own error, status and body", async () => {
    const { router } = await start((response) => {
      response
        .writeHead(429, { 'content-type': 'application/json', 'retry-after': '7' })
        .end('{"error":{"message":"slow down"}}');
    });
    const response = await router.post('/v1/chat/completions', ask('hi', { model: 'code' }));
    expect(response.status).toBe(429);
    expect(response.headers.get('retry-after')).toBe('7');
    expect(await errorOf(response)).toEqual({ message: 'slow down' });
  });
});

describe('a fault of an expert', () => {
  it('that is down gives 502 naming it', async () => {
    const { router } = await start(polite);
    const response = await router.post('/v1/chat/completions', ask('hi', { model: 'gone' }));
    expect(response.status).toBe(502);
    expect(await errorOf(response)).toMatchObject({
      code: 'expert_unreachable',
      type: 'api_error',
      message: expect.stringContaining("'gone'"),
    });
  });

  it('invariant 4: that dies mid-stream ends the stream with an error event, never with [DONE]', async () => {
    const { router } = await start((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: {"choices":[]}\n\n', () => response.destroy());
    });
    const response = await router.post('/v1/chat/completions', ask('hi', { model: 'code', stream: true }));
    const text = await response.text();
    expect(text).not.toContain('[DONE]');
    expect(JSON.parse(text.trim().split('\n\n').at(-1)!.replace('data: ', ''))).toMatchObject({
      error: { code: 'expert_cut_stream' },
    });
  });

  it('that dies inside a plain body cuts a long body, and gives 502 for what no byte was shown of', async () => {
    let written = `{"half":"${'x'.repeat(100_000)}`;
    const { router } = await start((response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '200000' });
      if (written === '') response.flushHeaders();
      setTimeout(() => response.destroy(), 50);
      if (written) response.write(written);
    });
    const answer = () => router.post('/v1/chat/completions', ask('hi', { model: 'code' }));
    await expect((await answer()).text()).rejects.toThrow();
    for (written of ['{"half":', '']) {
      const response = await answer();
      expect([response.status, response.headers.get('retry-after')]).toEqual([502, '1']);
    }
  });

  it('that never speaks ends in 504 after its deadline', async () => {
    const silent = await upstream(() => {});
    const router = await gateway(
      `experts: [{ id: slow, kind: openai, url: '${silent.url}', header_timeout: 1s }]`,
    );
    running.push(router, silent);
    const response = await router.post('/v1/chat/completions', ask('hi'));
    expect(response.status).toBe(504);
    expect(await errorOf(response)).toMatchObject({ code: 'expert_timeout' });
  });
});

describe('a client that leaves', () => {
  it.each([true, false])('invariant 2: frees the expert (stream: %s)', async (stream) => {
    const { router, code } = await start((response) => {
      if (!stream) return;
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}\n\n');
    });
    const leaving = new AbortController();
    const asked = fetch(`${router.url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify(ask('hi', { model: 'code', stream })),
      signal: leaving.signal,
    });
    await eventually('the request reaches the expert', () => code.requests.length === 1);
    if (stream) await asked;
    leaving.abort();
    await asked.catch(() => {});
    await code.abandoned;
    await eventually(
      'nothing is in flight',
      async () => (await router.metric('expert_router_inflight{expert="code"}')) === 0,
    );
    expect(
      await router.metric('expert_router_requests_total{expert="code",reason="named",outcome="cancelled"}'),
    ).toBe(1);
  });
});

describe('bad input', () => {
  it.each([
    ['not JSON', '{"messages":', 400, 'invalid_json'],
    ['an empty body', '', 400, 'invalid_json'],
    ['a list', '[]', 400, 'invalid_body'],
    ['no messages', '{}', 400, 'invalid_body'],
    ['no messages in the list', '{"messages":[]}', 400, 'invalid_body'],
    ['a wrong type', '{"messages":[{"role":"user","content":{"a":1}}]}', 400, 'invalid_body'],
    ['very deep JSON', '['.repeat(200_000), 400, 'invalid_body'],
  ])('%s is refused in the shape of OpenAI', async (_name, body, status, code) => {
    const { router } = await start(polite);
    const response = await router.post('/v1/chat/completions', body);
    expect(response.status).toBe(status);
    expect(await errorOf(response)).toEqual({
      message: expect.any(String),
      type: 'invalid_request_error',
      param: expect.toSatisfy((p) => p === null || typeof p === 'string'),
      code,
    });
  });

  it('an unknown expert gives 404 and the known ones', async () => {
    const { router } = await start(polite);
    const response = await router.post('/v1/chat/completions', ask('hi', { model: 'cod' }));
    expect(response.status).toBe(404);
    const error = await errorOf(response);
    expect(error).toMatchObject({ code: 'model_not_found', param: 'model' });
    expect(error.message).toMatch(/did you mean 'code'\?.*auto, code, general, gone/);
  });

  it('invariant 7: a body over the limit gives 413 naming the limit, announced or not', async () => {
    const { router } = await start(polite, 'max_body_mb: 0.01');
    const body = JSON.stringify(ask('x'.repeat(20_000)));
    const announced = await router.post('/v1/chat/completions', body);
    expect(announced.status).toBe(413);
    expect((await errorOf(announced)).message).toContain('0.01 MB');
    const stream = new ReadableStream({
      start(controller) {
        for (let i = 0; i < 20; i++) controller.enqueue(new TextEncoder().encode(body));
        controller.close();
      },
    });
    const chunked = await fetch(`${router.url}/v1/chat/completions`, {
      method: 'POST',
      body: stream,
      duplex: 'half',
    } as RequestInit);
    expect(chunked.status).toBe(413);
  });

  it.each([
    ['no HTTP at all', 'hello\r\n\r\n', 400],
    ['headers without end', `GET /health HTTP/1.1\r\nhost: x\r\nx-long: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    [
      'two lengths',
      'POST /v1/route HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}',
      400,
    ],
  ])('is refused in the API’s own error shape: %s', async (_name, bytes, status) => {
    const { router } = await start(polite);
    const socket = connect(Number(new URL(router.url).port), '127.0.0.1');
    let answer = '';
    socket.on('data', (data) => {
      answer += data;
    });
    socket.write(bytes);
    await once(socket, 'close');
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toMatchObject({
      error: { type: 'invalid_request_error', code: 'invalid_request' },
    });
  });

  it('invariant 7: a 30 MB body passes the default limit', async () => {
    const { router, code } = await start(polite);
    const response = await router.post(
      '/v1/chat/completions',
      ask('word '.repeat(6_000_000), { model: 'code' }),
    );
    expect(response.status).toBe(200);
    expect(code.requests[0]!.body.length).toBeGreaterThan(30_000_000);
  });

  it('a compressed body, a wrong method and a wrong path say what is right', async () => {
    const { router } = await start(polite);
    expect((await router.post('/v1/chat/completions', '{}', { 'content-encoding': 'lzma' })).status).toBe(
      415,
    );
    const method = await fetch(`${router.url}/v1/chat/completions`);
    expect([method.status, (await errorOf(method)).message]).toEqual([405, expect.stringContaining('POST')]);
    const path = await fetch(`${router.url}/v1/chat`);
    expect([path.status, (await errorOf(path)).message]).toEqual([
      404,
      expect.stringContaining('/v1/chat/completions'),
    ]);
  });

  it.each([
    ['lone surrogates', '"\\ud800\\udfff\\ud83d"'],
    ['emoji', '"🦊🎉👩‍👩‍👧‍👦"'],
    ['right-to-left text', '"مرحبا بالعالم שלום"'],
    ['a million spaces', `"${' '.repeat(1_000_000)}"`],
    ['an empty text', '""'],
    ['null', 'null'],
    ['an image alone', '[{"type":"image_url","image_url":{"url":"data:,"}}]'],
  ])('%s are routed without error', async (_name, content) => {
    const { router } = await start(polite);
    const response = await router.post(
      '/v1/chat/completions',
      `{"model":"auto","messages":[{"role":"user","content":${content}}]}`,
    );
    expect(response.status).toBe(200);
    expect(response.headers.get('x-expert-router-expert')).toMatch(/^(code|general|gone)$/);
  });
});

describe('the dry run', () => {
  const prompts = ['Write a Python function that sorts', '今日の天気', 'asdf qwer zxcv', ''];

  it.each(prompts)('invariant 13: chooses the same expert as the data path: %j', async (prompt) => {
    const { router } = await start(polite);
    const served = await router.post('/v1/chat/completions', ask(prompt));
    const asText = (await (await router.post('/v1/route', ask(prompt))).json()) as Record<string, unknown>;
    const asParts = await (await router.post('/v1/route', ask([{ type: 'text', text: prompt }]))).json();
    const asPrompt = await (await router.post('/v1/route', { prompt })).json();
    expect(asText.expert).toBe(served.headers.get('x-expert-router-expert'));
    // The estimate of its tokens, and so of its prefill, is made from the body's bytes.
    const { trace_id: _1, ranking: _2, ...decision } = asText;
    expect(asParts).toMatchObject(decision);
    expect(asPrompt).toMatchObject({ expert: asText.expert, cluster: asText.cluster });
  });

  it('reads a body whose fields do not tell its dialect as the header says', async () => {
    const { router } = await start(polite);
    const body = { messages: [{ role: 'user', content: 'asdf' }], prompt: 'Sort a list in Python' };
    const text = async (headers?: Record<string, string>) =>
      ((await (await router.post('/v1/route', body, headers)).json()) as { text: string }).text;
    expect(await text()).toBe('asdf');
    expect(await text({ 'x-expert-router-dialect': 'openai-completions' })).toBe('Sort a list in Python');
    const refused = await router.post('/v1/route', body, { 'x-expert-router-dialect': 'esperanto' });
    expect(refused.status).toBe(400);
    expect(await refused.text()).toContain("no dialect 'esperanto'. There are: anthropic-messages");
  });

  it('shows how the choice was made', async () => {
    const { router } = await start(polite);
    const body = (await (
      await router.post('/v1/route', ask('Write a Python function that sorts'))
    ).json()) as Record<string, unknown>;
    expect(body).toMatchObject({
      object: 'route',
      expert: 'code',
      cluster: expect.any(Number),
      cluster_name: expect.any(String),
      confidence: expect.any(Number),
      margin: expect.any(Number),
      outside: false,
      explanation: expect.stringContaining("'code'"),
      text: expect.stringContaining('Python function'),
      terms: { for: expect.any(Array), against: expect.any(Array) },
    });
    expect((body.ranking as { expert: string }[]).map((one) => one.expert).toSorted()).toEqual([
      'code',
      'general',
      'gone',
    ]);
    expect((body.distances as number[]).length).toBeGreaterThan(1);
    expect((body.distances as number[])[body.cluster as number]).toBe(
      Math.min(...(body.distances as number[])),
    );
  });
});

describe('the other addresses', () => {
  it('list models, health, readiness and metrics', async () => {
    const { router } = await start(polite);
    const models = (await (await fetch(`${router.url}/v1/models`)).json()) as { data: { id: string }[] };
    expect(models.data.map((model) => model.id)).toEqual(['auto', 'code', 'general', 'gone']);
    expect((await fetch(`${router.url}/health`)).status).toBe(200);
    const ready = await fetch(`${router.url}/ready`);
    expect([ready.status, await ready.json()]).toEqual([200, { ready: true }]);
    expect(await (await fetch(`${router.url}/metrics`)).text()).toContain(
      '# TYPE expert_router_requests_total counter',
    );
  });

  it('is not ready when no expert is', async () => {
    const router = await gateway("experts: [{ id: gone, kind: openai, url: 'http://127.0.0.1:1' }]");
    running.push(router);
    const ready = await fetch(`${router.url}/ready`);
    expect([ready.status, await ready.json()]).toEqual([503, { ready: false }]);
  });
});

describe('API keys', () => {
  let router: RunningGateway;
  beforeEach(async () => {
    ({ router } = await start(polite, `keys: [{ name: alice, hash: '${hashKey('er-good')}' }]`));
  });

  it.each([undefined, 'Bearer er-bad', 'er-good', 'Bearer '])('refuses %j', async (authorization) => {
    const response = await router.post(
      '/v1/chat/completions',
      ask('hi'),
      authorization ? { authorization } : {},
    );
    expect(response.status).toBe(401);
    expect(await errorOf(response)).toMatchObject({ type: 'authentication_error', code: 'invalid_api_key' });
    expect((await fetch(`${router.url}/v1/models`)).status).toBe(401);
    expect((await fetch(`${router.url}/metrics`)).status).toBe(401);
  });

  it('lets a good key in, as bearer or x-api-key, and leaves health open', async () => {
    expect(
      (await router.post('/v1/chat/completions', ask('hi'), { authorization: 'Bearer er-good' })).status,
    ).toBe(200);
    expect((await router.post('/v1/chat/completions', ask('hi'), { 'x-api-key': 'er-good' })).status).toBe(
      200,
    );
    expect((await fetch(`${router.url}/health`)).status).toBe(200);
  });
});

describe('logs', () => {
  it('invariant 11: hold neither prompt nor key', async () => {
    const { router } = await start(polite);
    await router.post('/v1/chat/completions', ask('a very secret prompt'), {
      authorization: 'Bearer secret',
    });
    await router.post('/v1/chat/completions', ask('a very secret prompt', { model: 'gone' }));
    expect(router.logged.join('\n')).not.toMatch(/secret/);
  });
});

/** Ollama's API as its clients meet it: against experts that are no Ollama, and byte for byte against one that is. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, gateway, type RunningGateway } from './support/gateway.ts';
import { type Upstream, upstream } from './support/upstream.ts';

const PICTURE =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const WEATHER = {
  type: 'function',
  function: { name: 'get_weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } },
};

/** Lines as Ollama writes them. */
const LINES = [
  '{"model":"m","created_at":"2026-01-01T00:00:00Z","message":{"role":"assistant","content":"Gr\\u00fc"},"done":false}\n',
  '{"model":"m","created_at":"2026-01-01T00:00:00Z","message":{"role":"assistant","content":"ezi"},"done":false}\n',
  '{"model":"m","created_at":"2026-01-01T00:00:00Z","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","total_duration":9,"prompt_eval_count":7,"eval_count":2}\n',
].join('');

const LOADED =
  '{"model":"llama3.2","created_at":"2026-01-01T00:00:00Z","message":{"role":"assistant","content":""},"done":true,"done_reason":"load"}';
const VECTORS =
  '{"model":"llama3.2","embeddings":[[0.010071029,-0.0017594862]],"total_duration":14143917,"prompt_eval_count":8}';

let router: RunningGateway;
let ollama: Upstream;
let chat: Upstream;

beforeAll(async () => {
  ollama = await upstream((response, { method, path, body }) => {
    if (path === '/api/version') return void response.end('{"version":"0.12.6"}');
    if (method === 'GET') return void response.writeHead(404).end();
    if (path === '/api/embed') return void response.end(VECTORS);
    if (body.includes('keep_alive')) return void response.end(LOADED);
    response.writeHead(200, { 'content-type': 'application/x-ndjson' }).end(LINES);
  });
  chat = await upstream((response, { method }) => {
    if (method === 'GET') return void response.end('{"object":"list","data":[]}');
    const message = { role: 'assistant', reasoning_content: 'Hm', content: 'Blue.' };
    const usage = { prompt_tokens: 5, completion_tokens: 3 };
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ choices: [{ index: 0, message, finish_reason: 'stop' }], usage }));
  });
  router = await gateway(`
experts:
  - { id: emulated, kind: emulated, fallback: true }
  - { id: real, kind: openai, url: '${ollama.url}', model: llama3.2, quirks: ollama, capabilities: [chat, embeddings] }
  - { id: chat, kind: openai, url: '${chat.url}', model: qwen, quirks: plain, context: 8192 }
`);
});
afterAll(async () => {
  await router.close();
  await ollama.close();
  await chat.close();
});

const asked = (content: string) => ({ messages: [{ role: 'user', content }] });

interface Told {
  readonly message: { readonly content: string; readonly tool_calls?: readonly Called[] };
  readonly response?: string;
  readonly done: boolean;
}
interface Called {
  readonly id?: string;
  readonly function: { readonly name: string; readonly arguments: object };
}

async function lines(response: Response): Promise<Told[]> {
  expect(response.headers.get('content-type')).toBe('application/x-ndjson');
  const text = await response.text();
  expect(text.endsWith('\n')).toBe(true);
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

describe('pages', () => {
  const get = (path: string, init: RequestInit = {}) =>
    fetch(router.url + path, { redirect: 'manual', ...init });

  it('say that somebody is there, and lead a browser to the dashboard', async () => {
    const plain = await get('/');
    expect([plain.status, await plain.text()]).toEqual([200, 'Ollama is running']);
    const head = await get('/', { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
    const browser = await get('/', { headers: { accept: 'text/html,application/xhtml+xml' } });
    expect([browser.status, browser.headers.get('location')]).toEqual([303, '/ui']);
    expect(await (await get('/api/version')).json()).toEqual({ version: expect.stringMatching(/^\d+\.\d+/) });
  });

  it('list every name with a tag, and every name with it is understood', async () => {
    const { models } = (await (await get('/api/tags')).json()) as {
      models: { name: string; model: string; capabilities: string[] }[];
    };
    expect(models.map(({ name }) => name)).toEqual([
      'auto:latest',
      'emulated:latest',
      'real:latest',
      'chat:latest',
    ]);
    for (const { model, capabilities } of models) {
      const shown = await router.post('/api/show', { model });
      expect([model, shown.status]).toEqual([model, 200]);
      expect(await shown.json()).toMatchObject({ capabilities });
      const response = await router.post('/v1/route', { model, ...asked('Hi') });
      expect([model, response.status]).toEqual([model, 200]);
    }
    const shown = await (await router.post('/api/show', { model: 'chat' })).json();
    expect(shown).toMatchObject({
      capabilities: ['completion', 'tools'],
      model_info: { 'expert-router.context_length': 8192 },
    });
    const { models: running } = (await (await get('/api/ps')).json()) as { models: object[] };
    expect(running).toContainEqual(expect.objectContaining({ name: 'chat:latest', context_length: 8192 }));
  });

  it('tell errors as one text', async () => {
    const missing = await router.post('/api/show', { model: 'nope' });
    expect([missing.status, await missing.json()]).toEqual([
      404,
      { error: expect.stringContaining("'nope'") },
    ]);
    const nameless = await router.post('/api/show', {});
    expect([nameless.status, await nameless.json()]).toEqual([
      400,
      { error: "'model' is missing: the name of a model." },
    ]);
  });
});

describe('an expert that is no Ollama', () => {
  it('answers a chat in lines, unless asked not to', async () => {
    const told = await lines(await router.post('/api/chat', { model: 'emulated', ...asked('Hi') }));
    const said = told.map(({ message }) => message.content).join('');
    expect(said).toContain('emulated answer');
    expect(told.slice(0, -1).every(({ done }) => done === false)).toBe(true);
    expect(told.at(-1)).toMatchObject({ done: true, done_reason: 'stop', eval_count: expect.any(Number) });
    const whole = await router.post('/api/chat', { model: 'emulated', stream: false, ...asked('Hi') });
    expect(whole.headers.get('x-expert-router-expert')).toBe('emulated');
    expect(await whole.json()).toMatchObject({ message: { role: 'assistant', content: said }, done: true });
  });

  it('generates', async () => {
    const told = await lines(await router.post('/api/generate', { model: 'emulated', prompt: 'Hi' }));
    const said = told.map(({ response }) => response).join('');
    const whole = await router.post('/api/generate', { model: 'emulated', prompt: 'Hi', stream: false });
    expect(await whole.json()).toMatchObject({ response: said, done: true });
  });

  it('calls tools with objects, and reads their results whether or not they have ids', async () => {
    const question = asked('call get_weather {"city": "Zürich 🏔"}').messages;
    const ask = { model: 'emulated', tools: [WEATHER], stream: false };
    const first = (await (await router.post('/api/chat', { ...ask, messages: question })).json()) as Told;
    const call = first.message.tool_calls![0]!;
    expect(call.function).toMatchObject({ name: 'get_weather', arguments: { city: 'Zürich 🏔' } });
    const streamed = await lines(
      await router.post('/api/chat', { ...ask, stream: true, messages: question }),
    );
    expect(streamed.flatMap(({ message }) => message.tool_calls ?? [])).toMatchObject([
      { function: { name: 'get_weather', arguments: { city: 'Zürich 🏔' } } },
    ]);
    const { id: _none, ...nameless } = call;
    for (const own of [call, nameless]) {
      const result = { role: 'tool', tool_name: 'get_weather', content: 'sun' };
      const messages = [...question, { role: 'assistant', content: '', tool_calls: [own] }, result];
      const last = (await (await router.post('/api/chat', { ...ask, messages })).json()) as Told;
      expect(last.message.content).toContain('reads: sun');
    }
  });

  it('is held to a schema', async () => {
    const format = { type: 'object', properties: { done: { type: 'boolean' } }, required: ['done'] };
    const response = await router.post('/api/chat', {
      model: 'emulated',
      stream: false,
      format,
      ...asked('Hi'),
    });
    const { message } = (await response.json()) as Told;
    expect(JSON.parse(message.content)).toEqual({ done: true });
  });

  it('gets options, pictures and thinking in its own words, and is told what was left out', async () => {
    const response = await router.post('/api/chat', {
      model: 'chat',
      stream: false,
      think: 'high',
      keep_alive: '5m',
      options: {
        temperature: 0.5,
        num_predict: 9,
        top_k: 3,
        stop: ['x'],
        repeat_penalty: 1.1,
        num_ctx: 4096,
      },
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'What is it?', images: [PICTURE] },
      ],
    });
    expect(await response.json()).toMatchObject({
      message: { thinking: 'Hm', content: 'Blue.' },
      prompt_eval_count: 5,
      eval_count: 3,
    });
    expect(response.headers.get('x-expert-router-dropped')).toBe('options.num_ctx');
    expect(JSON.parse(chat.requests.at(-1)!.body)).toMatchObject({
      model: 'qwen',
      temperature: 0.5,
      max_tokens: 9,
      top_k: 3,
      stop: ['x'],
      repetition_penalty: 1.1,
      reasoning_effort: 'high',
      messages: [
        { role: 'system', content: 'Be brief.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What is it?' },
            { type: 'image_url', image_url: { url: `data:image/png;base64,${PICTURE}` } },
          ],
        },
      ],
    });
    const quiet = await router.post('/api/chat', {
      model: 'chat',
      stream: false,
      think: false,
      ...asked('Hi'),
    });
    expect(((await quiet.json()) as Told).message).toEqual({ role: 'assistant', content: 'Blue.' });
  });

  it('embeds one text or several', async () => {
    const several = await router.post('/api/embed', { model: 'emulated', input: ['one', 'two'] });
    const { embeddings } = (await several.json()) as { embeddings: number[][] };
    expect(embeddings.map((vector) => typeof vector[0])).toEqual(['number', 'number']);
    const one = await router.post('/api/embed', { model: 'emulated', input: 'one' });
    expect(((await one.json()) as { embeddings: number[][] }).embeddings).toEqual([embeddings[0]]);
    const old = await router.post('/api/embeddings', { model: 'emulated', prompt: 'one' });
    expect(await old.json()).toEqual({ embedding: embeddings[0] });
  });
});

describe('an expert that is an Ollama', () => {
  it('gets the bytes with its own name of the model, and its lines pass unchanged', async () => {
    const body = '{ "model": "real", "x_own":1, "messages":[{"role":"user","content":"Hi"}] }';
    const response = await router.post('/api/chat', body);
    expect(await response.text()).toBe(LINES);
    const { path, body: sent } = ollama.requests.at(-1)!;
    expect([path, sent]).toEqual(['/api/chat', body.replace('"real"', '"llama3.2"')]);
  });

  it('is asked for vectors in its own words, which pass unchanged and are counted', async () => {
    const counted = () => router.metric('expert_router_prompt_tokens_total{expert="real"}');
    const before = (await counted()) ?? 0;
    const body = '{"model":"real:latest","input":["Hi"],"truncate":false,"options":{"num_ctx":9}}';
    const response = await router.post('/api/embed', body);
    expect(await response.text()).toBe(VECTORS);
    const { path, body: sent } = ollama.requests.at(-1)!;
    expect([path, sent]).toEqual(['/api/embed', body.replace('"real:latest"', '"llama3.2"')]);
    expect(await counted()).toBe(before + 8);
  });

  it.each([true, false])('loads its model when it is asked to (stream: %s)', async (stream) => {
    const response = await router.post('/api/chat', {
      model: 'real',
      messages: [],
      stream,
      keep_alive: '5m',
    });
    expect([response.status, await response.text()]).toEqual([200, LOADED]);
  });
});

describe('requests that want a model to be there and nothing more', () => {
  const idle = async (path: string, body: object) => {
    const before = chat.requests.length;
    const response = await router.post(path, { model: 'chat', ...body });
    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      'application/json; charset=utf-8',
    ]);
    expect(chat.requests.length).toBe(before);
    return response.json();
  };

  it.each([
    ['/api/generate', {}, 'load'],
    ['/api/generate', { prompt: '', keep_alive: '10m' }, 'load'],
    ['/api/generate', { keep_alive: -1, stream: false }, 'load'],
    ['/api/generate', { keep_alive: 0 }, 'unload'],
    ['/api/generate', { prompt: '', keep_alive: '0s' }, 'unload'],
    ['/api/chat', {}, 'load'],
    ['/api/chat', { messages: [] }, 'load'],
    ['/api/chat', { messages: [], keep_alive: 0 }, 'unload'],
  ])('%s %j: done, for the reason %s', async (path, body, reason) => {
    const nothing = path.endsWith('chat')
      ? { message: { role: 'assistant', content: '' } }
      : { response: '' };
    expect(await idle(path, body)).toEqual({
      ...{ model: 'qwen', created_at: expect.any(String), ...nothing, done: true, done_reason: reason },
    });
  });

  it('cost no tokens, whoever answers', async () => {
    const notes: { readonly promptTokens: number | null; readonly completionTokens: number | null }[] = [];
    const noting = await gateway(
      `experts:
  - { id: emulated, kind: emulated }
  - { id: real, kind: openai, url: '${ollama.url}', model: llama3.2, quirks: ollama }
`,
      { onRequest: (note) => notes.push(note) },
    );
    for (const model of ['emulated', 'real'])
      await (await noting.post('/api/chat', { model, messages: [], keep_alive: 60 })).text();
    await eventually('both have ended', () => notes.length === 2);
    expect(notes).toMatchObject([0, 0].map((promptTokens) => ({ promptTokens, completionTokens: 0 })));
    await noting.close();
  });

  it('say that there is no such model', async () => {
    const response = await router.post('/api/generate', { model: 'nobody' });
    expect([response.status, await response.json()]).toEqual([404, { error: expect.any(String) }]);
  });
});

describe('what is wrong', () => {
  it.each([
    ['/api/chat', { messages: 'x' }, "'messages' must be a list"],
    ['/api/chat', { messages: [1] }, "'messages[0]' must be an object"],
    ['/api/chat', { messages: [{ content: 'x' }] }, "'messages[0].role'"],
    ['/api/chat', { messages: [{ role: 'user', content: [] }] }, "'messages[0].content'"],
    ['/api/chat', { messages: [{ role: 'user', content: 'x', images: 'x' }] }, "'messages[0].images'"],
    ['/api/chat', { messages: [{ role: 'user', content: 'x', images: ['x'] }] }, "'messages[0].images[0]'"],
    ['/api/chat', { ...asked('x'), model: 1 }, "'model'"],
    ['/api/chat', { ...asked('x'), stream: 'yes' }, "'stream'"],
    ['/api/chat', { ...asked('x'), options: [] }, "'options'"],
    ['/api/chat', { ...asked('x'), options: { temperature: 'hot' } }, "'options.temperature'"],
    ['/api/chat', { ...asked('x'), options: { num_predict: 1.5 } }, "'options.num_predict'"],
    ['/api/chat', { ...asked('x'), options: { stop: 1 } }, "'options.stop'"],
    ['/api/chat', { ...asked('x'), format: 'xml' }, "'format'"],
    ['/api/chat', { ...asked('x'), think: 3 }, "'think'"],
    ['/api/chat', { ...asked('x'), tools: {} }, "'tools'"],
    [
      '/api/chat',
      { messages: [{ role: 'assistant', tool_calls: [{}] }] },
      "'messages[0].tool_calls[0].function.name'",
    ],
    ['/api/generate', { prompt: 3 }, "'prompt' must be a string"],
    ['/api/generate', { prompt: 'x', images: 3 }, "'images'"],
    ['/api/generate', { prompt: 'x', suffix: 'y' }, "'suffix'"],
    ['/api/embed', { input: 3 }, "'input'"],
    ['/api/embed', { input: [] }, "'input' is empty"],
    ['/api/embeddings', { prompt: 3 }, "'prompt'"],
  ])('%s %j names %s', async (path, body, named) => {
    const response = await router.post(path, { model: 'chat', ...body });
    const text = await response.text();
    expect([response.status, text]).toEqual([400, expect.stringContaining(named)]);
    expect(JSON.parse(text)).toEqual({ error: expect.any(String) });
  });
});

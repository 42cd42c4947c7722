/**
 * The kind `anthropic` against the contract of every kind and through the whole gateway, with a server that speaks the
 * documented Messages API behind it; Anthropic's own client vouches for that server.
 */
import Anthropic, { APIError } from '@anthropic-ai/sdk';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ChatBody } from '../src/serving/dialects/openai/bodies.ts';
import { anthropicKind } from '../src/serving/experts/anthropic/anthropic.ts';
import { events, listen, requestOf, textOf } from '../src/serving/experts/expert.contract.tools.ts';
import { describeExpert } from '../src/serving/experts/expert.contract.ts';
import type { Expert } from '../src/serving/experts/expert.ts';
import type { ExpertDeps } from '../src/serving/experts/kind.ts';
import { gateway, type RunningGateway } from './support/gateway.ts';
import { type MessagesApi, messagesApi } from './support/messages-api.ts';
import { polite, type Upstream, upstream } from './support/upstream.ts';

let api: MessagesApi;
let ids = 0;
const DEPS: ExpertDeps = {
  cacheFolder: '/nowhere',
  environment: {},
  newId: (prefix) => `${prefix}-${++ids}`,
  now: () => 1_700_000_000_000,
  log: () => {},
};
const make = (more: object = {}): Promise<Expert> =>
  anthropicKind.create(
    'claude',
    anthropicKind.options.parse({ url: api.url, model: 'claude-test', api_key: 'sk-test', ...more }),
    DEPS,
  );

beforeAll(async () => {
  api = await messagesApi();
});
afterAll(() => api.close());

describeExpert('anthropic', () => make(), { inUse: () => api.inUse(), refusesBlank: true });

const TOOLS = ['weather', 'time'].map((name) => ({
  type: 'function',
  function: { name, description: `The ${name}`, parameters: { properties: { city: { type: 'string' } } } },
}));
const NO_ARGUMENTS = { type: 'function', function: { name: 'now' } };

describe('the double is honest: the official client reads what it sends', () => {
  const client = () => new Anthropic({ baseURL: api.url, apiKey: 'sk-test', maxRetries: 0 });
  const ask = (content: string, more: object = {}) => ({
    model: 'claude-test',
    max_tokens: 50,
    messages: [{ role: 'user' as const, content }],
    ...more,
  });
  const tools = [{ name: 'weather', input_schema: { type: 'object' as const, properties: {} } }];

  it('a message, whole and streamed, is the same', async () => {
    const whole = await client().messages.create(ask('hello'));
    const stream = client().messages.stream(ask('hello'));
    const told: string[] = [];
    stream.on('text', (text) => told.push(text));
    const final = await stream.finalMessage();
    expect(told.length).toBeGreaterThan(3);
    expect(final.content).toMatchObject(whole.content);
    expect(final.stop_reason).toBe(whole.stop_reason);
    expect(final.usage.output_tokens).toBe(whole.usage.output_tokens);
  });

  it('tool calls accumulate to their input', async () => {
    const final = await client().messages.stream(ask('[call tools]', { tools })).finalMessage();
    expect(final.content.at(-1)).toMatchObject({
      type: 'tool_use',
      name: 'weather',
      input: { city: 'Zürich 🏔' },
    });
  });

  it.each([
    ['[overloaded]', 529],
    ['[rate]', 429],
    ['[long]', 400],
  ])('%s is thrown as its own error', async (content, status) => {
    const failed = await client()
      .messages.create(ask(content))
      .catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(APIError);
    expect((failed as APIError).status).toBe(status);
  });

  it('an error event in mid-stream is thrown too', async () => {
    await expect(client().messages.stream(ask('[late error]')).finalMessage()).rejects.toThrow('Overloaded');
  });
});

describe('an expert of kind anthropic', () => {
  let expert: Expert;
  beforeAll(async () => {
    expert = await make();
  });
  afterAll(() => expert.close());
  const chat = (content: string, more: object = {}) =>
    listen(expert, requestOf({ messages: [{ role: 'user', content }], ...more } as ChatBody));

  it('sends its key, its version and its model, and a limit where the client named none', async () => {
    await chat('hello').done;
    expect(api.headers.at(-1)).toMatchObject({ 'x-api-key': 'sk-test', 'anthropic-version': '2023-06-01' });
    expect(api.bodies.at(-1)).toMatchObject({ model: 'claude-test', max_tokens: 4096 });
  });

  it('calls tools in parallel, whole', async () => {
    const { body, outcome } = await chat('[call tools]', { tools: [...TOOLS, NO_ARGUMENTS] }).done;
    const [{ message, finish_reason }] = JSON.parse(body).choices;
    expect(finish_reason).toBe('tool_calls');
    expect(outcome?.finishReason).toBe('tool calls');
    expect(message.content).toBe('I shall look.');
    expect(message.tool_calls.map((call: { id: string }) => call.id)).toEqual([
      'toolu_0',
      'toolu_1',
      'toolu_2',
    ]);
    expect(
      message.tool_calls.map((call: { function: { arguments: string } }) =>
        JSON.parse(call.function.arguments),
      ),
    ).toEqual([{ city: 'Zürich 🏔', index: 0 }, { city: 'Zürich 🏔', index: 1 }, {}]);
  });

  it('calls tools in parallel, streamed: the same calls, piece by piece', async () => {
    const { body } = await chat('[call tools]', { tools: [...TOOLS, NO_ARGUMENTS], stream: true }).done;
    const deltas = events(body).flatMap((chunk) => chunk.choices[0]?.delta?.tool_calls ?? []);
    const calls = ['', '', ''];
    for (const { index, function: called } of deltas) calls[index] += called.arguments;
    expect(calls.map((json) => JSON.parse(json))).toEqual([
      { city: 'Zürich 🏔', index: 0 },
      { city: 'Zürich 🏔', index: 1 },
      {},
    ]);
    expect(
      deltas.filter((delta) => delta.id).map((delta) => [delta.index, delta.type, delta.function.name]),
    ).toEqual([
      [0, 'function', 'weather'],
      [1, 'function', 'time'],
      [2, 'function', 'now'],
    ]);
    expect(events(body).at(-1).choices[0].finish_reason).toBe('tool_calls');
  });

  it('gives results back, under ids of whatever expert called', async () => {
    const call = (id: string) => ({
      id,
      type: 'function',
      function: { name: 'weather', arguments: '{"city":"Bern"}' },
    });
    const messages = [
      { role: 'user', content: 'Weather?' },
      { role: 'assistant', content: null, tool_calls: [call('functions.weather:0'), call('call_b')] },
      { role: 'tool', tool_call_id: 'functions.weather:0', content: 'rain' },
      { role: 'tool', tool_call_id: 'call_b', content: [{ type: 'text', text: 'sun' }] },
      { role: 'user', content: 'So?' },
    ];
    const { status } = await listen(expert, requestOf({ messages, tools: TOOLS } as ChatBody)).done;
    expect(status).toBe(200);
    expect(api.bodies.at(-1).messages.map((turn: { role: string }) => turn.role)).toEqual([
      'user',
      'assistant',
      'user',
    ]);
  });

  it('counts cached tokens among the prompt, as OpenAI does', async () => {
    const usage = JSON.parse((await chat('one two').done).body).usage;
    expect(usage).toMatchObject({ prompt_tokens: 3 + 3 + 5, prompt_tokens_details: { cached_tokens: 5 } });
    expect(usage.total_tokens).toBe(usage.prompt_tokens + usage.completion_tokens);
  });

  it('a refusal of the model is a content filter', async () => {
    expect((await chat('[refuse]').done).outcome?.finishReason).toBe('filtered');
  });

  it('cuts at a stop of white space, which the API does not take', async () => {
    const full = textOf((await chat('one  two').done).body);
    expect(full).toContain('  ');
    for (const stream of [false, true]) {
      const { body, outcome } = await chat('one  two', { stop: ['  '], stream }).done;
      expect(textOf(body)).toBe(full.slice(0, full.indexOf('  ')));
      expect(outcome).toEqual({ finishReason: 'stop', usage: 'unknown' });
    }
  });

  it.each([
    ['[overloaded]', 529, 'api_error', 'overloaded_error', undefined],
    ['[rate]', 429, 'rate_limit_error', 'rate_limit_error', '7'],
    ['[long]', 400, 'invalid_request_error', 'context_length_exceeded', undefined],
    ['[early error]', 529, 'api_error', 'overloaded_error', undefined],
  ])('%s keeps its status, in OpenAI’s form', async (content, status, type, code, retryAfter) => {
    for (const stream of [false, true]) {
      const heard = await chat(content, { stream }).done;
      expect(heard.status).toBe(status);
      expect(JSON.parse(heard.body).error).toMatchObject({ type, code, param: null });
      expect(heard.headers['retry-after']).toBe(retryAfter);
    }
  });

  it('an error in mid-answer is a status for a whole reply, and an honest failure for a stream', async () => {
    expect((await chat('[late error]').done).status).toBe(529);
    const { failure, body } = await chat('[late error]', { stream: true }).done;
    expect(failure).toMatchObject({
      code: 'expert_cut_stream',
      message: expect.stringContaining('Overloaded'),
    });
    expect(textOf(body).length).toBeGreaterThan(0);
  });

  it.each(['[cut]', '[ends]'])('%s: an answer that breaks off never ends as complete', async (content) => {
    for (const stream of [false, true]) {
      const { failure, calls } = await Promise.resolve(chat(content, { stream })).then(async (running) => ({
        ...(await running.done),
        calls: running.calls,
      }));
      expect(failure?.code).toBe('expert_cut_stream');
      expect(calls).not.toContain('end');
    }
  });

  it('describes itself, and is not ready with a refused key', async () => {
    const { signal } = new AbortController();
    expect(await expert.describe!(signal)).toMatchObject({ engine: 'Anthropic', models: ['claude-test'] });
    const stranger = await make({ api_key: 'wrong' });
    expect(await stranger.health(signal)).toMatchObject({
      state: 'down',
      failure: { kind: 'unauthorized', status: 401 },
    });
    await stranger.close();
  });

  it('sends sampling parameters only with sampling: send', async () => {
    await chat('x', { temperature: 1.5, top_p: 0.9, top_k: 7 }).done;
    expect(Object.keys(api.bodies.at(-1)).filter((field) => /^(temperature|top_)/.test(field))).toEqual([]);
    const older = await make({ sampling: 'send' });
    const asked = { messages: [{ role: 'user', content: 'x' }], temperature: 1.5, top_p: 0.9, top_k: 7 };
    expect((await listen(older, requestOf(asked)).done).status).toBe(200);
    expect(api.bodies.at(-1)).toMatchObject({ temperature: 1, top_p: 0.9, top_k: 7 });
    await older.close();
  });
});

describe('through the gateway', () => {
  let running: (RunningGateway | Upstream)[] = [];
  afterEach(async () => {
    await Promise.all(running.map((one) => one.close()));
    running = [];
  });

  it.each(['[overloaded]', '[rate]', '[early error]'])('%s goes to the next of the ranking', async (what) => {
    const other = await upstream(polite);
    const router = await gateway(`
experts:
  - { id: claude, kind: anthropic, url: '${api.url}', api_key: sk-test, samples: [Write a Python function] }
  - { id: other, kind: openai, url: '${other.url}' }
`);
    running.push(router, other);
    for (const stream of [false, true]) {
      const content = `Write a Python function ${what}`;
      const response = await router.post('/v1/chat/completions', {
        messages: [{ role: 'user', content }],
        stream,
      });
      expect([response.status, response.headers.get('x-expert-router-expert')]).toEqual([200, 'other']);
      await response.text();
    }
  });

  it('a stream that breaks off ends with an error event', async () => {
    const router = await gateway(`
experts: [{ id: claude, kind: anthropic, url: '${api.url}', api_key: sk-test }]
`);
    running.push(router);
    const messages = [{ role: 'user', content: '[late error]' }];
    const text = await (await router.post('/v1/chat/completions', { messages, stream: true })).text();
    expect(text).toContain('"code":"expert_cut_stream"');
    expect(text).not.toContain('[DONE]');
  });
});

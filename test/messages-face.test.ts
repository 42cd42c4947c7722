/** Anthropic's Messages API as clients meet it: its own SDK, and bytes, against experts that speak it and others. */
import Anthropic, { APIError, BadRequestError, NotFoundError } from '@anthropic-ai/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gateway, type RunningGateway } from './support/gateway.ts';
import { polite, type Upstream, upstream } from './support/upstream.ts';
import { messageError, messageEvents, wholeMessage } from './support/wire-rules.ts';

const WEATHER = {
  name: 'get_weather',
  description: 'The weather somewhere',
  input_schema: {
    type: 'object' as const,
    properties: { city: { type: 'string' }, days: { type: 'integer', minimum: 2 } },
    required: ['city', 'days'],
  },
};
const OWN = 'sig-own';

/** Bytes as Anthropic's servers write them: spaces of their own, a ping, an unknown event. */
const THOUGHT = [
  'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":7,"cache_read_input_tokens":3,"output_tokens":1}}}\n\n',
  'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}\n\n',
  'event: ping\ndata: {"type": "ping"}\n\n',
  'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Hm \\u00e9"}}\n\n',
  `event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"${OWN}"}}\n\n`,
  'event: content_block_stop\ndata: {"type":"content_block_stop","index":0}\n\n',
  'event: something_new\ndata: {"type":"something_new"}\n\n',
  'event: content_block_start\ndata: {"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}\n\n',
  'event: content_block_delta\ndata: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"Grüezi"}}\n\n',
  'event: content_block_stop\ndata: {"type":"content_block_stop","index":1}\n\n',
  'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":9}}\n\n',
  'event: message_stop\ndata: {"type":"message_stop"}\n\n',
].join('');

let router: RunningGateway;
let claude: Upstream;
let other: Upstream;
let chat: Upstream;
let client: Anthropic;

beforeAll(async () => {
  claude = await upstream((response, { method, body }) => {
    if (method === 'GET') return void response.writeHead(404).end();
    const foreign = /"signature": ?"(?!sig-own)/.test(body);
    if (foreign) {
      const message = 'messages.1.content.0: Invalid `signature` in `thinking` block';
      const error = { type: 'error', error: { type: 'invalid_request_error', message }, request_id: 'req_9' };
      response.writeHead(400, { 'content-type': 'application/json', 'request-id': 'req_9' });
      return void response.end(JSON.stringify(error));
    }
    response.writeHead(200, { 'content-type': 'text/event-stream', 'request-id': 'req_8' });
    response.end(THOUGHT);
  });
  other = await upstream((response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(THOUGHT);
  });
  chat = await upstream(polite);
  router = await gateway(`
experts:
  - { id: emulated, kind: emulated, fallback: true }
  - { id: claude, kind: anthropic, url: '${claude.url}', model: claude-x, api_key: sk }
  - { id: vllm, kind: openai, url: '${other.url}', quirks: vllm, model: qwen }
  - { id: chat, kind: openai, url: '${chat.url}', quirks: plain, model: qwen }
`);
  client = new Anthropic({ baseURL: router.url, apiKey: 'none', maxRetries: 0 });
});

afterAll(async () => {
  for (const one of [router, claude, other, chat]) await one?.close();
});

const asked = (content: string) => [{ role: 'user' as const, content }];

describe('translated for an expert of another kind', () => {
  it('answers whole and streamed, with the fields and the order of the API', async () => {
    const body = { model: 'emulated', max_tokens: 40, messages: asked('Hello 🙂') };
    const whole = await router.post('/v1/messages?beta=true', body);
    const message = wholeMessage.parse(await whole.json());
    expect(whole.headers.get('x-expert-router-expert')).toBe('emulated');
    const streamed = await router.post('/v1/messages', { ...body, stream: true });
    for (const { headers } of [whole, streamed])
      expect(headers.get('request-id')).toBe(`req_${headers.get('x-expert-router-trace-id')}`);
    const events = messageEvents(await streamed.text());
    const said = events.map(({ delta }) => delta?.text ?? '').join('');
    expect(message.content).toEqual([{ type: 'text', text: said }]);
    expect(message.stop_reason).toBe('end_turn');
    expect(message.usage).toMatchObject(events.at(-2).usage);
    expect(message.usage.input_tokens).toBe(2);
  });

  it("serves the SDK's helpers: whole, streamed, cut short", async () => {
    const stream = client.messages.stream({ model: 'emulated', max_tokens: 40, messages: asked('Hi') });
    const final = await stream.finalMessage();
    const whole = await client.messages.create({ model: 'emulated', max_tokens: 40, messages: asked('Hi') });
    expect(final.content).toEqual(whole.content);
    expect(final.usage.output_tokens).toBe(whole.usage.output_tokens);
    const cut = await client.messages.create({ model: 'emulated', max_tokens: 3, messages: asked('Hi') });
    expect(cut.stop_reason).toBe('max_tokens');
  });

  it.each([true, false])('calls tools at once, and reads their results (stream: %s)', async (streamed) => {
    const ask = async (messages: Anthropic.MessageParam[]) => {
      const body = { model: 'emulated', max_tokens: 900, messages, tools: [WEATHER] };
      return streamed ? client.messages.stream(body).finalMessage() : client.messages.create(body);
    };
    const first = 'call get_weather {"city":"Bern 🏔"} and call get_weather\ncall get_weather {}';
    const called = await ask(asked(first));
    expect(called.stop_reason).toBe('tool_use');
    const calls = called.content.filter((block) => block.type === 'tool_use');
    expect(calls.map(({ input }) => input)).toEqual([{ city: 'Bern 🏔' }, { city: 'emulated', days: 2 }]);
    const results = (ids: Anthropic.ContentBlock[]) => ({
      role: 'user' as const,
      content: ids.flatMap((block) =>
        block.type === 'tool_use'
          ? [
              {
                type: 'tool_result' as const,
                tool_use_id: block.id,
                content: `sun ${JSON.stringify(block.input)}`,
              },
            ]
          : [],
      ),
    });
    const more = [
      ...asked(first),
      { role: 'assistant' as const, content: called.content },
      results(called.content),
    ];
    const second = await ask(more);
    expect(second.content).toMatchObject([{ type: 'tool_use', input: {} }]);
    const last = await ask([
      ...more,
      { role: 'assistant', content: second.content },
      results(second.content),
    ]);
    expect(last.stop_reason).toBe('end_turn');
    expect(JSON.stringify(last.content)).toContain('reads: sun {}');
  });

  it('calls a demanded tool, and writes JSON by a schema', async () => {
    const forced = await client.messages.create({
      model: 'emulated',
      max_tokens: 900,
      messages: asked('Hi'),
      tools: [WEATHER],
      tool_choice: { type: 'tool', name: 'get_weather' },
    });
    expect(forced.content).toMatchObject([{ type: 'tool_use', name: 'get_weather' }]);
    const json = await client.messages.create({
      model: 'emulated',
      max_tokens: 900,
      messages: asked('Hi'),
      output_config: { format: { type: 'json_schema', schema: WEATHER.input_schema } },
    });
    expect(JSON.parse((json.content[0] as Anthropic.TextBlock).text)).toEqual({ city: 'emulated', days: 2 });
  });

  it('shows thinking to those who ask for it, and to nobody else', async () => {
    const think = async (thinking: object) => {
      const body = {
        model: 'emulated',
        max_tokens: 2000,
        messages: asked('Hi'),
        output_config: { effort: 'low' },
      };
      const answer = await router.post('/v1/messages', { ...body, ...thinking, stream: true });
      return messageEvents(await answer.text()).flatMap(({ content_block: block }) => block?.type ?? []);
    };
    expect(await think({ thinking: { type: 'adaptive' } })).toEqual(['thinking', 'text']);
    expect(await think({})).toEqual(['text']);
  });

  it('counts tokens with an expert that can, and lists models as Claude Code shows them', async () => {
    const counted = await client.messages.countTokens({
      model: 'emulated',
      messages: asked('one two three'),
    });
    expect(counted).toEqual({ input_tokens: 3 });
    const ids = [];
    for await (const { id } of client.models.list({ limit: 1000 })) ids.push(id);
    expect(ids).toEqual(['claude-auto', 'claude-emulated', 'claude', 'claude-vllm', 'claude-chat']);
    const named = await client.messages.create({
      model: 'claude-emulated',
      max_tokens: 9,
      messages: asked('Hi'),
    });
    expect(named.model).toBe('emulated');
  });

  it('names dropped fields in a header', async () => {
    const answer = await router.post('/v1/messages', {
      ...{ model: 'emulated', max_tokens: 9, messages: asked('Hi'), container: 'c', service_tier: 'auto' },
      tools: [WEATHER, { type: 'web_search_20250305', name: 'web_search' }],
    });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-expert-router-dropped')).toBe('container, service_tier, tools[1]');
  });
});

describe('errors', () => {
  it.each([
    ['messages', { messages: 'x' }],
    ['messages[0].role', { messages: [{ content: 'x' }] }],
    ['messages[0].content[0]', { messages: [{ role: 'user', content: [3] }] }],
    ['messages[0].content[0].text', { messages: [{ role: 'user', content: [{ type: 'text', text: 3 }] }] }],
    ['system', { system: 3 }],
    ['model', { model: 3 }],
    ['stream', { stream: 'yes' }],
    ['max_tokens', { max_tokens: 'many' }],
    ['temperature', { temperature: 'hot' }],
    ['top_k', { top_k: 1.5 }],
    ['stop_sequences[0]', { stop_sequences: [3] }],
    ['tools', { tools: {} }],
    ['tools[0].input_schema', { tools: [{ name: 'x' }] }],
    ['tool_choice', { tools: [WEATHER], tool_choice: 'any' }],
    ['output_config.format.schema', { output_config: { format: { type: 'json_schema' } } }],
  ])('name %s where it has the wrong type', async (field, wrong) => {
    const body = { model: 'emulated', max_tokens: 9, messages: asked('x'), ...wrong };
    const answer = await router.post('/v1/messages', body);
    expect(answer.status).toBe(400);
    const { error, request_id } = messageError.parse(await answer.json());
    expect(error.type).toBe('invalid_request_error');
    expect(error.message).toContain(`'${field}'`);
    expect(answer.headers.get('request-id')).toBe(request_id);
  });

  it('have that shape at every address for a client that names a version of the API', async () => {
    const version = { 'anthropic-version': '2023-06-01' };
    for (const path of ['/v1/models/nobody', '/v1/nothing', '/v1/experts/nobody/load']) {
      const told = await fetch(router.url + path, { headers: version });
      expect(told.status).toBe(404);
      expect(messageError.parse(await told.json()).error.type).toBe('not_found_error');
      const plain = await (await fetch(router.url + path)).json();
      expect(plain).toHaveProperty('error.code');
    }
  });

  it("are the SDK's own", async () => {
    const nobody = client.messages.create({ model: 'nobody', max_tokens: 9, messages: asked('x') });
    await expect(nobody).rejects.toThrow(NotFoundError);
    await expect(nobody).rejects.toMatchObject({ requestID: expect.stringMatching(/^req_/) });
    const wrong = client.messages.create({ model: 'emulated', max_tokens: -1, messages: asked('x') });
    await expect(wrong).rejects.toThrow(BadRequestError);
  });

  it('break a stream off as one', async () => {
    const cut = await gateway('experts: [{ id: one, kind: emulated, misbehaviour: cut=3 }]');
    const own = new Anthropic({ baseURL: cut.url, apiKey: 'x', maxRetries: 0 });
    const stream = own.messages.stream({ model: 'one', max_tokens: 99, messages: asked('x') });
    await expect(stream.finalMessage()).rejects.toThrow(APIError);
    await cut.close();
  });
});

const SIGNED = (signature: string) => [
  ...asked('Hi'),
  {
    role: 'assistant' as const,
    content: [
      { type: 'thinking' as const, thinking: 'Hm é', signature },
      { type: 'text' as const, text: 'Grüezi' },
    ],
  },
  ...asked('And now?'),
];

describe('passed on to a server that speaks it', () => {
  it('leaves every byte of the answer, the version and the betas', async () => {
    const body = `{ "max_tokens":9007199254740993, "model" : "claude", "stream":true,"messages":[{"role":"user","content":"\\u00e9"}], "new_field": [1.0] }`;
    const headers = { 'anthropic-version': '2027-01-01', 'anthropic-beta': 'a,b', 'x-api-key': 'client' };
    const answer = await router.post('/v1/messages?beta=true', body, headers);
    expect(await answer.text()).toBe(THOUGHT);
    expect(answer.headers.get('request-id')).toBe('req_8');
    expect(answer.headers.get('x-expert-router-dropped')).toBeNull();
    const sent = claude.requests.at(-1)!;
    expect(sent.path).toBe('/v1/messages');
    expect(sent.body).toBe(body.replace('"claude"', '"claude-x"'));
    expect(sent.headers).toMatchObject({
      'anthropic-version': '2027-01-01',
      'anthropic-beta': 'a,b',
      'x-api-key': 'sk',
    });
  });

  it('sends thinking back byte for byte, and without it where another model made it', async () => {
    const ask = (signature: string) =>
      client.messages.stream({ model: 'claude', max_tokens: 9, messages: SIGNED(signature) }).finalMessage();
    const before = claude.requests.length;
    const answer = await ask(OWN);
    expect(answer.content[0]).toEqual({ type: 'thinking', thinking: 'Hm é', signature: OWN });
    expect(JSON.parse(claude.requests.at(-1)!.body).messages[1].content[0]).toEqual(answer.content[0]);
    expect(claude.requests.length).toBe(before + 1);
    await ask('sig-of-another');
    expect(claude.requests.length).toBe(before + 3);
    const { messages } = JSON.parse(claude.requests.at(-1)!.body);
    expect(messages[1].content).toEqual([{ type: 'text', text: 'Grüezi' }]);
  });

  it('sends no thinking to a model behind chat completions', async () => {
    await client.messages.create({ model: 'chat', max_tokens: 9, messages: SIGNED(OWN) });
    const { messages } = JSON.parse(chat.requests.findLast(({ method }) => method === 'POST')!.body);
    expect(messages).toEqual([
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: 'Grüezi' },
      { role: 'user', content: 'And now?' },
    ]);
  });

  it("keeps the attribution block for Anthropic's own, and takes it from every other", async () => {
    const own = { type: 'text', text: 'Be brief.' };
    const billing = { type: 'text', text: 'x-anthropic-billing-header: cc_version=2; cch=ab12;' };
    const system = (model: string) => ({
      model,
      max_tokens: 9,
      system: [billing, own],
      messages: asked('Hi'),
    });
    await (await router.post('/v1/messages', { ...system('claude'), stream: true })).text();
    expect(JSON.parse(claude.requests.at(-1)!.body).system).toEqual([billing, own]);
    await (await router.post('/v1/messages', { ...system('vllm'), stream: true })).text();
    const { system: kept, ...rest } = JSON.parse(other.requests.at(-1)!.body);
    expect(kept).toEqual([own]);
    expect(rest).toEqual({ model: 'qwen', max_tokens: 9, messages: asked('Hi'), stream: true });
    await router.post('/v1/messages', system('chat'));
    expect(JSON.parse(chat.requests.at(-1)!.body).messages[0]).toEqual({
      role: 'system',
      content: 'Be brief.',
    });
    const routed = await router.post('/v1/route', system('auto'));
    expect(JSON.stringify(await routed.json())).not.toContain('cch');
  });

  it('translates where an older server turns out not to speak it', async () => {
    const old = await upstream((response, request) => {
      if (request.path !== '/v1/messages') return polite(response, request);
      response.writeHead(404, { 'content-type': 'application/json' }).end('{"detail":"Not Found"}');
    });
    const own = await gateway(`experts: [{ id: old, kind: openai, url: '${old.url}', quirks: vllm }]`);
    for (let at = 0; at < 2; at += 1) {
      const answer = await own.post('/v1/messages', { model: 'old', max_tokens: 9, messages: asked('Hi') });
      expect(wholeMessage.parse(await answer.json()).content).toMatchObject([{ text: 'I am old.' }]);
    }
    const paths = old.requests.filter(({ method }) => method === 'POST').map(({ path }) => path);
    expect(paths).toEqual(['/v1/messages', '/v1/chat/completions', '/v1/chat/completions']);
    await own.close();
    await old.close();
  });
});

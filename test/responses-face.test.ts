/** OpenAI's Responses API as clients meet it: its own SDK, and bytes, against experts that speak it and others. */
import OpenAI, { BadRequestError, NotFoundError } from 'openai';
import { zodTextFormat } from 'openai/helpers/zod';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { gateway, type RunningGateway } from './support/gateway.ts';
import { polite, type Upstream, upstream } from './support/upstream.ts';
import { responseEvents, response as responseRule } from './support/wire-rules.ts';

const WEATHER = {
  type: 'function' as const,
  name: 'get_weather',
  description: 'The weather somewhere',
  parameters: {
    type: 'object',
    properties: { city: { type: 'string' } },
    required: ['city'],
    additionalProperties: false,
  },
  strict: true,
};
const PATCH = {
  type: 'custom' as const,
  name: 'apply_patch',
  description: 'Changes files',
  format: { type: 'grammar' as const, syntax: 'lark' as const, definition: 'start: "x"' },
};
const DOCS = { type: 'namespace', name: 'mcp__docs', tools: [{ ...WEATHER, name: 'find' }] };

/** Bytes as OpenAI's servers write them, with spaces of their own and an event nobody knows. */
const REASONED = [
  'event: response.created\ndata: {"type":"response.created","sequence_number":0,"response":{"id":"resp_1","status":"in_progress","output":[]}}\n\n',
  'event: response.brand_new\ndata: {"type":"response.brand_new", "sequence_number":1}\n\n',
  'event: response.output_item.added\ndata: {"type":"response.output_item.added","sequence_number":2,"output_index":0,"item":{"id":"rs_1","type":"reasoning","summary":[]}}\n\n',
  'event: response.output_item.done\ndata: {"type":"response.output_item.done","sequence_number":3,"output_index":0,"item":{"id":"rs_1","type":"reasoning","summary":[],"encrypted_content":"own:\\u00e9"}}\n\n',
  'event: response.output_item.added\ndata: {"type":"response.output_item.added","sequence_number":4,"output_index":1,"item":{"id":"msg_1","type":"message","role":"assistant","status":"in_progress","content":[]}}\n\n',
  'event: response.content_part.added\ndata: {"type":"response.content_part.added","sequence_number":5,"item_id":"msg_1","output_index":1,"content_index":0,"part":{"type":"output_text","text":"","annotations":[],"logprobs":[]}}\n\n',
  'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","sequence_number":6,"item_id":"msg_1","output_index":1,"content_index":0,"delta":"Grüezi"}\n\n',
  'event: response.completed\ndata: {"type":"response.completed","sequence_number":7,"response":{"id":"resp_1","status":"completed","store":false,"output":[{"id":"rs_1","type":"reasoning","summary":[],"encrypted_content":"own:\\u00e9"},{"id":"msg_1","type":"message","role":"assistant","status":"completed","phase":"final_answer","content":[{"type":"output_text","text":"Grüezi","annotations":[],"logprobs":[]}]}],"usage":{"input_tokens":3,"output_tokens":2,"total_tokens":5}}}\n\n',
].join('');

let router: RunningGateway;
let keeper: Upstream;
let chat: Upstream;
let client: OpenAI;

beforeAll(async () => {
  keeper = await upstream((response, { method, body }) => {
    if (method === 'GET') return void response.writeHead(404).end();
    if (/"encrypted_content": ?"(?!own:)/.test(body)) {
      const message = 'The encrypted content for item rs_2 could not be verified.';
      const error = {
        message,
        type: 'invalid_request_error',
        param: null,
        code: 'invalid_encrypted_content',
      };
      response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify({ error }));
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(REASONED);
  });
  chat = await upstream(polite);
  router = await gateway(`
experts:
  - { id: emulated, kind: emulated, fallback: true }
  - { id: keeper, kind: openai, url: '${keeper.url}', quirks: openai, model: gpt-x, api_key: sk }
  - { id: chat, kind: openai, url: '${chat.url}', quirks: plain, model: qwen }
aliases:
  keepers: { experts: [keeper] }
`);
  client = new OpenAI({ baseURL: `${router.url}/v1`, apiKey: 'none', maxRetries: 0 });
});

afterAll(async () => {
  for (const one of [router, keeper, chat]) await one?.close();
});

async function events(body: object) {
  const answer = await router.post('/v1/responses', { ...body, stream: true });
  return responseEvents(await answer.text());
}

const kinds = (all: Awaited<ReturnType<typeof events>>) => {
  const names = all.map(({ type }) => (type as string).replace('response.', ''));
  return names.filter((name, at) => name !== names[at - 1]);
};

describe('translated for an expert of another kind', () => {
  it('answers whole and streamed, with the fields and the order of the API', async () => {
    const body = {
      model: 'emulated',
      input: 'Hello 🙂',
      store: true,
      metadata: { a: 'b' },
      instructions: 'Be brief.',
    };
    const whole = responseRule.parse(await (await router.post('/v1/responses', body)).json());
    expect(whole).toMatchObject({ store: false, metadata: { a: 'b' }, status: 'completed' });
    const all = await events(body);
    expect(kinds(all)).toEqual([
      ...['created', 'in_progress', 'output_item.added', 'content_part.added', 'output_text.delta'],
      ...['output_text.done', 'content_part.done', 'output_item.done', 'completed'],
    ]);
    const streamed = all.at(-1).response;
    const plain = ({ id: _id, content }: Record<string, unknown>) => content;
    expect(streamed.output.map(plain)).toEqual(whole.output.map(plain));
    expect(streamed.usage).toEqual(whole.usage);
    expect(whole.usage).toMatchObject({ input_tokens: 2, input_tokens_details: { cached_tokens: 0 } });
  });

  it('repeats the settings, those that were left out as the API has them by default', async () => {
    const { strict: _, description: __, ...tool } = WEATHER;
    const answer = async (more: object) =>
      responseRule.parse(
        await (await router.post('/v1/responses', { model: 'emulated', input: 'x', ...more })).json(),
      );
    const bare = await answer({ tools: [tool] });
    expect(bare).toMatchObject({ temperature: 1, top_p: 1, presence_penalty: 0, frequency_penalty: 0 });
    expect(bare.tools).toEqual([{ ...tool, description: null, strict: null }]);
    expect(bare).not.toHaveProperty('user');
    const settings = {
      temperature: 0.5,
      user: 'someone',
      tools: [WEATHER, PATCH],
      text: { verbosity: 'low' },
    };
    const set = await answer(settings);
    expect(set).toMatchObject({ ...settings, text: { verbosity: 'low', format: { type: 'text' } } });
    expect(set.tools).toEqual(settings.tools);
    const body = { model: 'emulated', input: 'x', reasoning: { effort: 'low' }, stream: true };
    const items = (await events(body)).filter(({ item }) => item?.type === 'reasoning');
    expect(items).not.toEqual([]);
    for (const { item } of items) expect(item).not.toHaveProperty('encrypted_content');
  });

  it("serves the SDK's helpers: text, streams, parsed output, what is cut short", async () => {
    const plain = await client.responses.create({ model: 'emulated', input: 'Hi' });
    expect(plain.output_text).toContain('emulated answer');
    const stream = client.responses.stream({ model: 'emulated', input: 'Hi' });
    const final = (await stream.finalResponse()).output[0] as OpenAI.Responses.ResponseOutputMessage;
    expect(final.content).toMatchObject([{ type: 'output_text', text: plain.output_text }]);
    const Step = z.object({ step: z.string(), sum: z.number() });
    const parsed = await client.responses.parse({
      model: 'emulated',
      input: 'Hi',
      text: { format: zodTextFormat(z.object({ steps: z.array(Step), done: z.boolean() }), 'plan') },
    });
    expect(parsed.output_parsed).toEqual({ steps: [{ step: 'emulated', sum: 1 }], done: true });
    const cut = await client.responses.create({ model: 'emulated', input: 'Hi', max_output_tokens: 16 });
    expect(cut).toMatchObject({ status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } });
  });

  it.each([true, false])(
    'calls functions, custom tools and those in namespaces (stream: %s)',
    async (streamed) => {
      const patch = '*** Begin Patch\n+é 🏔\n*** End Patch';
      const words = [
        'call get_weather {"city":"Bern 🏔"}',
        `call apply_patch ${JSON.stringify({ input: patch })}`,
        'call mcp__docs__find {"city":"x"}',
      ].join(' and ');
      const body = { model: 'emulated', input: words, tools: [WEATHER, PATCH, DOCS, { type: 'web_search' }] };
      const output = streamed
        ? (await events(body)).at(-1).response.output
        : responseRule.parse(await (await router.post('/v1/responses', body)).json()).output;
      expect(output).toMatchObject([
        { type: 'function_call', name: 'get_weather', arguments: '{"city":"Bern 🏔"}' },
        { type: 'custom_tool_call', name: 'apply_patch', input: patch },
        { type: 'function_call', namespace: 'mcp__docs', name: 'find', arguments: '{"city":"x"}' },
      ]);
      const results = output.map(({ type, call_id }: Record<string, string>) => ({
        type: `${type}_output`,
        call_id,
        output: 'sun',
      }));
      const last = await router.post('/v1/responses', {
        ...body,
        input: [{ role: 'user', content: words }, ...output, ...results],
      });
      expect(last.headers.get('x-expert-router-dropped')).toBe('tools[3]');
      expect(JSON.stringify(await last.json())).toContain('reads: sunsunsun');
    },
  );

  it('streams a custom tool as text', async () => {
    const all = await events({
      model: 'emulated',
      input: 'call apply_patch {"input":"a\\nb"}',
      tools: [PATCH],
    });
    expect(kinds(all)).toEqual([
      ...['created', 'in_progress', 'output_item.added', 'custom_tool_call_input.delta'],
      ...['custom_tool_call_input.done', 'output_item.done', 'completed'],
    ]);
    expect(all.find(({ type }) => type.endsWith('input.done')).input).toBe('a\nb');
  });

  it('shows reasoning as an item of its own', async () => {
    const all = await events({ model: 'emulated', input: 'Hi', reasoning: { effort: 'low' } });
    const { output, usage, reasoning } = all.at(-1).response;
    expect(output.map(({ type }: { type: string }) => type)).toEqual(['reasoning', 'message']);
    expect(reasoning.effort).toBe('low');
    expect(usage.output_tokens_details.reasoning_tokens).toBe(8);
  });

  it('sends the conversation in one piece to chat completions', async () => {
    await router.post('/v1/responses', {
      model: 'chat',
      instructions: 'Be brief.',
      max_output_tokens: 99,
      reasoning: { effort: 'xhigh' },
      input: [
        { role: 'developer', content: 'Rules.' },
        {
          type: 'message',
          role: 'user',
          content: [
            { type: 'input_text', text: 'Look:' },
            { type: 'input_image', image_url: 'data:image/png;base64,AA==', detail: 'low' },
          ],
        },
        { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'x' },
        {
          type: 'message',
          role: 'assistant',
          phase: 'commentary',
          content: [{ type: 'output_text', text: 'I look.' }],
        },
        { type: 'function_call', call_id: 'c1', name: 'get_weather', arguments: '{"city":"Bern"}' },
        { type: 'custom_tool_call', call_id: 'c2', name: 'apply_patch', input: 'p' },
        { type: 'function_call_output', call_id: 'c1', output: 'sun' },
        { type: 'custom_tool_call_output', call_id: 'c2', output: [{ type: 'input_text', text: 'done' }] },
      ],
      tools: [WEATHER, PATCH],
      tool_choice: { type: 'function', name: 'get_weather' },
      parallel_tool_calls: false,
      text: { format: { type: 'json_schema', name: 'plan', schema: { type: 'object' }, strict: true } },
    });
    const sent = JSON.parse(chat.requests.at(-1)!.body);
    expect(sent.messages).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'system', content: 'Rules.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Look:' },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==', detail: 'low' } },
        ],
      },
      {
        role: 'assistant',
        content: 'I look.',
        tool_calls: [
          { id: 'c1', type: 'function', function: { name: 'get_weather', arguments: '{"city":"Bern"}' } },
          { id: 'c2', type: 'function', function: { name: 'apply_patch', arguments: '{"input":"p"}' } },
        ],
      },
      { role: 'tool', tool_call_id: 'c1', content: 'sun' },
      { role: 'tool', tool_call_id: 'c2', content: 'done' },
    ]);
    expect(sent).toMatchObject({
      model: 'qwen',
      max_tokens: 99,
      reasoning_effort: 'high',
      parallel_tool_calls: false,
      tool_choice: { type: 'function', function: { name: 'get_weather' } },
      response_format: { type: 'json_schema', json_schema: { name: 'plan', strict: true } },
    });
    expect(sent.tools[0].function).toMatchObject({ name: 'get_weather', strict: true });
    expect(sent.tools[1].function.description).toContain('start: "x"');
  });

  it('counts tokens with an expert that can', async () => {
    const counted = await client.responses.inputTokens.count({ model: 'emulated', input: 'one two three' });
    expect(counted).toEqual({ object: 'response.input_tokens', input_tokens: 3 });
  });
});

describe('errors', () => {
  it.each([
    ['input', {}],
    ['input', { input: 3 }],
    ['input[0]', { input: [3] }],
    ['input[0].role', { input: [{ type: 'message', content: 'x' }] }],
    ['input[0].content', { input: [{ role: 'user', content: 3 }] }],
    ['input[0].content[0].text', { input: [{ role: 'user', content: [{ type: 'input_text' }] }] }],
    ['instructions', { input: 'x', instructions: 3 }],
    ['model', { input: 'x', model: 3 }],
    ['stream', { input: 'x', stream: 1 }],
    ['max_output_tokens', { input: 'x', max_output_tokens: 'many' }],
    ['temperature', { input: 'x', temperature: 'hot' }],
    ['tools', { input: 'x', tools: {} }],
    ['tools[0].name', { input: 'x', tools: [{ type: 'function' }] }],
    ['tools[0].parameters', { input: 'x', tools: [{ type: 'function', name: 'x', parameters: 3 }] }],
    ['tool_choice', { input: 'x', tools: [WEATHER], tool_choice: 'perhaps' }],
    ['text.format.type', { input: 'x', text: { format: { type: 'xml' } } }],
    ['background', { input: 'x', background: true }],
  ])('name %s where it is wrong', async (field, wrong) => {
    const answer = await router.post('/v1/responses', { model: 'emulated', ...wrong });
    expect(answer.status).toBe(400);
    const { error } = (await answer.json()) as { error: Record<string, string> };
    expect(error).toMatchObject({ type: 'invalid_request_error', param: field });
  });

  it('say that nothing is stored', async () => {
    for (const stored of [{ previous_response_id: 'resp_1' }, { conversation: { id: 'conv_1' } }]) {
      for (const model of ['auto', 'emulated', 'keepers']) {
        const refused = client.responses.create({ model, input: 'x', ...stored });
        await expect(refused).rejects.toThrow(BadRequestError);
        await expect(refused).rejects.toMatchObject({ code: 'previous_response_not_found' });
      }
    }
    await expect(client.responses.retrieve('resp_1')).rejects.toThrow(NotFoundError);
    await expect(client.responses.cancel('resp_1')).rejects.toThrow(NotFoundError);
    await expect(client.responses.delete('resp_1')).rejects.toThrow(NotFoundError);
    await expect(client.responses.inputItems.list('resp_1')).rejects.toThrow(NotFoundError);
  });

  it('break a stream off: the response fails, and an error follows', async () => {
    const cut = await gateway('experts: [{ id: one, kind: emulated, misbehaviour: cut=3 }]');
    const answer = await cut.post('/v1/responses', { model: 'one', input: 'x', stream: true });
    const all = responseEvents(await answer.text());
    expect(all.at(-2).response.error.message).toContain('expert_cut_stream');
    const own = new OpenAI({ baseURL: `${cut.url}/v1`, apiKey: 'x', maxRetries: 0 });
    const broken = own.responses.stream({ model: 'one', input: 'x' }).finalResponse();
    await expect(broken).rejects.toMatchObject({ code: 'expert_cut_stream' });
    await cut.close();
  });
});

describe('passed on to a server that speaks it', () => {
  it('leaves every byte, and what the server keeps to those who name its expert', async () => {
    const body = `{ "previous_response_id":"resp_0", "max_output_tokens":9007199254740993, "model" : "keeper","stream":true,"input":"\\u00e9","new":1.0}`;
    const answer = await router.post('/v1/responses', body);
    expect(await answer.text()).toBe(REASONED);
    expect(answer.headers.get('x-expert-router-dropped')).toBeNull();
    expect(keeper.requests.at(-1)).toMatchObject({
      path: '/v1/responses',
      body: body.replace('"keeper"', '"gpt-x"'),
    });
    const chosen = body.replace('"keeper"', '"keepers"').replace('"previous_response_id":"resp_0", ', '');
    await (await router.post('/v1/responses', chosen)).text();
    expect(keeper.requests.at(-1)!.body).toBe(
      chosen.replace('{ ', '{"store":false, ').replace('"keepers"', '"gpt-x"'),
    );
  });

  it('takes an answer for whole whose last event is too long to be read', async () => {
    const text = 'x'.repeat(2 * 1024 * 1024);
    const last = { type: 'response.completed', response: { status: 'completed', output: [], text } };
    const long = `${REASONED.slice(0, REASONED.lastIndexOf('event:'))}event: response.completed\ndata: ${JSON.stringify(last)}\n\n`;
    const server = await upstream((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end(long);
    });
    const own = await gateway(`experts: [{ id: one, kind: openai, url: '${server.url}', quirks: openai }]`);
    const answer = await own.post('/v1/responses', { model: 'one', input: 'x', stream: true });
    expect(await answer.text()).toBe(long);
    await own.close();
    await server.close();
  });

  it('sends reasoning and phase back byte for byte, and without it where another model made it', async () => {
    // Event by event: the client's own accumulator throws at the event that it does not know.
    const stream = await client.responses.create({
      model: 'keeper',
      input: 'Hi',
      include: ['reasoning.encrypted_content'],
      stream: true,
    });
    let output: OpenAI.Responses.ResponseOutputItem[] = [];
    for await (const event of stream) if (event.type === 'response.completed') ({ output } = event.response);
    const again = async (items: object[]) => {
      const input = [{ role: 'user', content: 'Hi' }, ...items, { role: 'user', content: 'And now?' }];
      await (await router.post('/v1/responses', { model: 'keeper', stream: true, input })).text();
      return JSON.parse(keeper.requests.at(-1)!.body).input;
    };
    expect(output).toMatchObject([{ encrypted_content: 'own:é' }, { phase: 'final_answer' }]);
    expect((await again(output)).slice(1, 3)).toEqual(JSON.parse(JSON.stringify(output)));
    const foreign = { ...output[0], encrypted_content: 'theirs' };
    expect(await again([foreign, output[1]!])).toMatchObject([{}, { phase: 'final_answer' }, {}]);
  });
});

/**
 * Every documented field of every dialect, with a value of every wrong type: where the request is translated, the answer
 * is the dialect's own error and names the field; where the server speaks the dialect, either that or the same body there.
 */
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { gateway, type RunningGateway } from './support/gateway.ts';
import { type Upstream, upstream } from './support/upstream.ts';

type Type = keyof typeof SAMPLES;

const SAMPLES = { s: 'seven', n: 7, b: true, l: [], o: {} } as const;

/** A field's path → its types: string, number, boolean, list, object; `!`: null is no value of it either. */
type Fields = Readonly<Record<string, string>>;

interface Case {
  readonly path: string;
  readonly base: object;
  readonly fields: Fields;
  /** An engine that speaks it; vLLM when absent, null for none. */
  readonly native?: 'ollama' | null;
}

const CALL = { id: 'c1', type: 'function', function: { name: 'f', arguments: '{}' } };
const TOOL = { type: 'function', function: { name: 'f', description: 'd', parameters: {}, strict: false } };
const SAMPLING = { temperature: 'n', top_p: 'n' };
const OPENAI = {
  ...SAMPLING,
  ...{ model: 's', stream: 'b', stream_options: 'o', 'stream_options.include_usage': 'b', max_tokens: 'n' },
  ...{ n: 'n', seed: 'n', stop: 'sl', 'stop[0]': 's!', logit_bias: 'o', user: 's' },
  ...{ frequency_penalty: 'n', presence_penalty: 'n' },
};
const FUNCTION = {
  ...{ tools: 'l', 'tools[0]': 'o!', 'tools[0].type': 's', 'tools[0].function': 'o!' },
  ...{ 'tools[0].function.name': 's!', 'tools[0].function.description': 's' },
  ...{ 'tools[0].function.parameters': 'o', 'tools[0].function.strict': 'b' },
};

const CHAT: Case = {
  path: '/v1/chat/completions',
  base: {
    messages: [
      { role: 'user', content: [{ type: 'text', text: 'Hi' }] },
      { role: 'assistant', content: null, tool_calls: [CALL] },
      { role: 'tool', tool_call_id: 'c1', content: 'done' },
    ],
    ...{ stop: ['x'], stream_options: {}, tools: [TOOL] },
    tool_choice: { type: 'function', function: { name: 'f' } },
    response_format: { type: 'json_schema', json_schema: { name: 'a', schema: {} } },
  },
  fields: {
    ...OPENAI,
    ...FUNCTION,
    ...{ messages: 'l!', 'messages[0]': 'o!', 'messages[0].role': 's!', 'messages[0].name': 's' },
    ...{ 'messages[0].content': 'sl', 'messages[0].content[0]': 'o!', 'messages[0].content[0].text': 's!' },
    ...{ 'messages[1].tool_calls': 'l', 'messages[1].tool_calls[0]': 'o!', 'messages[1].refusal': 's' },
    ...{ 'messages[1].tool_calls[0].id': 's', 'messages[1].tool_calls[0].function': 'o' },
    ...{ 'messages[1].tool_calls[0].function.name': 's' },
    ...{ 'messages[1].tool_calls[0].function.arguments': 's', 'messages[2].tool_call_id': 's' },
    ...{ max_completion_tokens: 'n', logprobs: 'b', top_logprobs: 'n', reasoning_effort: 's' },
    ...{ tool_choice: 'so', 'tool_choice.type': 's', 'tool_choice.function': 'o!' },
    ...{ 'tool_choice.function.name': 's!', parallel_tool_calls: 'b', function_call: 'so', functions: 'l' },
    ...{ 'messages[1].audio': 'o', 'messages[1].function_call': 'o' },
    ...{ response_format: 'o', 'response_format.type': 's', 'response_format.json_schema': 'o' },
    ...{ 'response_format.json_schema.schema': 'o!', 'response_format.json_schema.strict': 'b' },
    ...{ 'response_format.json_schema.name': 's', store: 'b', metadata: 'o', service_tier: 's' },
    ...{ modalities: 'l', audio: 'o', prediction: 'o', verbosity: 's', prompt_cache_key: 's' },
    ...{ safety_identifier: 's', web_search_options: 'o' },
  },
};

const COMPLETION: Case = {
  path: '/v1/completions',
  base: { prompt: 'Hi', stop: ['x'], stream_options: {} },
  fields: { ...OPENAI, prompt: 'sl!', best_of: 'n', echo: 'b', logprobs: 'n', suffix: 's' },
};

const RESPONSES: Case = {
  path: '/v1/responses',
  base: {
    input: [
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Hi' }] },
      { type: 'reasoning', summary: [{ type: 'summary_text', text: 'hm' }] },
      { type: 'function_call', call_id: 'c1', name: 'f', arguments: '{}' },
      { type: 'function_call_output', call_id: 'c1', output: 'done' },
    ],
    tools: [{ type: 'function', name: 'f', description: 'd', parameters: {}, strict: true }],
    ...{ tool_choice: { type: 'function', name: 'f' }, reasoning: {}, include: ['x'] },
    text: { format: { type: 'json_schema', name: 'a', schema: {} } },
  },
  fields: {
    ...SAMPLING,
    ...{ model: 's', stream: 'b', store: 'b', background: 'b', instructions: 's', max_output_tokens: 'n' },
    ...{ input: 'sl!', 'input[0]': 'o!', 'input[0].type': 's!', 'input[0].role': 's!' },
    ...{ 'input[0].content': 'sl!', 'input[0].content[0]': 'o!', 'input[0].content[0].text': 's!' },
    ...{ 'input[1].summary': 'l', 'input[2].call_id': 's', 'input[2].name': 's', 'input[2].arguments': 'so' },
    ...{ 'input[3].call_id': 's', 'input[3].output': 'slo' },
    ...{ tools: 'l', 'tools[0]': 'o!', 'tools[0].type': 's!', 'tools[0].name': 's!', 'tools[0].strict': 'b' },
    ...{ 'tools[0].description': 's', 'tools[0].parameters': 'o', parallel_tool_calls: 'b' },
    ...{ tool_choice: 'so', 'tool_choice.type': 's!', 'tool_choice.name': 's!' },
    ...{ text: 'o', 'text.format': 'o', 'text.format.type': 's!', 'text.format.schema': 'o!' },
    ...{ 'text.format.name': 's', 'text.format.strict': 'b', 'text.verbosity': 's' },
    ...{ reasoning: 'o', 'reasoning.effort': 's', include: 'l', 'include[0]': 's!', metadata: 'o' },
    ...{ truncation: 's', top_logprobs: 'n', max_tool_calls: 'n', prompt_cache_key: 's', service_tier: 's' },
    ...{ previous_response_id: 's', conversation: 'so', prompt: 'o', user: 's', safety_identifier: 's' },
  },
};

const MESSAGES: Case = {
  path: '/v1/messages',
  base: {
    max_tokens: 50,
    system: [{ type: 'text', text: 'Be kind.' }],
    messages: [
      { role: 'user', content: [{ type: 'text', text: 'Hi' }] },
      { role: 'assistant', content: [{ type: 'tool_use', id: 'c1', name: 'f', input: {} }] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'c1', content: [] }] },
    ],
    tools: [{ name: 'f', description: 'd', input_schema: {} }],
    ...{ tool_choice: { type: 'tool', name: 'f' }, stop_sequences: ['x'], metadata: {} },
    ...{ thinking: { type: 'enabled', budget_tokens: 9 } },
    output_config: { format: { type: 'json_schema', schema: {} } },
  },
  fields: {
    ...SAMPLING,
    ...{ model: 's', stream: 'b', max_tokens: 'n', top_k: 'n', system: 'sl', 'system[0]': 'o!' },
    ...{ 'system[0].type': 's!', 'system[0].text': 's!', messages: 'l!', 'messages[0]': 'o!' },
    ...{ 'messages[0].role': 's!', 'messages[0].content': 'sl!', 'messages[0].content[0]': 'o!' },
    ...{ 'messages[0].content[0].text': 's!', 'messages[0].content[0].cache_control': 'o' },
    ...{ 'messages[1].content[0].id': 's', 'messages[1].content[0].name': 's' },
    ...{ 'messages[1].content[0].input': 'o', 'messages[2].content[0].tool_use_id': 's' },
    ...{ 'messages[2].content[0].is_error': 'b', 'messages[2].content[0].content': 'slo' },
    ...{ tools: 'l', 'tools[0]': 'o!', 'tools[0].name': 's!', 'tools[0].description': 's' },
    ...{ 'tools[0].input_schema': 'o!', 'tools[0].strict': 'b', 'tools[0].cache_control': 'o' },
    ...{ tool_choice: 'o', 'tool_choice.type': 's!', 'tool_choice.name': 's!' },
    ...{ 'tool_choice.disable_parallel_tool_use': 'b', stop_sequences: 'l', 'stop_sequences[0]': 's!' },
    ...{ thinking: 'o', 'thinking.type': 's', 'thinking.budget_tokens': 'n', metadata: 'o' },
    ...{ 'metadata.user_id': 's', output_config: 'o', 'output_config.effort': 's' },
    ...{ 'output_config.format': 'o', 'output_config.format.type': 's!', service_tier: 's' },
    ...{ 'output_config.format.schema': 'o!', mcp_servers: 'l', context_management: 'o' },
  },
};

const OLLAMA = {
  ...{
    model: 's',
    stream: 'b',
    format: 'so',
    options: 'o',
    'options.temperature': 'n',
    'options.top_p': 'n',
  },
  ...{ 'options.top_k': 'n', 'options.seed': 'n', 'options.num_predict': 'n', 'options.num_ctx': 'n' },
  ...{ 'options.stop': 'sl', 'options.repeat_penalty': 'n', think: 'bs', keep_alive: 'sn', logprobs: 'b' },
};

const CASES: Readonly<Record<string, Case>> = {
  chat: CHAT,
  completions: COMPLETION,
  responses: RESPONSES,
  'input tokens': {
    ...{ path: '/v1/responses/input_tokens', base: RESPONSES.base, native: null },
    // Of no account to a count, whatever is missing in it.
    fields: { ...RESPONSES.fields, 'text.format.type': 's', 'text.format.schema': 'o' },
  },
  messages: MESSAGES,
  'count tokens': {
    ...{ path: '/v1/messages/count_tokens', base: MESSAGES.base },
    fields: { ...MESSAGES.fields, 'output_config.format.type': 's', 'output_config.format.schema': 'o' },
  },
  embeddings: {
    path: '/v1/embeddings',
    base: { input: ['Hi', 'there'] },
    fields: { model: 's', input: 'sl!', 'input[1]': 's!', encoding_format: 's', dimensions: 'n' },
  },
  rerank: {
    path: '/v1/rerank',
    base: { query: 'Hi', documents: ['a', 'b'] },
    fields: { model: 's', query: 's!', documents: 'l!', 'documents[1]': 's!', top_n: 'n' },
  },
  'Ollama chat': {
    path: '/api/chat',
    native: 'ollama',
    base: {
      stream: false,
      options: {},
      messages: [
        { role: 'user', content: 'Hi' },
        { role: 'assistant', tool_calls: [{ function: { name: 'f', arguments: {} } }] },
        { role: 'tool', tool_name: 'f', content: 'done' },
      ],
      tools: [TOOL],
    },
    fields: {
      ...OLLAMA,
      ...FUNCTION,
      ...{ messages: 'l', 'messages[0]': 'o!', 'messages[0].role': 's!', 'messages[0].content': 's' },
      ...{ 'messages[0].images': 'l', 'messages[1].thinking': 's', 'messages[1].tool_calls': 'l' },
      ...{ 'messages[1].tool_calls[0]': 'o!', 'messages[1].tool_calls[0].function': 'o' },
      ...{ 'messages[1].tool_calls[0].function.name': 's!', 'messages[2].tool_name': 's' },
      ...{ 'messages[1].tool_calls[0].function.arguments': 'so' },
    },
  },
  'Ollama generate': {
    path: '/api/generate',
    native: 'ollama',
    base: { stream: false, options: {}, prompt: 'Hi' },
    fields: { ...OLLAMA, prompt: 's', system: 's', suffix: 's', raw: 'b', images: 'l', context: 'l' },
  },
  'Ollama embed': {
    path: '/api/embed',
    native: 'ollama',
    base: { input: ['Hi', 'there'] },
    fields: { model: 's', input: 'sl!', 'input[1]': 's!', dimensions: 'n' },
  },
  'Ollama embeddings': {
    path: '/api/embeddings',
    native: 'ollama',
    base: { prompt: 'Hi' },
    fields: { model: 's', prompt: 's!' },
  },
};

let router: RunningGateway;
let server: Upstream;

beforeAll(async () => {
  server = await upstream((response, { method }) => {
    // Its own refusal, which is passed on.
    response.writeHead(method === 'GET' ? 404 : 400, { 'content-type': 'application/json' });
    response.end('{"error":{"message":"no"}}');
  });
  router = await gateway(`
experts:
  - { id: emulated, kind: emulated, fallback: true }
  - { id: vllm, kind: openai, url: '${server.url}', model: theirs, quirks: vllm, capabilities: [chat, completions, embeddings, rerank] }
  - { id: ollama, kind: openai, url: '${server.url}', model: theirs, quirks: ollama, capabilities: [chat, embeddings] }
`);
});
afterAll(async () => {
  await router.close();
  await server.close();
});

describe.each(Object.entries(CASES))('%s', (_, { path, base, fields, native = 'vllm' }) => {
  it('is answered as it stands', async () => {
    const answer = await asked(path, base, 'emulated');
    expect([answer.status, await answer.text()]).toEqual([200, expect.any(String)]);
  });

  it('is refused in its own shape where it is translated', async () => {
    const wrong: string[] = [];
    for (const [field, value] of wrongs(fields)) {
      const answer = await asked(path, changed(base, field, value), 'emulated');
      const said = (await answer.json()) as object;
      if (answer.status !== 400 || !isRefusal(path, placesOf(field, value), said))
        wrong.push(`${field}: ${JSON.stringify(value)} → ${answer.status} ${JSON.stringify(said)}`);
    }
    expect(wrong).toEqual([]);
  });

  it.skipIf(native === null)('is refused, or passed on unchanged, where a server speaks it', async () => {
    const wrong: string[] = [];
    for (const [field, value] of wrongs(fields)) {
      const body = changed(base, field, value);
      server.requests.length = 0;
      const answer = await asked(path, body, native!);
      const said = await answer.text();
      const got = server.requests.find(({ method }) => method === 'POST');
      const passed =
        got?.path === path && isDeepStrictEqual(JSON.parse(got.body), { ...body, model: 'theirs' });
      const refused =
        !got && answer.status === 400 && isRefusal(path, placesOf(field, value), JSON.parse(said));
      if (!passed && !refused) wrong.push(`${field}: ${JSON.stringify(value)} → ${answer.status} ${said}`);
    }
    expect(wrong).toEqual([]);
  });
});

function asked(path: string, body: object, expert: string): Promise<Response> {
  return router.post(path, body, { 'x-expert-router-expert': expert });
}

/** What an error may name: for null, which is a missing field, also what lacks it. */
function placesOf(field: string, value: unknown): readonly string[] {
  return value === null ? [field, field.replace(/\.\w+$/, ''), field.split('.')[0]!] : [field];
}

const type = z.literal('invalid_request_error');

/** Errors of each API, whole. */
const SHAPES = {
  ollama: z.strictObject({ error: z.string() }),
  anthropic: z.strictObject({
    type: z.literal('error'),
    request_id: z.string().startsWith('req_'),
    error: z.strictObject({ type, message: z.string() }),
  }),
  openAi: z.strictObject({
    error: z.strictObject({ type, message: z.string(), param: z.string(), code: z.string() }),
  }),
};

/** Whether it is an error of the API at this path, naming one of the fields. */
function isRefusal(path: string, fields: readonly string[], said: object): boolean {
  if (path.startsWith('/api/')) return isNamed(SHAPES.ollama.safeParse(said).data?.error, fields);
  if (path.startsWith('/v1/messages'))
    return isNamed(SHAPES.anthropic.safeParse(said).data?.error.message, fields);
  const { message, param } = SHAPES.openAi.safeParse(said).data?.error ?? {};
  return isNamed(message, fields) && fields.includes(param!);
}

function isNamed(message: string | undefined, fields: readonly string[]): boolean {
  return fields.some((field) => message?.includes(`'${field}'`));
}

function wrongs(fields: Fields): [field: string, value: unknown][] {
  return Object.entries(fields).flatMap(([field, types]) => [
    ...Object.entries(SAMPLES)
      .filter(([type]) => !types.includes(type as Type))
      .map(([, value]): [string, unknown] => [field, value]),
    ...(types.endsWith('!') ? [[field, null] as [string, unknown]] : []),
  ]);
}

/** A copy with one field set, at a path such as `messages[0].role`. */
function changed(base: object, field: string, value: unknown): object {
  const copy = structuredClone(base) as never;
  const steps = field.split(/[.[\]]+/).filter((step) => step !== '');
  const last = steps.pop()!;
  const holder = steps.reduce((inner: Record<string, never>, step) => inner[step]!, copy);
  (holder as Record<string, unknown>)[last] = value;
  return copy;
}

/** Requests whose answers, among them, hold every kind of thing that is written in a dialect that has a published schema. */
import type { Json } from '../../src/serving/dialects/dialect.ts';
import type { Publisher } from './document.ts';

export interface Case {
  readonly publisher: Publisher;
  readonly name: string;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** Without the model, where experts are asked for it; null for none, a text as it is. */
  readonly body: Json | string | null;
  readonly headers?: Readonly<Record<string, string>>;
  readonly streams: boolean;
}

const WEATHER = 'call get_weather {"city": "Bern"}';
const CITY = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
};
const FUNCTION = { name: 'get_weather', description: 'The weather of a city', parameters: CITY };
const user = (content: unknown): Json => ({ role: 'user', content });

const CHAT: Readonly<Record<string, Json>> = {
  text: { messages: [{ role: 'system', content: 'Be brief.' }, user('Say a colour.')] },
  'with usage': { messages: [user('Say a colour.')], stream_options: { include_usage: true } },
  'a tool called': { messages: [user(WEATHER)], tools: [{ type: 'function', function: FUNCTION }] },
  'two tools called': {
    messages: [user(`${WEATHER}, call get_weather {"city": "Rome"}`)],
    tools: [{ type: 'function', function: FUNCTION }],
  },
  'after a tool': {
    messages: [
      user(WEATHER),
      {
        role: 'assistant',
        content: null,
        tool_calls: [
          { id: 'call_1', type: 'function', function: { name: 'get_weather', arguments: '{"city":"Bern"}' } },
        ],
      },
      { role: 'tool', tool_call_id: 'call_1', content: 'Rain.' },
    ],
    tools: [{ type: 'function', function: FUNCTION }],
  },
  'output by a schema': {
    messages: [user('Say a city.')],
    response_format: { type: 'json_schema', json_schema: { name: 'city', schema: CITY, strict: true } },
  },
  thinking: { messages: [user('Say a colour.')], reasoning_effort: 'high' },
  'cut at a limit': { messages: [user('Say a colour.')], max_completion_tokens: 3 },
};

const RESPONSES: Readonly<Record<string, Json>> = {
  text: { input: 'Say a colour.' },
  'with every setting': {
    input: [user([{ type: 'input_text', text: 'Say a colour.' }])],
    instructions: 'Be brief.',
    temperature: 0.5,
    top_p: 0.9,
    max_output_tokens: 500,
    metadata: { trace: '1' },
    store: true,
    parallel_tool_calls: false,
    truncation: 'auto',
    user: 'someone',
    prompt_cache_key: 'key',
    text: { verbosity: 'low' },
    include: ['reasoning.encrypted_content'],
  },
  'a tool called': { input: WEATHER, tools: [{ type: 'function', ...FUNCTION }] },
  'a custom tool called': {
    input: 'call patch {"input": "+1"}',
    tools: [{ type: 'custom', name: 'patch', description: 'Changes files' }],
    tool_choice: { type: 'custom', name: 'patch' },
  },
  'a tool of a namespace called': {
    input: 'call files__read {"city": "Bern"}',
    tools: [
      {
        ...{ type: 'namespace', name: 'files', description: 'Files' },
        tools: [{ type: 'function', name: 'read', parameters: CITY, strict: false }],
      },
    ],
  },
  'after reasoning and a tool': {
    input: [
      user(WEATHER),
      {
        type: 'reasoning',
        id: 'rs_1',
        summary: [{ type: 'summary_text', text: 'Hm.' }],
        encrypted_content: 'x',
      },
      { type: 'function_call', call_id: 'call_1', name: 'get_weather', arguments: '{"city":"Bern"}' },
      { type: 'function_call_output', call_id: 'call_1', output: 'Rain.' },
    ],
    tools: [{ type: 'function', ...FUNCTION }],
  },
  'output by a schema': {
    input: 'Say a city.',
    text: { format: { type: 'json_schema', name: 'city', schema: CITY, strict: true } },
  },
  'output in JSON': { input: 'Say a city, in JSON.', text: { format: { type: 'json_object' } } },
  reasoning: { input: 'Say a colour.', reasoning: { effort: 'high', summary: 'auto' } },
  'cut at a limit': { input: 'Say a colour.', max_output_tokens: 16 },
  'only allowed tools': {
    input: WEATHER,
    tools: [{ type: 'function', ...FUNCTION }],
    tool_choice: { type: 'allowed_tools', mode: 'auto', tools: [{ type: 'function', name: 'get_weather' }] },
  },
};

const TOOL = { name: 'get_weather', description: 'The weather of a city', input_schema: CITY };
const MESSAGES: Readonly<Record<string, Json>> = {
  text: { system: 'Be brief.', messages: [user('Say a colour.')] },
  'a tool called': { messages: [user(WEATHER)], tools: [TOOL] },
  'two tools called': { messages: [user(`${WEATHER}, call get_weather {"city": "Rome"}`)], tools: [TOOL] },
  'after a tool': {
    messages: [
      user([{ type: 'text', text: WEATHER }]),
      {
        role: 'assistant',
        content: [{ type: 'tool_use', id: 'toolu_1', name: 'get_weather', input: { city: 'Bern' } }],
      },
      user([{ type: 'tool_result', tool_use_id: 'toolu_1', content: [{ type: 'text', text: 'Rain.' }] }]),
    ],
    tools: [TOOL],
  },
  thinking: {
    messages: [user('Say a colour.')],
    thinking: { type: 'adaptive' },
    output_config: { effort: 'high' },
  },
  'output by a schema': {
    messages: [user('Say a city.')],
    output_config: { format: { type: 'json_schema', schema: CITY } },
  },
  'cut at a limit': { messages: [user('Say a colour.')], max_tokens: 3 },
  'a stop sequence': { messages: [user('Say a colour.')], stop_sequences: ['expert'] },
};

const COMPLETIONS: Readonly<Record<string, Json>> = {
  text: { prompt: 'Once upon a time' },
  'with usage': { prompt: 'Once', stream_options: { include_usage: true } },
  'cut at a limit': { prompt: 'Once', max_tokens: 3 },
};

const post = (
  publisher: Publisher,
  path: string,
  bodies: Readonly<Record<string, Json>>,
  streams: boolean,
): readonly Case[] =>
  Object.entries(bodies).map(([name, body]) => ({ publisher, name, method: 'POST', path, body, streams }));
const VERSION = { 'anthropic-version': '2023-06-01' };

/** Answered by each expert. */
export const ANSWERED: readonly Case[] = [
  ...post('openai', '/v1/chat/completions', CHAT, true),
  ...post('openai', '/v1/responses', RESPONSES, true),
  ...post('openai', '/v1/completions', COMPLETIONS, true),
  ...post(
    'anthropic',
    '/v1/messages',
    Object.fromEntries(Object.entries(MESSAGES).map(([name, body]) => [name, { max_tokens: 500, ...body }])),
    true,
  ),
];

/** Answered by an emulated expert, or by the router itself. */
export const ONCE: readonly Case[] = [
  ...post(
    'openai',
    '/v1/embeddings',
    { texts: { input: ['one', 'two'] }, base64: { input: 'one', encoding_format: 'base64' } },
    false,
  ),
  ...post('openai', '/v1/responses/input_tokens', { text: { input: 'one two' } }, false),
  ...post('anthropic', '/v1/messages/count_tokens', { text: { messages: [user('one two')] } }, false),
  { publisher: 'openai', name: 'all models', method: 'GET', path: '/v1/models', body: null, streams: false },
  { publisher: 'openai', name: 'a model', method: 'GET', path: '/v1/models/own', body: null, streams: false },
  {
    publisher: 'anthropic',
    name: 'all models',
    method: 'GET',
    path: '/v1/models',
    body: null,
    headers: VERSION,
    streams: false,
  },
  {
    publisher: 'anthropic',
    name: 'a model',
    method: 'GET',
    path: '/v1/models/claude-own',
    body: null,
    headers: VERSION,
    streams: false,
  },
];

const wrong = (publisher: Publisher, path: string, body: Json | string | null, name: string): Case => ({
  ...{ publisher, path, body, name, streams: false },
  method: body === null ? 'GET' : 'POST',
  ...(publisher === 'anthropic' ? { headers: VERSION } : {}),
});
const ASKED: Readonly<Record<string, readonly [Publisher, Json]>> = {
  '/v1/chat/completions': ['openai', { messages: [user('x')] }],
  '/v1/responses': ['openai', { input: 'x' }],
  '/v1/completions': ['openai', { prompt: 'x' }],
  '/v1/embeddings': ['openai', { input: 'x' }],
  '/v1/responses/input_tokens': ['openai', { input: 'x' }],
  '/v1/messages': ['anthropic', { messages: [user('x')], max_tokens: 5 }],
  '/v1/messages/count_tokens': ['anthropic', { messages: [user('x')] }],
};

/** Refused, each for another reason. */
export const REFUSED: readonly Case[] = [
  ...Object.entries(ASKED).flatMap(([path, [publisher, body]]) => [
    wrong(publisher, path, { ...body, model: 'nobody' }, 'a model that nobody has'),
    wrong(publisher, path, { ...body, model: 7 }, 'a model that is a number'),
    wrong(publisher, path, '{"model": ', 'broken JSON'),
    wrong(publisher, path, '[]', 'a list'),
    wrong(publisher, path, { model: 'own' }, 'nothing asked'),
    wrong(publisher, path, { ...body, model: 'failing' }, 'an expert that fails'),
  ]),
  wrong(
    'openai',
    '/v1/responses',
    { model: 'own', input: 'x', previous_response_id: 'resp_1' },
    'a stored response',
  ),
  wrong(
    'openai',
    '/v1/chat/completions',
    { model: 'own', messages: [user('x')], n: 2 },
    'what the expert cannot',
  ),
  wrong('openai', '/v1/models/nobody', null, 'a model that nobody has'),
  wrong('anthropic', '/v1/models/nobody', null, 'a model that nobody has'),
];

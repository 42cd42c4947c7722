/** A sample of every published field of a request or an answer; one without a sample is an error here. */
import { anthropicMessages } from '../../src/serving/dialects/anthropic-messages/index.ts';
import { MessagesReader } from '../../src/serving/dialects/anthropic-messages/reader.ts';
import type { Json, TextDialect } from '../../src/serving/dialects/dialect.ts';
import { openAiChat } from '../../src/serving/dialects/openai/chat.ts';
import { readWhole } from '../../src/serving/dialects/openai/reader.ts';
import { openAiResponses } from '../../src/serving/dialects/openai-responses/index.ts';
import type { Reply } from '../../src/serving/reply/reply.ts';
import { Published } from './published.ts';

type Samples = Readonly<Record<string, unknown>>;

export interface Row {
  readonly field: string;
  readonly base: Json;
  /** The base with the field. */
  readonly changed: Json;
}

export interface RequestTable {
  readonly title: string;
  readonly dialect: TextDialect;
  readonly rows: readonly Row[];
}

interface Group {
  /** Those that are published. */
  readonly names: readonly string[];
  readonly samples: Samples;
  /** Published ones that are in every base. */
  readonly always?: readonly string[];
  readonly base: Json;
  put(base: Json, name: string, sample: unknown): Json;
}

function rowsOf({ names, samples, always = [], base, put }: Group): readonly Row[] {
  const all = [...new Set([...names, ...Object.keys(samples)])].filter((name) => !always.includes(name));
  const lacking = all.filter((name) => !(name in samples));
  if (lacking.length > 0) throw new Error(`published, and without a sample here: ${lacking.join(', ')}`);
  return all.map((field) => ({
    field,
    base: put(base, field, undefined),
    changed: put(base, field, samples[field]),
  }));
}

const field = (base: Json, name: string, sample: unknown): Json =>
  sample === undefined ? base : { ...base, [name]: sample };

// Chat completions

const chat = new Published('openai/resources/chat/completions/completions.d.ts');
const PARAMETERS = { type: 'object', properties: { city: { type: 'string' } } };
const TOOL = { type: 'function', function: { name: 'f', description: 'd', parameters: PARAMETERS } };
const ASKED = { messages: [{ role: 'user', content: 'Hi' }] };
const PICTURE = 'data:image/png;base64,AA==';
const PAPER = 'data:application/pdf;base64,AA==';
const SCHEMA = { type: 'object', properties: { done: { type: 'boolean' } } };

const CHAT_FIELDS: Samples = {
  audio: { voice: 'alloy', format: 'wav' },
  frequency_penalty: 0.5,
  function_call: { name: 'f' },
  functions: [{ name: 'f', parameters: PARAMETERS }],
  logit_bias: { 5: 1 },
  logprobs: true,
  max_completion_tokens: 77,
  max_tokens: 77,
  metadata: { a: 'b' },
  modalities: ['text'],
  moderation: { model: 'omni' },
  n: 2,
  parallel_tool_calls: false,
  prediction: { type: 'content', content: 'Hi' },
  presence_penalty: 0.5,
  prompt_cache_key: 'k',
  prompt_cache_options: { ttl: '1h' },
  prompt_cache_retention: '24h',
  reasoning_effort: 'high',
  response_format: { type: 'json_schema', json_schema: { name: 'a', schema: SCHEMA } },
  safety_identifier: 'x',
  seed: 7,
  service_tier: 'flex',
  stop: ['END'],
  store: true,
  stream: true,
  stream_options: { include_usage: true },
  temperature: 0.5,
  tool_choice: 'required',
  tools: [TOOL, { type: 'custom', custom: { name: 'c' } }],
  top_logprobs: 2,
  top_p: 0.5,
  user: 'u',
  verbosity: 'low',
  web_search_options: {},
};

/** A field of the tools needs some. */
const withTools = (base: Json, name: string, sample: unknown): Json => {
  const context: Samples = {
    parallel_tool_calls: { tools: [TOOL] },
    tool_choice: { tools: [TOOL] },
    function_call: { functions: CHAT_FIELDS.functions },
  };
  return field({ ...base, ...(context[name] as Json | undefined) }, name, sample);
};

const chatMessage =
  (role: string, own: Json): Group['put'] =>
  (base, name, sample) => ({
    messages: [
      ...(base.messages as Json[]).slice(0, 1),
      ...(role === 'tool' ? [{ role: 'assistant', tool_calls: [CALL] }] : []),
      ...(role === 'function' ? [{ role: 'assistant', function_call: CALL.function }] : []),
      field({ role, ...own }, name, sample),
    ],
  });
const CALL = { id: 'c1', type: 'function', function: { name: 'f', arguments: '{"a":1}' } };
const SAID = {
  messages: [
    { role: 'user', content: 'Hi' },
    { role: 'assistant', content: 'Yes' },
  ],
};

const chatRequests = (): readonly RequestTable[] => [
  {
    title: 'A request for a chat completion',
    dialect: openAiChat,
    rows: rowsOf({
      names: chat.fields('ChatCompletionCreateParamsBase'),
      ...{ samples: CHAT_FIELDS, always: ['messages', 'model'], base: ASKED, put: withTools },
    }),
  },
  {
    title: 'Messages in a request for a chat completion',
    dialect: openAiChat,
    rows: [
      ...named('assistant', {
        names: chat.fields('ChatCompletionAssistantMessageParam'),
        samples: {
          ...{ audio: { id: 'a' }, content: 'Well', function_call: CALL.function, name: 'n', refusal: 'No' },
          ...{ reasoning_content: 'hm', tool_calls: [CALL, CUSTOM_CALL] },
        },
        always: ['role'],
        base: SAID,
        put: chatMessage('assistant', {}),
      }),
      ...named('user', {
        names: chat.fields('ChatCompletionUserMessageParam'),
        ...{ samples: { content: 'Well', name: 'n' }, always: ['role'], base: ASKED },
        put: (base, name, sample) => ({ messages: [field((base.messages as Json[])[0]!, name, sample)] }),
      }),
      ...named('developer', {
        names: ['content'],
        ...{ samples: { content: 'Be kind.' }, base: ASKED, put: chatMessage('developer', {}) },
      }),
      ...named('tool', {
        names: chat.fields('ChatCompletionToolMessageParam'),
        samples: { content: [{ type: 'text', text: 'sun' }], tool_call_id: 'c9' },
        ...{ always: ['role'], base: ASKED, put: chatMessage('tool', { content: 'x', tool_call_id: 'c1' }) },
      }),
      ...named('function', {
        names: chat.fields('ChatCompletionFunctionMessageParam'),
        samples: { content: 'sun', name: 'f' },
        ...{ always: ['role'], base: ASKED, put: chatMessage('function', { content: 'x', name: 'f' }) },
      }),
    ],
  },
  {
    title: 'Parts of a message in a request for a chat completion',
    dialect: openAiChat,
    rows: rowsOf({
      names: chat.kinds('ChatCompletionContentPart'),
      samples: {
        text: { text: 'Well' },
        image_url: { image_url: { url: PICTURE } },
        input_audio: { input_audio: { data: 'AA==', format: 'wav' } },
        file: { file: { filename: 'a.pdf', file_data: PAPER } },
      },
      base: ASKED,
      put: (base, type, sample) =>
        sample === undefined ? base : { messages: [{ role: 'user', content: [{ type, ...sample }] }] },
    }),
  },
];
const CUSTOM_CALL = { id: 'c2', type: 'custom', custom: { name: 'c', input: 'ls' } };

function named(role: string, group: Group): readonly Row[] {
  return rowsOf(group).map((row) => ({ ...row, field: `${role}.${row.field}` }));
}

// Responses

const responses = new Published('openai/resources/responses/responses.d.ts');
const INPUT = { input: 'Hi' };
const ITEMS = { input: [{ role: 'user', content: 'Hi' }] };
const FUNCTION = { type: 'function', name: 'f', parameters: PARAMETERS, strict: true };

const RESPONSE_FIELDS: Samples = {
  background: true,
  context_management: [{ type: 'compaction' }],
  conversation: 'conv_1',
  include: ['reasoning.encrypted_content'],
  input: 'Well',
  instructions: 'Be kind.',
  max_output_tokens: 77,
  max_tool_calls: 3,
  metadata: { a: 'b' },
  moderation: { model: 'omni' },
  parallel_tool_calls: false,
  previous_response_id: 'resp_1',
  prompt: { id: 'p' },
  prompt_cache_key: 'k',
  prompt_cache_options: { ttl: '1h' },
  prompt_cache_retention: '24h',
  reasoning: { effort: 'high', summary: 'auto' },
  safety_identifier: 'x',
  service_tier: 'flex',
  store: true,
  stream: true,
  stream_options: { include_obfuscation: false },
  temperature: 0.5,
  text: { format: { type: 'json_schema', name: 'a', schema: SCHEMA } },
  tool_choice: 'required',
  tools: [FUNCTION],
  top_logprobs: 2,
  top_p: 0.5,
  truncation: 'auto',
  user: 'u',
};

const TEXT_PARTS = [{ type: 'input_text', text: 'sun' }];
const ITEM_SAMPLES: Samples = {
  message: { role: 'user', content: [{ type: 'input_text', text: 'Well' }] },
  reasoning: { summary: [{ type: 'summary_text', text: 'hm' }], encrypted_content: 'x' },
  function_call: { call_id: 'c1', name: 'f', arguments: '{"a":1}' },
  function_call_output: {
    call_id: 'c1',
    output: [...TEXT_PARTS, { type: 'input_image', image_url: PICTURE }],
  },
  custom_tool_call: { call_id: 'c1', name: 'c', input: 'ls' },
  custom_tool_call_output: { call_id: 'c1', output: 'sun' },
  local_shell_call: { call_id: 'c1', action: { type: 'exec', command: ['ls'] } },
  local_shell_call_output: { call_id: 'c1', output: 'sun' },
  shell_call: { call_id: 'c1', action: { commands: ['ls'] } },
  shell_call_output: { call_id: 'c1', output: [{ stdout: 'sun', stderr: '', outcome: { type: 'exit' } }] },
  apply_patch_call: { call_id: 'c1', operation: { type: 'delete_file', path: 'a' } },
  apply_patch_call_output: { call_id: 'c1', output: 'done' },
  additional_tools: { role: 'developer', tools: [FUNCTION] },
  item_reference: { id: 'rs_1' },
  ...Object.fromEntries(
    [
      ...['file_search_call', 'computer_call', 'computer_call_output', 'web_search_call', 'tool_search_call'],
      ...[
        'tool_search_output',
        'compaction',
        'compaction_trigger',
        'image_generation_call',
        'mcp_list_tools',
      ],
      ...['code_interpreter_call', 'mcp_approval_request', 'mcp_approval_response', 'mcp_call', 'program'],
      'program_output',
    ].map((type) => [type, { id: 'x' }]),
  ),
};

const responseRequests = (): readonly RequestTable[] => [
  {
    title: 'A request for a response',
    dialect: openAiResponses,
    rows: rowsOf({
      names: responses.fields('ResponseCreateParamsBase'),
      ...{ samples: RESPONSE_FIELDS, always: ['model'], base: INPUT },
      put: (base, name, sample) => {
        const tools = name === 'tool_choice' || name === 'parallel_tool_calls' ? { tools: [FUNCTION] } : {};
        return field({ ...base, ...tools }, name, sample);
      },
    }),
  },
  {
    title: 'Items in a request for a response',
    dialect: openAiResponses,
    rows: rowsOf({
      names: responses.kinds('ResponseInputItem'),
      ...{ samples: ITEM_SAMPLES, base: ITEMS },
      put: ({ input }, type, sample) => ({
        input: [...(input as Json[]), ...(sample === undefined ? [] : [{ type, ...sample }])],
      }),
    }),
  },
  {
    title: 'Parts of a message in a request for a response',
    dialect: openAiResponses,
    rows: rowsOf({
      names: responses.kinds('ResponseInputContent'),
      samples: {
        input_text: { text: 'Well' },
        input_image: { image_url: PICTURE },
        input_file: { filename: 'a.pdf', file_data: PAPER },
      },
      base: ITEMS,
      put: (base, type, sample) =>
        sample === undefined ? base : { input: [{ role: 'user', content: [{ type, ...sample }] }] },
    }),
  },
  {
    title: 'Tools in a request for a response',
    dialect: openAiResponses,
    rows: rowsOf({
      names: responses.kinds('Tool'),
      samples: Object.fromEntries(
        responses
          .kinds('Tool')
          .map((type) => [
            type,
            type === 'namespace' ? { name: 'n', tools: [FUNCTION] } : { name: 'f', parameters: PARAMETERS },
          ]),
      ),
      base: INPUT,
      put: (base, type, sample) => (sample === undefined ? base : { ...base, tools: [{ type, ...sample }] }),
    }),
  },
];

// Messages

const messages = new Published('@anthropic-ai/sdk/resources/messages/messages.d.ts');
const SAY = { max_tokens: 9, ...ASKED };

const MESSAGE_FIELDS: Samples = {
  cache_control: { type: 'ephemeral' },
  container: 'c',
  diagnostics: {},
  inference_geo: 'eu',
  max_tokens: 77,
  metadata: { user_id: 'u' },
  output_config: { effort: 'high', format: { type: 'json_schema', schema: SCHEMA } },
  service_tier: 'auto',
  speed: 'fast',
  stop_sequences: ['END'],
  stream: true,
  system: [{ type: 'text', text: 'Be kind.', cache_control: { type: 'ephemeral' } }],
  temperature: 0.5,
  thinking: { type: 'adaptive' },
  tool_choice: { type: 'any' },
  tools: [{ name: 'f', description: 'd', input_schema: PARAMETERS }],
  top_k: 5,
  top_p: 0.5,
  user_profile_id: 'u',
  workspace_id: 'w',
};

const BLOCK_SAMPLES: Samples = {
  text: { text: 'Well', cache_control: { type: 'ephemeral' } },
  image: { source: { type: 'base64', media_type: 'image/png', data: 'AA==' } },
  document: { title: 't', source: { type: 'base64', media_type: 'application/pdf', data: 'AA==' } },
  search_result: { title: 't', source: 's', content: [{ type: 'text', text: 'sun' }] },
  tool_use: { id: 'c1', name: 'f', input: { a: 1 } },
  tool_result: {
    tool_use_id: 'c1',
    is_error: true,
    content: [
      { type: 'text', text: 'sun' },
      { type: 'image', source: { type: 'url', url: 'https://x.example/a.png' } },
      { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'AA==' } },
    ],
  },
  thinking: { thinking: 'hm', signature: 's' },
  redacted_thinking: { data: 'x' },
  ...Object.fromEntries(
    [
      ...['server_tool_use', 'web_search_tool_result', 'web_fetch_tool_result', 'code_execution_tool_result'],
      ...['bash_code_execution_tool_result', 'text_editor_code_execution_tool_result'],
      ...['tool_search_tool_result', 'container_upload'],
    ].map((type) => [type, { id: 'x' }]),
  ),
};

const messageRequests = (): readonly RequestTable[] => [
  {
    title: 'A request for a message',
    dialect: anthropicMessages,
    rows: rowsOf({
      names: messages.fields('MessageCreateParamsBase'),
      ...{ samples: MESSAGE_FIELDS, always: ['messages', 'model'], base: SAY },
      put: (base, name, sample) => {
        const tools = name === 'tool_choice' ? { tools: MESSAGE_FIELDS.tools } : {};
        return field({ ...base, ...tools }, name, sample);
      },
    }),
  },
  {
    title: 'Blocks in a request for a message',
    dialect: anthropicMessages,
    rows: rowsOf({
      names: messages.kinds('ContentBlockParam'),
      ...{ samples: BLOCK_SAMPLES, base: SAY },
      put: (base, type, sample) => {
        if (sample === undefined) return base;
        const role = type === 'tool_use' || /thinking/.test(type) ? 'assistant' : 'user';
        const said = [{ role, content: [{ type, ...sample }] }];
        return { ...base, messages: [...(base.messages as Json[]), ...said] };
      },
    }),
  },
];

export function readRequests(): readonly RequestTable[] {
  return [...chatRequests(), ...responseRequests(), ...messageRequests()];
}

// Answers

export interface AnswerTable {
  readonly title: string;
  readonly clients: readonly TextDialect[];
  readonly rows: readonly (Row & { tell(answer: Json, reply: Reply): void })[];
}

const SAYS = { role: 'assistant', content: 'Yes' };
const ANSWER = { id: 'y', choices: [{ index: 0, message: SAYS, finish_reason: 'stop' }] };
const choice = (own: Json): Json => ({ ...ANSWER, choices: [{ ...ANSWER.choices[0], ...own }] });
const CITED = { url: 'https://x.example', title: 't', start_index: 0, end_index: 3 };

function chatAnswers(): AnswerTable {
  const clients = [openAiResponses, anthropicMessages];
  const rows = [
    ...rowsOf({
      names: chat.fields('ChatCompletion'),
      samples: {
        ...{ id: 'z', created: 9, moderation: {}, service_tier: 'flex', system_fingerprint: 'f' },
        usage: {
          ...{ prompt_tokens: 5, completion_tokens: 3, prompt_tokens_details: { cached_tokens: 2 } },
          completion_tokens_details: { reasoning_tokens: 1 },
        },
      },
      always: ['choices', 'model', 'object'],
      base: ANSWER,
      put: field,
    }),
    ...named('choice', {
      names: chat.fields('ChatCompletion.Choice'),
      samples: { finish_reason: 'length', logprobs: { content: [] }, stop_reason: 'END' },
      always: ['index', 'message'],
      base: ANSWER,
      put: (base, name, sample) => (sample === undefined ? base : choice({ [name]: sample })),
    }),
    ...named('message', {
      names: chat.fields('ChatCompletionMessage'),
      samples: {
        content: 'Well',
        refusal: 'No',
        annotations: [{ type: 'url_citation', url_citation: CITED }],
        audio: { id: 'a', data: 'AA==', transcript: ' Well' },
        function_call: CALL.function,
        tool_calls: [CALL, CUSTOM_CALL],
        reasoning_content: 'hm',
        reasoning: 'hm',
        reasoning_details: [{ type: 'reasoning.text', text: 'hm' }],
      },
      always: ['role'],
      base: ANSWER,
      put: (base, name, sample) =>
        sample === undefined ? base : choice({ message: { ...SAYS, [name]: sample } }),
    }),
    {
      field: 'message.audio alone, without words',
      base: ANSWER,
      changed: choice({ message: { role: 'assistant', content: null, audio: { id: 'a', data: 'AA==' } } }),
    },
    {
      field: 'choices beyond the first',
      base: ANSWER,
      changed: { ...ANSWER, choices: [...ANSWER.choices, { ...ANSWER.choices[0], index: 1 }] },
    },
  ];
  const tell = (answer: Json, reply: Reply): void => void readWhole(JSON.stringify(answer), reply);
  return {
    title: "A chat completion, as a server's answer",
    clients,
    rows: rows.map((row) => ({ ...row, tell })),
  };
}

const MESSAGE = {
  ...{ id: 'y', type: 'message', role: 'assistant', stop_reason: 'end_turn', stop_sequence: null },
  content: [{ type: 'text', text: 'Yes' }],
  usage: { input_tokens: 1, output_tokens: 1 },
};

function messageAnswers(): AnswerTable {
  const rows = [
    ...rowsOf({
      names: messages.fields('Message'),
      samples: {
        ...{ id: 'z', container: { id: 'c' }, diagnostics: {} },
        stop_reason: 'max_tokens',
        stop_sequence: 'END',
        stop_details: { type: 'refusal', category: 'cyber', explanation: 'No' },
        usage: {
          input_tokens: 5,
          output_tokens: 3,
          cache_read_input_tokens: 2,
          cache_creation_input_tokens: 1,
        },
      },
      always: ['content', 'model', 'role', 'type'],
      base: MESSAGE,
      put: field,
    }),
    ...named('content', {
      names: messages.kinds('ContentBlock'),
      samples: {
        text: { text: 'Well' },
        thinking: { thinking: 'hm', signature: 's' },
        redacted_thinking: { data: 'x' },
        tool_use: { id: 'c1', name: 'f', input: { a: 1 } },
        ...Object.fromEntries(
          Object.entries(BLOCK_SAMPLES).filter(([type]) => /server_|_tool_result$|container/.test(type)),
        ),
      },
      base: MESSAGE,
      put: (base, type, sample) => ({
        ...base,
        content: [...(base.content as Json[]), ...(sample === undefined ? [] : [{ type, ...sample }])],
      }),
    }),
  ];
  const clients = [openAiChat, openAiResponses];
  return {
    title: "A message, as a server's answer",
    clients,
    rows: rows.map((row) => ({ ...row, tell: tellMessage })),
  };
}

/** As the events in which it is always asked for. */
function tellMessage(message: Json, reply: Reply): void {
  const { content, stop_reason, stop_sequence, stop_details, usage, ...start } = message;
  const events: Json[] = [
    { type: 'message_start', message: { ...start, content: [], usage } },
    ...(content as Json[]).flatMap((block, index) => blockEvents(block, index)),
    { type: 'message_delta', delta: { stop_reason, stop_sequence, stop_details }, usage },
    { type: 'message_stop' },
  ];
  const reader = new MessagesReader(reply);
  for (const event of events)
    for (const _ of reader.read(Buffer.from(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)));
}

function blockEvents(block: Json, index: number): readonly Json[] {
  const { thinking } = block;
  const begun = thinking === undefined ? block : { ...block, thinking: '' };
  const delta = { type: 'thinking_delta', thinking };
  return [
    { type: 'content_block_start', index, content_block: begun },
    ...(thinking === undefined ? [] : [{ type: 'content_block_delta', index, delta }]),
    { type: 'content_block_stop', index },
  ];
}

export function readAnswers(): readonly AnswerTable[] {
  return [chatAnswers(), messageAnswers()];
}

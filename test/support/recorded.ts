/**
 * Exchanges of servers that cannot run here, written down from their documented formats and their own sources; none
 * is a recording of a GPU. Each names where its form comes from.
 */
import type { ServerResponse } from 'node:http';
import type { Answer } from './upstream.ts';

export interface Exchange {
  readonly status: number;
  readonly type: 'application/json' | 'text/event-stream' | 'text/html' | 'text/plain';
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const json = (status: number, value: unknown): Exchange => ({
  status,
  type: 'application/json',
  body: JSON.stringify(value),
});
const events = (...data: unknown[]): Exchange => ({
  status: 200,
  type: 'text/event-stream',
  body: data.map((one) => `data: ${typeof one === 'string' ? one : JSON.stringify(one)}\n\n`).join(''),
});
const models = (owned_by: string, ...ids: string[]): Exchange =>
  json(200, { object: 'list', data: ids.map((id) => ({ id, object: 'model', created: 1, owned_by })) });
const chunk = (content: string, finish_reason: string | null = null) => ({
  id: 'c',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'm',
  choices: [{ index: 0, delta: content ? { role: 'assistant', content } : {}, finish_reason }],
});
const NOT_FOUND = json(404, { detail: 'Not Found' });

/** What each server says of itself, by address; anything else is 404. */
export const SELF_DESCRIPTIONS: Readonly<Record<string, Readonly<Record<string, Exchange>>>> = {
  // vllm/entrypoints/openai: ModelCard, /version
  vllm: { '/v1/models': models('vllm', 'm'), '/version': json(200, { version: '0.33.0' }) },
  // python/sglang/srt/entrypoints/http_server.py
  sglang: {
    '/v1/models': models('sglang', 'm'),
    '/get_server_info': json(200, { model_path: 'm', version: '0.5.4' }),
  },
  // tensorrt_llm/serve/openai_protocol.py: ModelCard; openai_server.py: /version
  trtllm: { '/v1/models': models('tensorrt_llm', 'm'), '/version': json(200, { version: '1.1.0' }) },
  // tools/server/server.cpp
  'llama.cpp': {
    '/v1/models': models('llamacpp', 'm.gguf'),
    '/props': json(200, { total_slots: 1, model_path: '/m.gguf', build_info: 'b10434-7e4c0a9' }),
  },
  // openai/openai.go: ToListCompletion; server/routes.go: /api/version
  ollama: {
    '/v1/models': models('library', 'llama3.2:1b'),
    '/api/version': json(200, { version: '0.12.6' }),
  },
  // router/src/server.rs: /info, openai_get_model_info
  tgi: {
    '/v1/models': models('org/m', 'org/m'),
    '/info': json(200, { model_id: 'org/m', max_total_tokens: 4096, version: '3.3.4' }),
  },
  // python/openai/openai_frontend/engine/triton_engine.py: models
  triton: { '/v1/models': models('Triton Inference Server', 'm') },
  // OpenAI's own list names no engine
  plain: { '/v1/models': models('system', 'm') },
};

/** Errors as each server writes them, and what a client is to read. */
export const ERRORS: readonly (readonly [
  name: string,
  exchange: Exchange,
  told: {
    readonly status: number;
    readonly message: string;
    readonly type: string;
    readonly [more: string]: unknown;
  },
])[] = [
  [
    'SGLang and trtllm-serve: the error without an object around it',
    json(400, {
      object: 'error',
      message: 'max_tokens is too large',
      type: 'BadRequestError',
      param: null,
      code: 400,
    }),
    { status: 400, message: 'max_tokens is too large', type: 'BadRequestError', code: '400' },
  ],
  [
    'TGI: a text, and the kind of error beside it',
    json(422, {
      error: 'Input validation error: `inputs` must have less than 4096 tokens',
      error_type: 'validation',
    }),
    {
      status: 422,
      message: 'Input validation error: `inputs` must have less than 4096 tokens',
      type: 'validation',
    },
  ],
  [
    'Ollama’s own API, and Triton: a text alone',
    json(404, { error: "model 'x' not found" }),
    {
      status: 404,
      message: "model 'x' not found",
      type: 'invalid_request_error',
    },
  ],
  [
    "Triton's OpenAI frontend: a detail",
    json(400, { detail: 'Unknown model: x' }),
    {
      status: 400,
      message: 'Unknown model: x',
      type: 'invalid_request_error',
    },
  ],
  [
    'FastAPI: what is wrong with which field',
    json(422, { detail: [{ loc: ['body', 'messages', 0, 'role'], msg: 'Field required', type: 'missing' }] }),
    {
      status: 422,
      message: 'messages.0.role: Field required',
      type: 'invalid_request_error',
      param: 'messages.0.role',
    },
  ],
  [
    "Google's cloud: a list",
    json(429, [{ error: { code: 429, message: 'Quota exceeded', status: 'RESOURCE_EXHAUSTED' } }]),
    { status: 429, message: 'Quota exceeded', type: 'rate_limit_error', code: '429' },
  ],
  [
    'Mistral’s cloud: an object for a message',
    json(422, {
      object: 'error',
      message: { detail: [{ msg: 'Extra inputs are not permitted' }] },
      type: 'invalid_request_error',
    }),
    {
      status: 422,
      message: '{"detail":[{"msg":"Extra inputs are not permitted"}]}',
      type: 'invalid_request_error',
    },
  ],
  [
    'a proxy: a page of HTML',
    {
      status: 413,
      type: 'text/html',
      body: '<html><head><title>413 Request Entity Too Large</title></head></html>',
    },
    { status: 413, message: '413 Request Entity Too Large', type: 'invalid_request_error' },
  ],
  [
    'plain text',
    { status: 422, type: 'text/plain', body: 'Failed to deserialize the JSON body\n' },
    { status: 422, message: 'Failed to deserialize the JSON body', type: 'invalid_request_error' },
  ],
  [
    'nothing at all',
    { status: 401, type: 'text/plain', body: '' },
    {
      status: 401,
      message: "The expert's server answered with status 401 and no reason.",
      type: 'authentication_error',
    },
  ],
];

/** OpenAI's form as these servers write it: no byte of it is to change. */
export const OPENAI_ERRORS: readonly (readonly [string, Exchange])[] = [
  [
    'vLLM',
    json(404, {
      error: { message: 'The model `x` does not exist.', type: 'NotFoundError', param: 'model', code: 404 },
    }),
  ],
  [
    'llama-server',
    json(400, {
      error: { code: 400, message: 'the request exceeds the context', type: 'exceed_context_size_error' },
    }),
  ],
  [
    'Ollama',
    json(404, {
      error: { message: "model 'x' not found", type: 'not_found_error', param: null, code: null },
    }),
  ],
  [
    'OpenAI',
    json(400, { error: { message: 'no', type: 'invalid_request_error', param: 'model', code: 'x' } }),
  ],
];

/** Errors that come under status 200, before any of an answer: each is a failure that another expert can mend. */
export const HIDDEN_ERRORS: readonly (readonly [
  name: string,
  exchange: Exchange,
  status: number,
  message: string,
])[] = [
  [
    'vLLM: an event, then [DONE]',
    events(
      { error: { message: 'EngineCore died', type: 'InternalServerError', param: null, code: 500 } },
      '[DONE]',
    ),
    500,
    'EngineCore died',
  ],
  [
    'SGLang: its flat error in an event',
    events(
      { error: { object: 'error', message: 'Aborted', type: 'BadRequestError', param: null, code: 503 } },
      '[DONE]',
    ),
    503,
    'Aborted',
  ],
  [
    'llama-server: an event of its own name',
    {
      status: 200,
      type: 'text/event-stream',
      body: 'event: error\ndata: {"error":{"code":500,"message":"context shift failed","type":"server_error"}}\n\n',
    },
    500,
    'context shift failed',
  ],
  ['a text in an event', events({ error: 'overloaded' }), 502, 'overloaded'],
  [
    'OpenRouter: a whole body',
    json(200, { error: { code: 429, message: 'Provider is rate limited' } }),
    429,
    'Provider is rate limited',
  ],
];

/** TGI: `InferError::into_openai_event`, which names 422 whatever happened, then [DONE]. */
export const TGI_STREAM_ERROR = events(
  { error: { message: 'Request failed during generation', http_status_code: 422 } },
  '[DONE]',
);
/** TGI: `InferError::GenerationError` of a request that does not stream. */
export const TGI_FAILED = json(424, {
  error: 'Request failed during generation: CUDA error',
  error_type: 'generation',
});

/** Ends of streams. Ollama: what is left of a runner that dies in mid-answer. */
export const ENDS = {
  whole: events(chunk('Hi'), chunk('', 'stop'), '[DONE]'),
  withoutDone: events(chunk('Hi'), chunk('', 'stop')),
  usageWithoutDone: events(chunk('Hi'), chunk('', 'stop'), {
    ...chunk(''),
    choices: [],
    usage: { prompt_tokens: 3, completion_tokens: 1, total_tokens: 4 },
  }),
  unfinished: events(chunk('Hi'), chunk('')),
  error: events(chunk('Hi'), { error: { message: 'out of memory', type: 'server_error', code: 500 } }),
  lineOfError: { ...events(chunk('Hi')), body: `${events(chunk('Hi')).body}{"error":"runner terminated"}\n` },
} as const satisfies Record<string, Exchange>;

export function write(response: ServerResponse, { status, type, body, headers = {} }: Exchange): void {
  response.writeHead(status, { 'content-type': type, ...headers }).end(body);
}

/** A server of that name, which answers every question for text with that exchange. */
export function server(name: string, answer: Exchange | Answer): Answer {
  return (response, request) => {
    const described = SELF_DESCRIPTIONS[name]?.[request.path];
    if (described) return write(response, described);
    if (!/completions$/.test(request.path)) return write(response, NOT_FOUND);
    return typeof answer === 'function' ? answer(response, request) : write(response, answer);
  };
}

/** OpenAI's Responses API: responses, and counting the tokens of their input. Nothing is stored here. */
import type { Streaming } from '../../reply/scanner.ts';
import { type CountingDialect, countAnswer, countScanner } from '../counting.ts';
import type { Json, TextDialect } from '../dialect.ts';
import { refusal, writeError } from '../openai/errors.ts';
import { withoutHalfSurrogates } from '../surrogates.ts';
import { ResponsesAsk } from './ask.ts';
import { writeLateError } from './errors.ts';
import { responsesFacts } from './facts.ts';
import { amended, forward } from './forward.ts';
import { ResponsesReader } from './reader.ts';
import { responsesScanner } from './scanner.ts';
import { responsesWriter } from './writer.ts';

const EVENTS: Streaming = {
  contentType: 'text/event-stream',
  separator: '\n\n',
  keepAlive: Buffer.from(': keep-alive\n\n'),
  lateError: writeLateError,
};

const COMMON = {
  idPrefix: 'resp',
  prepare: withoutHalfSurrogates,
  keep,
  forward,
  amended,
  refusal,
  error: writeError,
};

export const openAiResponses: TextDialect<'openai-responses'> = {
  ...COMMON,
  id: 'openai-responses',
  paths: ['/v1/responses'],
  claims: ({ input, messages, prompt, encoding_format: vectors }) =>
    input !== undefined && messages === undefined && typeof prompt !== 'string' && vectors === undefined,
  facts: responsesFacts,
  ask: (facts, body) => new ResponsesAsk(openAiResponses, facts, body),
  writer: (ask, sink) => responsesWriter(ask as ResponsesAsk, sink),
  reader: (reply) => new ResponsesReader(reply),
  scanner: responsesScanner,
  streaming: EVENTS,
};

export const openAiInputTokens: CountingDialect<'openai-input-tokens'> = {
  ...COMMON,
  id: 'openai-input-tokens',
  paths: ['/v1/responses/input_tokens'],
  claims: () => false,
  facts: (json) => ({ ...responsesFacts(json), stream: false }),
  ask: (facts, body) => new ResponsesAsk(openAiInputTokens, facts, body),
  writer: null,
  scanner: countScanner,
  streaming: null,
  countAnswer: (tokens) => countAnswer({ object: 'response.input_tokens', input_tokens: tokens }),
};

/** Without input, which is relayed as it came. */
function keep({ store }: Json): Json {
  return { input: [], ...(typeof store === 'boolean' ? { store } : {}) };
}

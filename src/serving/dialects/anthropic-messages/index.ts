/** Anthropic's Messages API: messages, and counting their tokens. */
import type { Streaming } from '../../reply/scanner.ts';
import type { CountingDialect } from '../counting.ts';
import { countAnswer, countScanner } from '../counting.ts';
import type { Json, TextDialect } from '../dialect.ts';
import { isObject } from '../json.ts';
import { withoutHalfSurrogates } from '../surrogates.ts';
import { MessagesAsk } from './ask.ts';
import { withoutAttribution } from './attribution.ts';
import { refusal, writeError, writeLateError } from './errors.ts';
import { messagesFacts } from './facts.ts';
import { amended, forward } from './forward.ts';
import { MessagesReader } from './reader.ts';
import { messagesScanner } from './scanner.ts';
import { messagesWriter } from './writer.ts';

const EVENTS: Streaming = {
  contentType: 'text/event-stream',
  separator: '\n\n',
  keepAlive: Buffer.from('event: ping\ndata: {"type": "ping"}\n\n'),
  lateError: writeLateError,
};

const COMMON = {
  idPrefix: 'msg',
  prepare: withoutHalfSurrogates,
  keep,
  forward,
  amended,
  refusal,
  error: writeError,
  requestIdHeader: 'request-id',
};

export const anthropicMessages: TextDialect<'anthropic-messages'> = {
  ...COMMON,
  id: 'anthropic-messages',
  paths: ['/v1/messages'],
  claims,
  facts: messagesFacts,
  ask: (facts, body) => new MessagesAsk(anthropicMessages, facts, body),
  writer: (ask, sink) => messagesWriter(ask as MessagesAsk, sink),
  reader: (reply) => new MessagesReader(reply),
  scanner: messagesScanner,
  streaming: EVENTS,
};

export const anthropicCountTokens: CountingDialect<'anthropic-count-tokens'> = {
  ...COMMON,
  id: 'anthropic-count-tokens',
  paths: ['/v1/messages/count_tokens'],
  claims: () => false,
  facts: (json) => ({ ...messagesFacts(json), stream: false }),
  ask: (facts, body) => new MessagesAsk(anthropicCountTokens, facts, body),
  writer: null,
  scanner: countScanner,
  streaming: null,
  countAnswer: (tokens) => countAnswer({ input_tokens: tokens }),
};

/** What tells it from a chat completion: a system prompt of its own, its tools, or its kinds of block. */
function claims({ messages, system, tools }: Json): boolean {
  if (!Array.isArray(messages)) return false;
  if (system !== undefined) return true;
  if (Array.isArray(tools) && tools.some((tool) => isObject(tool) && tool.input_schema !== undefined))
    return true;
  return messages.some(
    (message) =>
      isObject(message) &&
      Array.isArray(message.content) &&
      message.content.some((block) => isObject(block) && OWN_BLOCKS.includes(String(block.type))),
  );
}

const OWN_BLOCKS = ['tool_use', 'tool_result', 'thinking', 'redacted_thinking', 'image', 'document'];

/** Without messages, which are relayed as they came. */
function keep({ system }: Json): Json {
  return { messages: [], ...(withoutAttribution(system) === system ? {} : { system }) };
}

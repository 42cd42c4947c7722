/** Shared by OpenAI's two dialects: everything but the fields that hold a request's text. */
import type { Streaming } from '../../reply/scanner.ts';
import { AUTO, type RoutingFacts } from '../ask.ts';
import type { Json, TextDialect } from '../dialect.ts';
import { optional, textOrNull } from '../json.ts';
import { withoutHalfSurrogates } from '../surrogates.ts';
import type { OpenAiAsk } from './ask.ts';
import { refusal, writeError, writeLateError } from './errors.ts';
import { forward } from './forward.ts';
import { OpenAiReader, readWhole } from './reader.ts';
import { openAiScanner } from './scanner.ts';
import { openAiWriter } from './writer.ts';

type Common =
  | 'prepare'
  | 'forward'
  | 'writer'
  | 'reader'
  | 'whole'
  | 'scanner'
  | 'refusal'
  | 'error'
  | 'streaming';

const EVENTS: Streaming = {
  contentType: 'text/event-stream',
  separator: '\n\n',
  keepAlive: Buffer.from(': keep-alive\n\n'),
  lateError: writeLateError,
};

export const COMMON: Pick<TextDialect, Common> = {
  prepare: withoutHalfSurrogates,
  forward,
  writer: (ask, sink) => openAiWriter(ask as OpenAiAsk, sink),
  reader: (reply) => new OpenAiReader(reply),
  whole: readWhole,
  scanner: openAiScanner,
  refusal,
  error: writeError,
  streaming: EVENTS,
};

/** @throws RouterError `invalid_body` */
export function commonFacts(json: Json): Omit<RoutingFacts, 'turns' | 'affinityKey' | 'toolLoop'> {
  const limit = json.max_completion_tokens ?? json.max_tokens;
  return {
    model: optional(json, 'model', 'string') || AUTO,
    stream: optional(json, 'stream', 'boolean') ?? false,
    answerLimit: typeof limit === 'number' && limit > 0 ? limit : null,
    session: textOrNull(json.prompt_cache_key),
    stored: null,
  };
}

/** The limits, which experts may rewrite in the bytes. */
export function keepLimits({ max_tokens, max_completion_tokens }: Json): Json {
  return {
    ...(typeof max_tokens === 'number' ? { max_tokens } : {}),
    ...(typeof max_completion_tokens === 'number' ? { max_completion_tokens } : {}),
  };
}

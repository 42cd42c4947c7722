/** Shared by OpenAI's two dialects: everything but the fields that hold a request's text. */
import { AUTO, type RoutingFacts } from '../ask.ts';
import type { Dialect, Json } from '../dialect.ts';
import { optional } from '../json.ts';
import type { OpenAiAsk } from './ask.ts';
import { refusal, writeError, writeLateError } from './errors.ts';
import { OpenAiReader } from './reader.ts';
import { openAiScanner } from './scanner.ts';
import { openAiWriter } from './writer.ts';

type Common = 'writer' | 'reader' | 'scanner' | 'refusal' | 'error' | 'lateError' | 'keepAlive';

export const COMMON: Pick<Dialect, Common> = {
  writer: (ask, sink) => openAiWriter(ask as OpenAiAsk, sink),
  reader: (reply) => new OpenAiReader(reply),
  scanner: openAiScanner,
  refusal,
  error: writeError,
  lateError: writeLateError,
  keepAlive: Buffer.from(': waiting for a free slot\n\n'),
};

/** @throws RouterError `invalid_body` */
export function commonFacts(json: Json): Pick<RoutingFacts, 'model' | 'stream' | 'answerLimit'> {
  const limit = json.max_completion_tokens ?? json.max_tokens;
  return {
    model: optional(json, 'model', 'string') || AUTO,
    stream: optional(json, 'stream', 'boolean') ?? false,
    answerLimit: typeof limit === 'number' && limit > 0 ? limit : null,
  };
}

/** The limits, which experts may rewrite in the bytes. */
export function keepLimits({ max_tokens, max_completion_tokens }: Json): Json {
  return {
    ...(typeof max_tokens === 'number' ? { max_tokens } : {}),
    ...(typeof max_completion_tokens === 'number' ? { max_completion_tokens } : {}),
  };
}

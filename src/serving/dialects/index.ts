/** The dialects that clients may speak, one line each; the front's paths derive from this table. */
import { RouterError } from '../../core/errors.ts';
import { excerpt } from '../../core/excerpt.ts';
import type { MemberPlace } from '../../core/json-measure.ts';
import { anthropicCountTokens, anthropicMessages } from './anthropic-messages/index.ts';
import type { Ask } from './ask.ts';
import type { Dialect, Json } from './dialect.ts';
import { parseBody } from './json.ts';
import { ollamaChat, ollamaEmbed, ollamaEmbeddings, ollamaGenerate } from './ollama/index.ts';
import { openAiChat } from './openai/chat.ts';
import { openAiCompletions } from './openai/completions.ts';
import { openAiEmbeddings } from './openai/embeddings.ts';
import { openAiInputTokens, openAiResponses } from './openai-responses/index.ts';
import { rerank } from './rerank/index.ts';

const TABLE = [
  anthropicMessages,
  anthropicCountTokens,
  openAiChat,
  openAiCompletions,
  openAiEmbeddings,
  rerank,
  openAiResponses,
  openAiInputTokens,
  ollamaChat,
  ollamaGenerate,
  ollamaEmbed,
  ollamaEmbeddings,
] as const;

export type DialectId = (typeof TABLE)[number]['id'];

export const DIALECTS: readonly Dialect<DialectId>[] = TABLE;

/** For errors of requests on paths that belong to no dialect. */
export const DEFAULT_DIALECT: Dialect = openAiChat;

export function dialectNamed(id: string): Dialect {
  return DIALECTS.find((dialect) => dialect.id === id)!;
}

/** @throws RouterError `invalid_request` for a name that a client or program gave and that is none */
export function dialectTold(id: string): Dialect {
  const told = DIALECTS.find((dialect) => dialect.id === id);
  if (told) return told;
  const known = DIALECTS.map((dialect) => dialect.id).join(', ');
  throw new RouterError('invalid_request', `There is no dialect '${excerpt(id)}'. There are: ${known}.`);
}

/** The dialect of a body whose path does not tell it, as in a dry run: the first that claims it. */
export function dialectOf(json: Json): Dialect {
  return DIALECTS.find((dialect) => dialect.claims(json)) ?? DEFAULT_DIALECT;
}

/**
 * Parses a body once.
 * @param dialect null: told by the body's fields
 * @param members offsets of the top-level members, if known
 * @throws RouterError `invalid_json` or `invalid_body`, naming the invalid field
 */
export function readAsk(dialect: Dialect | null, bytes: Buffer, members?: readonly MemberPlace[]): Ask {
  const json = parseBody(bytes);
  const own = dialect ?? dialectOf(json);
  const body = { bytes, json, partial: false };
  return own.ask(own.facts(json), members ? { ...body, members } : body);
}

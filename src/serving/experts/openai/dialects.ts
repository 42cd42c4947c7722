/**
 * In what the servers that speak OpenAI's API differ so that a request or a status must be edited: one table, and what
 * follows from a row for one request. Forms of errors and ends of streams need no row: they are read as they come.
 *
 * From the servers' own sources: Ollama openai/openai.go; Triton python/openai/openai_frontend/engine/utils/triton.py;
 * TGI router/src/server.rs; of OpenAI's cloud, its reference of chat completions.
 */
import type { Endpoint } from '../../../core/openai.ts';
import type { ExpertRequest } from '../expert.ts';
import { Members, type Splice } from './members.ts';
import { withoutHalfSurrogates } from './surrogates.ts';

export interface Dialect {
  /** The one field that limits a chat's answer, where the server does not know both of OpenAI's. */
  readonly limit?: 'max_tokens' | 'max_completion_tokens';
  /** Where answers end after 16 tokens unless told otherwise, though OpenAI's do not (its completions do). */
  readonly cutsAt16?: readonly Endpoint[];
  /** Its JSON reader or tokenizer refuses half surrogate pairs, which others take. */
  readonly refusesHalfSurrogates?: true;
  /** Statuses that mean something else there → the one that says it to everybody else, and to retries. */
  readonly statuses?: Readonly<Record<number, number>>;
}

export const DIALECTS = {
  /** As OpenAI's API was when others took it over. */
  plain: {},
  vllm: { refusesHalfSurrogates: true },
  sglang: {},
  trtllm: {},
  'llama.cpp': { refusesHalfSurrogates: true },
  /** Takes `max_completion_tokens` for a field it does not know, and answers without limit. */
  ollama: { limit: 'max_tokens' },
  /** 424, a dependency failed, is how it says that the generation failed. */
  tgi: { statuses: { 424: 502 } },
  /** Triton's OpenAI frontend; `--default-max-tokens` there is 16. */
  triton: { cutsAt16: ['chat', 'completions'] },
  /** OpenAI's own cloud, whose newer models refuse `max_tokens`. */
  openai: { limit: 'max_completion_tokens' },
} as const satisfies Record<string, Dialect>;

export type DialectName = keyof typeof DIALECTS;

export const DIALECT_NAMES = Object.keys(DIALECTS) as [DialectName, ...DialectName[]];

/** Put where a server would end an answer after 16 tokens, in tokens. */
export const LIMIT_INSTEAD_OF_16 = 1024;

/**
 * The body as the server understands it, under the model name it knows; every byte that needs no change stays.
 * @param limit the config's own limit for requests that name none, in tokens
 */
export function bodyFor(
  dialect: Dialect,
  request: ExpertRequest,
  { model, limit }: { readonly model: string; readonly limit: number | undefined },
): Buffer {
  const { buffer, byteOffset, length } = request.body;
  const sent = Buffer.from(buffer, byteOffset, length);
  const body = dialect.refusesHalfSurrogates ? (request.withoutHalves ?? withoutHalfSurrogates(sent)) : sent;
  const members = new Members(body, request.members);
  return members.with([...limitEdits(members, request, dialect, limit), ...members.set('model', model)]);
}

function limitEdits(
  members: Members,
  { endpoint, json }: ExpertRequest,
  dialect: Dialect,
  limit: number | undefined,
): readonly Splice[] {
  const { max_tokens: asked, max_completion_tokens: askedOfChat } = json;
  const chat = endpoint === 'chat';
  if (asked == null && (askedOfChat == null || !chat)) {
    const instead = limit ?? (dialect.cutsAt16?.includes(endpoint) ? LIMIT_INSTEAD_OF_16 : undefined);
    const field = chat ? (dialect.limit ?? 'max_tokens') : 'max_tokens';
    return instead === undefined ? [] : members.set(field, instead);
  }
  if (!chat) return [];
  if (dialect.limit === 'max_tokens' && asked == null) return members.set('max_tokens', askedOfChat);
  if (dialect.limit === 'max_completion_tokens' && askedOfChat == null)
    return members.rename('max_tokens', 'max_completion_tokens');
  return [];
}

/** The body of a request as the server behind it understands it, by the quirks of its engine. */

import type { OpenAiAsk } from '../../dialects/openai/ask.ts';
import type { Quirks } from '../../engines/engine.ts';
import { ENGINES } from '../../engines/index.ts';
import { Members, type Splice } from './members.ts';
import { withoutHalfSurrogates } from './surrogates.ts';

/** The name for a server without any: OpenAI's API as it was when others took it over. */
export const PLAIN = 'plain';

const QUIRKS: Readonly<Record<string, Quirks>> = {
  [PLAIN]: {},
  ...Object.fromEntries(ENGINES.flatMap(({ id, quirks }) => (quirks ? [[id, quirks]] : []))),
};

/** Engines whose quirks a config may name. */
export const QUIRKS_NAMES = Object.keys(QUIRKS) as [string, ...string[]];

/** @param name one of `QUIRKS_NAMES` */
export function quirksNamed(name: string): Quirks {
  return QUIRKS[name] ?? {};
}

/** Put where a server would end an answer after 16 tokens, in tokens. */
export const LIMIT_INSTEAD_OF_16 = 1024;

/**
 * The body as the server understands it, under the model name it knows; every byte that needs no change stays.
 * @param limit the config's own limit for requests that name none, in tokens
 */
export function bodyFor(
  quirks: Quirks,
  request: OpenAiAsk,
  { model, limit }: { readonly model: string; readonly limit: number | undefined },
): Buffer {
  const { buffer, byteOffset, length } = request.body;
  const sent = Buffer.from(buffer, byteOffset, length);
  const body = quirks.refusesHalfSurrogates ? (request.withoutHalves ?? withoutHalfSurrogates(sent)) : sent;
  const members = new Members(body, request.members);
  return members.with([...limitEdits(members, request, quirks, limit), ...members.set('model', model)]);
}

function limitEdits(
  members: Members,
  { endpoint, json }: OpenAiAsk,
  quirks: Quirks,
  limit: number | undefined,
): readonly Splice[] {
  const { max_tokens: asked, max_completion_tokens: askedOfChat } = json;
  const chat = endpoint === 'chat';
  if (asked == null && (askedOfChat == null || !chat)) {
    const instead = limit ?? (quirks.cutsAt16?.includes(endpoint) ? LIMIT_INSTEAD_OF_16 : undefined);
    const field = chat ? (quirks.limit ?? 'max_tokens') : 'max_tokens';
    return instead === undefined ? [] : members.set(field, instead);
  }
  if (!chat) return [];
  if (quirks.limit === 'max_tokens' && asked == null) return members.set('max_tokens', askedOfChat);
  if (quirks.limit === 'max_completion_tokens' && askedOfChat == null)
    return members.rename('max_tokens', 'max_completion_tokens');
  return [];
}

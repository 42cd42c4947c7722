/** Adapts a request's body to the quirks of its engine. */

import type { OpenAiAsk } from '../../dialects/openai/ask.ts';
import type { Quirks } from '../../engines/engine.ts';
import { ENGINES } from '../../engines/index.ts';
import { Members, type Splice } from './members.ts';
import { withoutHalfSurrogates } from './surrogates.ts';

/** The name for no quirks. */
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

/** Tokens: the limit sent to servers that otherwise stop after 16. */
export const LIMIT_INSTEAD_OF_16 = 1024;

/**
 * The body with the server's name of the model and its quirks' edits; all other bytes are unchanged.
 * @param limit for requests that set none, in tokens
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

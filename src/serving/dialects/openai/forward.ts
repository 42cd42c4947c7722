/** OpenAI's bodies for a server: the model's name there, and a limit in the field that its engine reads. */
import type { Pieces } from '../../../core/pieces.ts';
import type { Ask } from '../ask.ts';
import { forwardBody } from '../forward.ts';
import type { Members, Splice } from '../members.ts';
import type { ServerNeeds } from '../quirks.ts';
import type { OpenAiAsk } from './ask.ts';

/** Tokens: the limit sent to servers that otherwise stop after 16. */
export const LIMIT_INSTEAD_OF_16 = 1024;

export function forward(ask: Ask, server: ServerNeeds): Pieces {
  const own = ask as OpenAiAsk;
  return forwardBody(own.received, server, (members) => limitEdits(members, own, server));
}

function limitEdits(
  members: Members,
  { dialect, endpoint, json }: OpenAiAsk,
  { quirks, limit }: ServerNeeds,
): readonly Splice[] {
  const { max_tokens: asked, max_completion_tokens: askedOfChat } = json;
  const chat = endpoint === 'chat';
  if (asked == null && (askedOfChat == null || !chat)) {
    const instead = limit ?? (quirks.cutsAt16?.includes(dialect.id) ? LIMIT_INSTEAD_OF_16 : undefined);
    const field = chat ? (quirks.limit ?? 'max_tokens') : 'max_tokens';
    return instead === undefined ? [] : members.set(field, instead);
  }
  if (!chat) return [];
  if (quirks.limit === 'max_tokens' && asked == null) return members.set('max_tokens', askedOfChat);
  if (quirks.limit === 'max_completion_tokens' && askedOfChat == null)
    return members.rename('max_tokens', 'max_completion_tokens');
  return [];
}

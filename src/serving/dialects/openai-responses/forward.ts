/** The body of a Responses request for a server that speaks the API. */
import type { Pieces } from '../../../core/pieces.ts';
import type { ToldFailure } from '../../reply/failure.ts';
import type { Ask } from '../ask.ts';
import type { Json } from '../dialect.ts';
import { forwardBody } from '../forward.ts';
import { isObject } from '../json.ts';
import type { Members, Splice } from '../members.ts';
import type { ServerNeeds } from '../quirks.ts';
import type { ResponsesAsk } from './ask.ts';

export function forward(ask: Ask, server: ServerNeeds): Pieces {
  const own = ask as ResponsesAsk;
  return forwardBody(own.received, server, (members) => storeEdits(members, own, server));
}

/** Another expert may get the next turn, so a server that nobody named need not keep this one. */
function storeEdits(
  members: Members,
  { json, dialect }: ResponsesAsk,
  { insisted }: ServerNeeds,
): readonly Splice[] {
  if (insisted || json.store === false || dialect.writer === null) return [];
  return members.set('store', false);
}

/**
 * The body to try again with after a refusal: without the reasoning, where the server could not read it because another
 * model made it. Null for any other refusal.
 */
export function amended(
  ask: Ask,
  server: ServerNeeds,
  { status, message, code }: ToldFailure,
): Pieces | null {
  const own = ask as ResponsesAsk;
  const { input } = own.json;
  const unread = code === 'invalid_encrypted_content' || /encrypted.?content/i.test(message);
  if (status !== 400 || own.partial || !unread || !Array.isArray(input)) return null;
  const kept = input.filter((item: unknown) => !isReasoning(item));
  if (kept.length === input.length) return null;
  return forwardBody(own.received, server, (members) => [
    ...storeEdits(members, own, server),
    ...members.set('input', kept),
  ]);
}

function isReasoning(item: unknown): item is Json {
  return isObject(item) && (item.type === 'reasoning' || item.type === 'compaction');
}

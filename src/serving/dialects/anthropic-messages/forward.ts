/**
 * The body of a Messages request for a server that speaks the API: the model's name there, and without what only
 * Anthropic reads where the server is another's.
 */
import type { Pieces } from '../../../core/pieces.ts';
import type { ToldFailure } from '../../reply/failure.ts';
import type { Ask } from '../ask.ts';
import type { Json } from '../dialect.ts';
import { forwardBody } from '../forward.ts';
import { isObject } from '../json.ts';
import type { Members, Splice } from '../members.ts';
import type { ServerNeeds } from '../quirks.ts';
import type { MessagesAsk } from './ask.ts';
import { withoutAttribution } from './attribution.ts';
import { FOREIGN_SIGNATURE } from './writer.ts';

export function forward(ask: Ask, server: ServerNeeds): Pieces {
  const own = ask as MessagesAsk;
  return forwardBody(own.received, server, (members) => [
    ...attributionEdits(members, own, server),
    ...(server.quirks.readsAttribution && ask.body.includes(FOREIGN_SIGNATURE)
      ? setMessages(members, own, isForeign)
      : []),
  ]);
}

/**
 * The body to try again with after a refusal: without the thinking, where the server did not take it because another
 * model made it. Null for any other refusal.
 */
export function amended(ask: Ask, server: ServerNeeds, { status, message }: ToldFailure): Pieces | null {
  const own = ask as MessagesAsk;
  if (status !== 400 || own.partial || !/thinking/i.test(message)) return null;
  if (!messagesOf(own).some((turn) => blocksOf(turn).some(isThinking))) return null;
  return forwardBody(own.received, server, (members) => [
    ...attributionEdits(members, own, server),
    ...setMessages(members, own, isThinking),
    // In the middle of its work a model that thinks must be sent its thinking.
    ...(own.toolLoop === 'running' && own.wantsThinking ? members.set('thinking', { type: 'disabled' }) : []),
  ]);
}

function attributionEdits(
  members: Members,
  { json }: MessagesAsk,
  { quirks }: ServerNeeds,
): readonly Splice[] {
  if (quirks.readsAttribution) return [];
  const system = withoutAttribution(json.system);
  return system === json.system ? [] : members.set('system', system ?? []);
}

function setMessages(
  members: Members,
  ask: MessagesAsk,
  dropped: (block: unknown) => boolean,
): readonly Splice[] {
  const turns = messagesOf(ask).flatMap((turn) => {
    const kept = blocksOf(turn).filter((block) => !dropped(block));
    if (!Array.isArray(turn.content) || kept.length === turn.content.length) return [turn];
    return kept.length > 0 ? [{ ...turn, content: kept }] : [];
  });
  return members.set('messages', turns);
}

function messagesOf({ json }: MessagesAsk): readonly Json[] {
  return json.messages as readonly Json[];
}

function blocksOf({ content }: Json): readonly unknown[] {
  return Array.isArray(content) ? content : [];
}

function isThinking(block: unknown): boolean {
  return isObject(block) && (block.type === 'thinking' || block.type === 'redacted_thinking');
}

function isForeign(block: unknown): boolean {
  return isObject(block) && block.type === 'thinking' && block.signature === FOREIGN_SIGNATURE;
}

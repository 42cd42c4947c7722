/** What routing reads of a Messages request. */
import { routableTurns } from '../../../deciding/text/routable.ts';
import { AUTO, type RoutingFacts } from '../ask.ts';
import { conversationKey, toolLoop } from '../conversation-key.ts';
import type { Json } from '../dialect.ts';
import { invalid, isObject, optional, textOrNull } from '../json.ts';
import { sampledTurns } from '../turns.ts';
import { withoutAttribution } from './attribution.ts';

/** @throws RouterError `invalid_body` */
export function messagesFacts(json: Json): RoutingFacts {
  const spoken = spokenIn(json);
  const { max_tokens: limit, metadata } = json;
  return {
    model: optional(json, 'model', 'string') || AUTO,
    stream: optional(json, 'stream', 'boolean') ?? false,
    turns: sampledTurns(routableTurns('chat', { messages: spoken })),
    affinityKey: conversationKey(spoken),
    answerLimit: typeof limit === 'number' && limit > 0 ? limit : null,
    session: sessionIn(isObject(metadata) ? textOrNull(metadata.user_id) : null),
    stored: null,
    toolLoop: toolLoop(json.tools, holdsResults((json.messages as readonly Json[]).at(-1)!)),
  };
}

interface Said {
  readonly role: string;
  readonly content: unknown;
}

/** The messages with what was said alone: a tool's results are not a person's words, though they come in their name. */
function spokenIn({ messages, system }: Json): readonly Said[] {
  const own = withoutAttribution(system);
  if (own !== undefined && own !== null && typeof own !== 'string' && !Array.isArray(own))
    throw invalid('system', 'must be a text or a list of blocks');
  if (messages === undefined) throw invalid('messages', 'is missing: a list of messages');
  if (!Array.isArray(messages)) throw invalid('messages', 'must be a list');
  if (messages.length === 0) throw invalid('messages', 'is empty; send at least one message');
  const said: Said[] = own ? [{ role: 'system', content: own }] : [];
  messages.forEach((message: unknown, index) => {
    const at = `messages[${index}]`;
    if (!isObject(message)) throw invalid(at, 'must be an object');
    const { role, content } = message;
    if (typeof role !== 'string') throw invalid(`${at}.role`, 'must be a string');
    if (typeof content === 'string') said.push({ role, content });
    else if (!Array.isArray(content)) throw invalid(`${at}.content`, 'must be a string or a list of blocks');
    else {
      checkBlocks(content, `${at}.content`);
      const words = content.filter((block: Json) => block.type !== 'tool_result');
      if (words.length > 0) said.push({ role, content: words });
    }
  });
  return said;
}

function checkBlocks(blocks: readonly unknown[], at: string): void {
  blocks.forEach((block, index) => {
    if (!isObject(block) || typeof block.type !== 'string')
      throw invalid(`${at}[${index}]`, "must be an object with a 'type'");
    if (block.type === 'text' && typeof block.text !== 'string')
      throw invalid(`${at}[${index}].text`, 'must be a string');
  });
}

function holdsResults({ role, content }: Json): boolean {
  return (
    role === 'user' && Array.isArray(content) && content.some((block: Json) => block.type === 'tool_result')
  );
}

/** Claude Code's session is a part of what it calls the user's id: `…_session_<uuid>`, or JSON with a `session_id`. */
function sessionIn(userId: string | null): string | null {
  if (userId === null) return null;
  return /(?:_session_|"session_id":\s*")([a-zA-Z0-9-]{8,64})/.exec(userId)?.[1] ?? null;
}

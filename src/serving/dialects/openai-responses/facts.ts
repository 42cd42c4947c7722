/** What routing reads of a Responses request. */
import { routableTurns } from '../../../deciding/text/routable.ts';
import { AUTO, type RoutingFacts } from '../ask.ts';
import { conversationKey, toolLoop } from '../conversation-key.ts';
import type { Json } from '../dialect.ts';
import { invalid, isObject, optional, textOrNull } from '../json.ts';
import { sampledTurns } from '../turns.ts';

/** @throws RouterError `invalid_body` */
export function responsesFacts(json: Json): RoutingFacts {
  const spoken = spokenIn(json);
  const { max_output_tokens: limit, input } = json;
  return {
    model: optional(json, 'model', 'string') || AUTO,
    stream: optional(json, 'stream', 'boolean') ?? false,
    turns: sampledTurns(routableTurns('chat', { messages: spoken })),
    affinityKey: conversationKey(spoken),
    answerLimit: typeof limit === 'number' && limit > 0 ? limit : null,
    session:
      textOrNull(json.prompt_cache_key) ?? conversationIn(json) ?? textOrNull(json.previous_response_id),
    stored: storedIn(json),
    toolLoop: toolLoop(json.tools, Array.isArray(input) && isOutput(input.at(-1))),
  };
}

interface Said {
  readonly role: string;
  readonly content: unknown;
}

function spokenIn(json: Json): readonly Said[] {
  const { input } = json;
  const instructions = optional(json, 'instructions', 'string');
  const said: Said[] = instructions ? [{ role: 'system', content: instructions }] : [];
  if (typeof input === 'string') return [...said, { role: 'user', content: input }];
  // A stored prompt, response or conversation may be all there is.
  if (input === undefined && (storedIn(json) !== null || isObject(json.prompt))) return said;
  if (input === undefined) throw invalid('input', 'is missing: a text, or a list of items');
  if (!Array.isArray(input)) throw invalid('input', 'must be a string or a list of items');
  input.forEach((item: unknown, index) => {
    const at = `input[${index}]`;
    if (!isObject(item)) throw invalid(at, 'must be an object');
    const { type, role, content } = item;
    if (type !== undefined && typeof type !== 'string') throw invalid(`${at}.type`, 'must be a string');
    if (type !== 'message' && (type !== undefined || role === undefined)) {
      if (type === undefined) throw invalid(at, "must have a 'type' or a 'role'");
      return;
    }
    if (typeof role !== 'string') throw invalid(`${at}.role`, 'must be a string');
    checkContent(content, `${at}.content`);
    said.push({ role, content });
  });
  return said;
}

function checkContent(content: unknown, at: string): void {
  if (typeof content === 'string') return;
  if (!Array.isArray(content)) throw invalid(at, 'must be a string or a list of parts');
  content.forEach((part: unknown, index) => {
    if (!isObject(part) || typeof part.type !== 'string')
      throw invalid(`${at}[${index}]`, "must be an object with a 'type'");
    if (/^(input|output)_text$/.test(part.type) && typeof part.text !== 'string')
      throw invalid(`${at}[${index}].text`, 'must be a string');
  });
}

function isOutput(item: unknown): boolean {
  return isObject(item) && String(item.type).endsWith('_call_output');
}

function conversationIn({ conversation }: Json): string | null {
  return textOrNull(isObject(conversation) ? conversation.id : conversation);
}

function storedIn(json: Json): string | null {
  if (textOrNull(json.previous_response_id) !== null) return 'previous_response_id';
  if (conversationIn(json) !== null) return 'conversation';
  const { input } = json;
  const at = Array.isArray(input)
    ? input.findIndex((item) => isObject(item) && item.type === 'item_reference')
    : -1;
  return at < 0 ? null : `input[${at}]`;
}

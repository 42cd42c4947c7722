/** OpenAI's chat completions. */
import { routableTurns } from '../../../deciding/text/routable.ts';
import { conversationKey, toolLoop } from '../conversation-key.ts';
import type { Json, TextDialect } from '../dialect.ts';
import { invalid, isObject } from '../json.ts';
import { sampledTurns } from '../turns.ts';
import { OpenAiAsk } from './ask.ts';
import type { ChatBody } from './bodies.ts';
import { COMMON, commonFacts, keepLimits } from './common.ts';

export const openAiChat: TextDialect<'openai-chat'> = {
  ...COMMON,
  id: 'openai-chat',
  paths: ['/v1/chat/completions'],
  idPrefix: 'chatcmpl',
  claims: (json) => json.messages !== undefined,
  facts: (json) => {
    const common = commonFacts(json);
    const body = chatBody(json);
    return {
      ...common,
      turns: sampledTurns(routableTurns('chat', body)),
      affinityKey: conversationKey(body.messages),
      toolLoop: toolLoop(json.tools, body.messages.at(-1)?.role === 'tool'),
    };
  },
  keep: (json) => ({ ...keepLimits(json), messages: [] }),
  ask: (facts, body) => new OpenAiAsk(openAiChat, 'chat', facts, body),
};

function chatBody(json: Json): ChatBody {
  const { messages } = json;
  if (messages === undefined) throw invalid('messages', 'is missing: a list of chat messages');
  if (!Array.isArray(messages)) throw invalid('messages', 'must be a list');
  if (messages.length === 0) throw invalid('messages', 'is empty; send at least one message');
  messages.forEach((message: unknown, index) => {
    const at = `messages[${index}]`;
    if (!isObject(message)) throw invalid(at, 'must be an object');
    if (typeof message.role !== 'string') throw invalid(`${at}.role`, 'must be a string');
    checkContent(message.content, `${at}.content`);
  });
  return json as unknown as ChatBody;
}

function checkContent(content: unknown, at: string): void {
  if (content === undefined || content === null || typeof content === 'string') return;
  if (!Array.isArray(content)) throw invalid(at, 'must be a string or a list of parts');
  content.forEach((part: unknown, index) => {
    const where = `${at}[${index}]`;
    if (!isObject(part) || typeof part.type !== 'string')
      throw invalid(where, "must be an object with a 'type'");
    if (part.type === 'text' && typeof part.text !== 'string')
      throw invalid(`${where}.text`, 'must be a string');
  });
}

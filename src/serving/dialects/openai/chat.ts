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
    const { model, stream, answerLimit, session, stored } = commonFacts(json);
    const body = chatBody(json);
    // Field by field: to spread an object into a new one costs several times as much, for each request.
    return {
      model,
      stream,
      answerLimit,
      session,
      stored,
      turns: sampledTurns(routableTurns('chat', body)),
      affinityKey: conversationKey(body.messages),
      toolLoop: toolLoop(json.tools ?? json.functions, isResult(body.messages.at(-1)?.role)),
    };
  },
  keep: (json) => ({ ...keepLimits(json), messages: [] }),
  ask: (facts, body) => new OpenAiAsk(openAiChat, 'chat', facts, body),
};

function isResult(role: string | undefined): boolean {
  return role === 'tool' || role === 'function';
}

function chatBody(json: Json): ChatBody {
  const { messages } = json;
  if (messages === undefined) throw invalid('messages', 'is missing: a list of chat messages');
  if (!Array.isArray(messages)) throw invalid('messages', 'must be a list');
  if (messages.length === 0) throw invalid('messages', 'is empty; send at least one message');
  for (let index = 0; index < messages.length; index += 1) checkMessage(messages[index], index);
  return json as unknown as ChatBody;
}

function checkMessage(message: unknown, index: number): void {
  if (!isObject(message)) throw invalid(`messages[${index}]`, 'must be an object');
  const { role, content } = message;
  if (typeof role !== 'string') throw invalid(`messages[${index}].role`, 'must be a string');
  if (content === undefined || content === null || typeof content === 'string') return;
  checkParts(content, `messages[${index}].content`);
}

function checkParts(content: unknown, at: string): void {
  if (!Array.isArray(content)) throw invalid(at, 'must be a string or a list of parts');
  content.forEach((part: unknown, index) => {
    const where = `${at}[${index}]`;
    if (!isObject(part) || typeof part.type !== 'string')
      throw invalid(where, "must be an object with a 'type'");
    if (part.type === 'text' && typeof part.text !== 'string')
      throw invalid(`${where}.text`, 'must be a string');
  });
}

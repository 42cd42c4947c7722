/** What routing reads of Ollama's requests. */
import { plainText, type RoutableText, routableTurns } from '../../../deciding/text/routable.ts';
import { AUTO, type RoutingFacts } from '../ask.ts';
import type { Json } from '../dialect.ts';
import { invalid, isObject, optional } from '../json.ts';
import { sampledTurns } from '../turns.ts';

/** @throws RouterError `invalid_body` */
export function ollamaFacts(json: Json): Omit<RoutingFacts, 'turns' | 'affinityKey' | 'toolLoop'> {
  const { options } = json;
  if (options !== undefined && options !== null && !isObject(options))
    throw invalid('options', 'must be an object');
  const limit = options?.num_predict;
  return {
    model: optional(json, 'model', 'string') || AUTO,
    stream: optional(json, 'stream', 'boolean') ?? true,
    // Negative ones mean none.
    answerLimit: typeof limit === 'number' && limit > 0 ? limit : null,
    session: null,
    stored: null,
  };
}

interface Said {
  readonly role: string;
  readonly content: unknown;
}

/** The messages as OpenAI would have them, pictures beside the text. @throws RouterError `invalid_body` */
export function spokenIn({ messages }: Json): readonly Said[] {
  if (messages === undefined || messages === null) return [];
  if (!Array.isArray(messages)) throw invalid('messages', 'must be a list');
  return messages.map((message: unknown, index) => {
    const at = `messages[${index}]`;
    if (!isObject(message)) throw invalid(at, 'must be an object');
    const { role, content = '' } = message;
    if (typeof role !== 'string') throw invalid(`${at}.role`, 'must be a string');
    if (content !== null && typeof content !== 'string') throw invalid(`${at}.content`, 'must be a string');
    return { role, content: seen(content ?? '', message.images, `${at}.images`) };
  });
}

export function chatTurns(messages: readonly Said[]): readonly RoutableText[] {
  return sampledTurns(messages.length === 0 ? [plainText('')] : routableTurns('chat', { messages }));
}

/** @throws RouterError `invalid_body` */
export function generateTurns({ prompt, system, images }: Json): readonly RoutableText[] {
  if (prompt === undefined || prompt === null || prompt === '') return chatTurns([]);
  if (typeof prompt !== 'string') throw invalid('prompt', 'must be a string');
  const own = typeof system === 'string' && system !== '' ? [{ role: 'system', content: system }] : [];
  return chatTurns([...own, { role: 'user', content: seen(prompt, images, 'images') }]);
}

function seen(text: string, images: unknown, at: string): unknown {
  if (images === undefined || images === null) return text;
  if (!Array.isArray(images)) throw invalid(at, 'must be a list of pictures in base64');
  if (images.length === 0) return text;
  return [{ type: 'text', text }, ...images.map(() => ({ type: 'image_url' }))];
}

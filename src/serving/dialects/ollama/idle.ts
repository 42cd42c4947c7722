/**
 * Requests without messages or a prompt, by which clients load a model before it is asked, or unload it by
 * `keep_alive: 0`. Ollama answers them with one object, whether or not a stream was asked for.
 */
import type { ReplyMeta } from '../../reply/reply.ts';
import type { Json } from '../dialect.ts';
import type { OllamaAsk } from './ask.ts';
import { writeTime } from './ending.ts';

/** What such a request wants; null for one that wants an answer. */
export function idleIn(
  { messages, prompt, keep_alive: kept }: Json,
  chat: boolean,
): 'load' | 'unload' | null {
  const said = chat ? messages : prompt;
  const silent =
    said === undefined || said === null || (chat ? Array.isArray(said) && said.length === 0 : said === '');
  if (!silent) return null;
  // A number of seconds, or a duration such as `0s`.
  return kept === 0 || (typeof kept === 'string' && /^0+[a-z]*$/.test(kept)) ? 'unload' : 'load';
}

export function writeIdle({ json, endpoint }: OllamaAsk, { model, created }: ReplyMeta): Buffer | null {
  const chat = endpoint === 'chat';
  const reason = idleIn(json, chat);
  if (reason === null) return null;
  const nothing = chat ? { message: { role: 'assistant', content: '' } } : { response: '' };
  return Buffer.from(
    JSON.stringify({ model, created_at: writeTime(created), ...nothing, done: true, done_reason: reason }),
  );
}

/** What a request asks of an emulated server: endpoint, prompt, length, whether streamed and with usage. */
import { readAsk } from '../../serving/dialects/index.ts';
import type { OpenAiAsk } from '../../serving/dialects/openai/ask.ts';
import type { Endpoint } from '../../serving/dialects/openai/bodies.ts';
import { openAiChat } from '../../serving/dialects/openai/chat.ts';
import { openAiCompletions } from '../../serving/dialects/openai/completions.ts';
import { refuseUnmet } from '../../serving/experts/demands.ts';
import { type Conduct, conductOf, EMULATED_CAN } from '../../serving/experts/emulated/conduct.ts';
import { lastText, textMessages } from '../../serving/experts/text-prompt.ts';
import type { HttpRequest } from './connection.ts';

export interface EmulatedRequest {
  readonly endpoint: Endpoint;
  readonly model: string;
  readonly stream: boolean;
  readonly includeUsage: boolean;
  readonly maxTokens: number | undefined;
  /** vLLM's `ignore_eos`: the answer has exactly `max_tokens` tokens. */
  readonly exactLength: boolean;
  readonly stop: readonly string[];
  /** The text the answer refers to. */
  readonly prompt: string;
  /** Where it offers tools or wants JSON: what the answer is; null for words alone. */
  readonly conduct: Conduct | null;
  /** Words of the whole conversation; a token here is a word. */
  readonly promptTokens: number;
}

const DIALECTS = { chat: openAiChat, completions: openAiCompletions };

/**
 * @param expert also the model's name where the request has none
 * @throws {RouterError} for a body that a real server would refuse too
 */
export function readRequest(endpoint: Endpoint, http: HttpRequest, expert: string): EmulatedRequest {
  const ask = readAsk(DIALECTS[endpoint], http.body) as OpenAiAsk;
  refuseUnmet(ask, EMULATED_CAN);
  const { json } = ask;
  const { maxTokens, stop } = ask.parameters();
  const prompt = ask.prompt();
  const texts =
    prompt.kind === 'text' ? [prompt.text] : textMessages(prompt.messages).map((message) => message.content);
  return {
    endpoint,
    model: typeof json.model === 'string' ? json.model : expert,
    stream: ask.stream,
    includeUsage: ask.wantsUsage,
    maxTokens,
    exactLength: json.ignore_eos === true && maxTokens !== undefined,
    stop,
    prompt: lastText(ask),
    conduct: ask.tools().list.length > 0 || ask.format().type !== 'text' ? conductOf(expert, ask) : null,
    promptTokens: texts.reduce((sum, text) => sum + countWords(text), 0),
  };
}

/** Runs of characters that are not ASCII white space; no list is made, for prompts may be long. */
function countWords(text: string): number {
  let count = 0;
  let inside = false;
  for (let at = 0; at < text.length; at += 1) {
    const blank = text.charCodeAt(at) <= 32;
    if (!blank && !inside) count += 1;
    inside = !blank;
  }
  return count;
}

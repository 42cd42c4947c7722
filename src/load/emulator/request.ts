/** Parses a request to an emulated server: endpoint, prompt, length, whether streamed and with usage. */
import { RouterError } from '../../core/errors.ts';
import type { Endpoint } from '../../core/openai.ts';
import type { ExpertRequest } from '../../serving/experts/expert.ts';
import { lastText, readMessages, readPrompt } from '../../serving/experts/messages.ts';
import { readParameters } from '../../serving/experts/parameters.ts';
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
  /** Words of the whole conversation; a token here is a word. */
  readonly promptTokens: number;
}

/** @throws {RouterError} for a body that a real server would refuse too */
export function readRequest(endpoint: Endpoint, http: HttpRequest, fallbackModel: string): EmulatedRequest {
  const json = parse(http.body);
  const request = { endpoint, json, body: http.body, headers: {}, traceId: '' } as unknown as ExpertRequest;
  const { maxTokens, stop } = readParameters(request);
  const options = json.stream_options as { include_usage?: unknown } | null | undefined;
  const texts =
    request.endpoint === 'chat'
      ? readMessages(request.json.messages).map((message) => message.content)
      : [readPrompt(request.json.prompt)];
  return {
    endpoint,
    model: typeof json.model === 'string' ? json.model : fallbackModel,
    stream: json.stream === true,
    includeUsage: options?.include_usage === true,
    maxTokens,
    exactLength: json.ignore_eos === true && maxTokens !== undefined,
    stop,
    prompt: lastText(request),
    promptTokens: texts.reduce((sum, text) => sum + countWords(text), 0),
  };
}

function parse(body: Buffer): Record<string, unknown> {
  let json: unknown;
  try {
    json = JSON.parse(body.toString());
  } catch {
    throw new RouterError('invalid_json', 'The body is not valid JSON.');
  }
  if (typeof json === 'object' && json !== null && !Array.isArray(json))
    return json as Record<string, unknown>;
  throw new RouterError('invalid_body', 'The body must be a JSON object.');
}

/** Counts runs of characters that are not ASCII white space, without a list, because prompts may be long. */
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

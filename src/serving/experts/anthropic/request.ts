/**
 * A request of OpenAI's → the body of a Messages request. What would change the meaning of the answer and has no
 * counterpart is refused; what only leans the choice of words (seed, penalties) is dropped. docs/engines.md has the table.
 */
import type { ExpertRequest } from '../expert.ts';
import { readPrompt } from '../messages.ts';
import { readNumber, readStops, refusePartial } from '../parameters.ts';
import { readTools, type ToolFields } from './tools.ts';
import { invalid, isObject, readConversation, type Turn, unsupported } from './turns.ts';

export interface MessagesBody extends ToolFields {
  readonly model: string;
  readonly max_tokens: number;
  readonly messages: readonly Turn[];
  readonly system?: string;
  readonly stop_sequences?: readonly string[];
  readonly temperature?: number;
  readonly top_p?: number;
  readonly top_k?: number;
  readonly output_config?: { readonly format: { readonly type: 'json_schema'; readonly schema: object } };
  /** Always: one way of reading answers serves both kinds of client. */
  readonly stream: true;
}

export interface MessagesSettings {
  readonly model: string;
  /** Longest answer where the request names no limit, in tokens. */
  readonly maxTokens: number;
  readonly sampling: 'drop' | 'send';
}

export interface MessagesRequest {
  readonly body: MessagesBody;
  /** Stop sequences of white space alone, which the API refuses; the answer is to be cut here. */
  readonly blankStops: readonly string[];
}

type Json = Readonly<Record<string, unknown>>;

/** @throws RouterError 400 for what is wrong or cannot be honoured, naming the field */
export function messagesRequest(request: ExpertRequest, settings: MessagesSettings): MessagesRequest {
  refusePartial(request);
  const json: Json = request.json;
  refuseUnsupported(json);
  const chat = request.endpoint === 'chat';
  const messages = chat ? json.messages : [{ role: 'user', content: readPrompt(json.prompt) }];
  const { system, turns } = readConversation(messages);
  const stops = readStops(json.stop);
  const sequences = stops.filter((stop) => stop.trim() !== '');
  const body = {
    model: settings.model,
    max_tokens: maxTokens(json, chat) ?? settings.maxTokens,
    ...(system === undefined ? {} : { system }),
    messages: turns,
    ...(sequences.length > 0 ? { stop_sequences: sequences } : {}),
    ...sampling(json, settings.sampling === 'send'),
    ...(chat ? { ...readTools(json), ...outputFormat(json.response_format) } : {}),
    stream: true as const,
  };
  return { body, blankStops: stops.filter((stop) => stop.trim() === '') };
}

function maxTokens(json: Json, chat: boolean): number | undefined {
  const field = chat && json.max_completion_tokens != null ? 'max_completion_tokens' : 'max_tokens';
  return readNumber(json, field, 1, Number.MAX_SAFE_INTEGER, true);
}

/** OpenAI's temperature goes to 2 and the API's to 1; above that it is as random as it gets. Checked even if dropped. */
function sampling(json: Json, send: boolean): Pick<MessagesBody, 'temperature' | 'top_p' | 'top_k'> {
  const temperature = readNumber(json, 'temperature', 0, 2);
  const top_p = readNumber(json, 'top_p', 0, 1);
  const top_k = readNumber(json, 'top_k', -1, 1_000_000, true);
  if (!send) return {};
  return {
    ...(temperature === undefined ? {} : { temperature: Math.min(temperature, 1) }),
    ...(top_p === undefined ? {} : { top_p }),
    ...(top_k === undefined || top_k < 1 ? {} : { top_k }),
  };
}

function outputFormat(value: unknown): Pick<MessagesBody, 'output_config'> {
  if (value == null) return {};
  const { type, json_schema } = (isObject(value) ? value : {}) as Json;
  if (type === 'text') return {};
  if (type !== 'json_schema')
    throw unsupported('response_format', 'this expert answers in free text or by a json_schema');
  const schema = isObject(json_schema) ? json_schema.schema : undefined;
  if (!isObject(schema)) throw invalid('response_format.json_schema.schema', 'must be an object');
  return { output_config: { format: { type: 'json_schema', schema } } };
}

function refuseUnsupported(json: Json): void {
  const bias = json.logit_bias;
  const refused: readonly [param: string, hit: boolean, why: string][] = [
    ['n', aboveOne(json.n), 'this expert gives one answer a request'],
    ['best_of', aboveOne(json.best_of), 'this expert gives one answer a request'],
    ['logprobs', json.logprobs != null && json.logprobs !== false, 'token probabilities are not offered'],
    ['logit_bias', isObject(bias) && Object.keys(bias).length > 0, 'token biases are not offered'],
    ['echo', json.echo === true, 'echoing the prompt is not offered'],
    ['suffix', typeof json.suffix === 'string' && json.suffix !== '', 'insertion is not offered'],
    ['audio', json.audio != null, 'this expert answers in text'],
  ];
  for (const [param, hit, why] of refused) if (hit) throw unsupported(param, why);
}

function aboveOne(value: unknown): boolean {
  return value != null && value !== 1;
}

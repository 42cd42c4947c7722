/**
 * From the bytes of a body to a request the router can read. It checks only what routing needs; whatever else
 * a body holds is the expert's to judge.
 */
import { LIMITS } from '../../core/bounds.ts';
import { RouterError } from '../../core/errors.ts';
import { excerpt } from '../../core/excerpt.ts';
import type { MemberPlace } from '../../core/json-measure.ts';
import type { ChatBody, CompletionBody, Endpoint, MessageContent } from '../../core/openai.ts';
import { budgetOf, type RoutableText, routableTurns } from '../../deciding/text/routable.ts';
import { sampleText } from '../../deciding/text/sampling.ts';

export type ParsedRequest = {
  /** What the client asked for: `auto`, or an expert's id. */
  readonly model: string;
  readonly stream: boolean;
  readonly body: Buffer;
  /** What is classified, oldest turn first; at least one. */
  readonly turns: readonly RoutableText[];
  /** Equal for the turns of one conversation; null where there is none. */
  readonly affinityKey: string | null;
  /** The body with whole surrogate pairs only, every byte in its place, where that is known. */
  readonly withoutHalves?: Buffer;
  /** Where the body's top-level members stand, where that is known. */
  readonly members?: readonly MemberPlace[];
  /** `json` has only limits and flags: the body has too many values to keep them all. */
  readonly partial: boolean;
} & (
  | { readonly endpoint: Extract<Endpoint, 'chat'>; readonly json: ChatBody }
  | { readonly endpoint: Extract<Endpoint, 'completions'>; readonly json: CompletionBody }
);

/** The model name that asks the router to choose; also what an absent name means. */
export const AUTO = 'auto';

/**
 * Parses the body once.
 * @param endpoint null where the body's fields tell it
 * @throws RouterError `invalid_json` or `invalid_body`, naming the field at fault
 */
export function parseRequest(endpoint: Endpoint | null, body: Buffer): ParsedRequest {
  const json = parseObject(body);
  const common = {
    model: optional(json, 'model', 'string') || AUTO,
    stream: optional(json, 'stream', 'boolean') ?? false,
    body,
    partial: false,
  };
  if ((endpoint ?? endpointOf(json)) === 'chat') {
    const chat = chatBody(json);
    const turns = sampled(routableTurns('chat', chat));
    return { ...common, endpoint: 'chat', json: chat, turns, affinityKey: conversationKey(chat) };
  }
  const completion = completionBody(json);
  const turns = sampled(routableTurns('completions', completion));
  return { ...common, endpoint: 'completions', json: completion, turns, affinityKey: null };
}

/** The request without the values that only an expert reads. */
export function withoutValues(request: ParsedRequest): ParsedRequest {
  const { max_tokens, max_completion_tokens } = request.json;
  const limits = {
    ...(typeof max_tokens === 'number' ? { max_tokens } : {}),
    ...(typeof max_completion_tokens === 'number' ? { max_completion_tokens } : {}),
  };
  if (request.endpoint === 'chat') return { ...request, partial: true, json: { ...limits, messages: [] } };
  return { ...request, partial: true, json: { ...limits, prompt: '' } };
}

/** The endpoint a body of `/v1/route` stands for. */
function endpointOf(json: Json): Endpoint {
  return json.messages === undefined && json.prompt !== undefined ? 'completions' : 'chat';
}

function sampled(turns: readonly RoutableText[]): readonly RoutableText[] {
  return turns.map((turn) => ({
    ...turn,
    segments: turn.segments.map((segment) => ({
      ...segment,
      text: sampleText(segment.text, budgetOf(segment)),
    })),
  }));
}

/** How much of a conversation's beginning tells it apart from others. */
const KEY_CHARACTERS = 512;

/** The beginning of the first messages: it stays the same while a conversation grows, as its cached prefix does. */
function conversationKey({ messages }: ChatBody): string {
  let key = '';
  for (const { role, content } of messages.slice(0, 2)) {
    key += `${role.slice(0, LIMITS.roleUnits)}:${beginningOf(content)}\n`;
    if (role === 'user') break;
  }
  return key;
}

function beginningOf(content: MessageContent): string {
  if (typeof content === 'string') return content.slice(0, KEY_CHARACTERS);
  const text = content?.find((part) => typeof part.text === 'string')?.text;
  return typeof text === 'string' ? text.slice(0, KEY_CHARACTERS) : '';
}

type Json = Readonly<Record<string, unknown>>;

function parseObject(body: Buffer): Json {
  if (body.length === 0)
    throw new RouterError('invalid_json', 'The request body is empty; send a JSON object.');
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw new RouterError(
      'invalid_json',
      `The request body is not valid JSON: ${excerpt((error as Error).message)}`,
    );
  }
  if (!isObject(value)) throw new RouterError('invalid_body', 'The request body must be a JSON object.');
  return value;
}

function optional(json: Json, field: string, type: 'string'): string | undefined;
function optional(json: Json, field: string, type: 'boolean'): boolean | undefined;
function optional(json: Json, field: string, type: string): unknown {
  const value = json[field] ?? undefined;
  if (value === undefined || typeof value === type) return value;
  throw invalid(field, `'${field}' must be a ${type}`);
}

function chatBody(json: Json): ChatBody {
  const { messages } = json;
  if (messages === undefined) throw invalid('messages', "'messages' is missing: a list of chat messages");
  if (!Array.isArray(messages)) throw invalid('messages', "'messages' must be a list");
  if (messages.length === 0) throw invalid('messages', "'messages' is empty; send at least one message");
  messages.forEach((message: unknown, index) => {
    const at = `messages[${index}]`;
    if (!isObject(message)) throw invalid(at, `'${at}' must be an object`);
    if (typeof message.role !== 'string') throw invalid(`${at}.role`, `'${at}.role' must be a string`);
    checkContent(message.content, `${at}.content`);
  });
  return json as unknown as ChatBody;
}

function checkContent(content: unknown, at: string): void {
  if (content === undefined || content === null || typeof content === 'string') return;
  if (!Array.isArray(content)) throw invalid(at, `'${at}' must be a string or a list of parts`);
  content.forEach((part: unknown, index) => {
    const where = `${at}[${index}]`;
    if (!isObject(part) || typeof part.type !== 'string')
      throw invalid(where, `'${where}' must be an object with a 'type'`);
    if (part.type === 'text' && typeof part.text !== 'string')
      throw invalid(`${where}.text`, `'${where}.text' must be a string`);
  });
}

function completionBody(json: Json): CompletionBody {
  const { prompt } = json;
  const isText = typeof prompt === 'string';
  const isTexts =
    Array.isArray(prompt) && prompt.length > 0 && prompt.every((one) => typeof one === 'string');
  if (isText || isTexts) return json as unknown as CompletionBody;
  const missing = prompt === undefined || prompt === null;
  throw invalid(
    'prompt',
    missing ? "'prompt' is missing: a text to complete" : "'prompt' must be a text, or a list of texts",
  );
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(param: string, message: string): RouterError {
  return new RouterError('invalid_body', `${message}.`, { param });
}

/** Tokens an answer is expected to have where nobody says less. */
const EXPECTED_OUTPUT = 256;

/** Expected length of the answer, in tokens. */
export function expectedOutput({ json }: ParsedRequest): number {
  const limit = json.max_completion_tokens ?? json.max_tokens;
  return typeof limit === 'number' && limit > 0 ? Math.min(limit, EXPECTED_OUTPUT) : EXPECTED_OUTPUT;
}

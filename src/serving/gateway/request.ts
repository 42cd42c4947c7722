/**
 * From the bytes of a body to a request the router can read. It checks only what routing needs; whatever else
 * a body holds is the expert's to judge.
 */
import { RouterError } from '../../core/errors.ts';
import type { ChatBody, CompletionBody, Endpoint } from '../../core/openai.ts';

export type ParsedRequest = {
  /** What the client asked for: `auto`, or an expert's id. */
  readonly model: string;
  readonly stream: boolean;
  readonly body: Buffer;
} & (
  | { readonly endpoint: Extract<Endpoint, 'chat'>; readonly json: ChatBody }
  | { readonly endpoint: Extract<Endpoint, 'completions'>; readonly json: CompletionBody }
);

/** The model name that asks the router to choose; also what an absent name means. */
export const AUTO = 'auto';

/** @throws RouterError `invalid_json` or `invalid_body`, naming the field at fault. */
export function parseRequest(endpoint: Endpoint, body: Buffer): ParsedRequest {
  const json = parseObject(body);
  const model = optional(json, 'model', 'string') || AUTO;
  const stream = optional(json, 'stream', 'boolean') ?? false;
  if (endpoint === 'chat') return { endpoint, model, stream, body, json: chatBody(json) };
  return { endpoint, model, stream, body, json: completionBody(json) };
}

/** The endpoint a body of `/v1/route` stands for, told by its fields. */
export function endpointOf(body: Buffer): Endpoint {
  const json = parseObject(body);
  return json.messages === undefined && json.prompt !== undefined ? 'completions' : 'chat';
}

type Json = Readonly<Record<string, unknown>>;

function parseObject(body: Buffer): Json {
  if (body.length === 0)
    throw new RouterError('invalid_json', 'The request body is empty; send a JSON object.');
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw new RouterError('invalid_json', `The request body is not valid JSON: ${(error as Error).message}`);
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

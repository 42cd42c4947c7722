/**
 * OpenAI's messages → the system prompt and turns of the Messages API. Neighbours of one role become one turn, tool
 * results come as the user's, and what has no counterpart is refused, never dropped.
 */
import { RouterError } from '../../../core/errors.ts';
import { excerpt } from '../../../core/excerpt.ts';
import { wellFormed } from '../../../core/well-formed.ts';

export interface TextBlock {
  readonly type: 'text';
  readonly text: string;
}

interface ImageBlock {
  readonly type: 'image';
  readonly source:
    | { readonly type: 'base64'; readonly media_type: string; readonly data: string }
    | { readonly type: 'url'; readonly url: string };
}

interface ToolUseBlock {
  readonly type: 'tool_use';
  readonly id: string;
  readonly name: string;
  readonly input: object;
}

interface ToolResultBlock {
  readonly type: 'tool_result';
  readonly tool_use_id: string;
  readonly content?: readonly Block[];
}

export type Block = TextBlock | ImageBlock | ToolUseBlock | ToolResultBlock;

export interface Turn {
  readonly role: 'user' | 'assistant';
  readonly content: readonly Block[];
}

export interface Conversation {
  /** Undefined where no message gives one. */
  readonly system: string | undefined;
  readonly turns: readonly Turn[];
}

type Message = Readonly<Record<string, unknown>>;

const MEDIA_TYPES: readonly string[] = ['image/jpeg', 'image/png', 'image/gif', 'image/webp'];

/** @throws RouterError 400 naming the message at fault */
export function readConversation(messages: unknown): Conversation {
  if (!Array.isArray(messages)) throw invalid('messages', 'must be a list with at least one message');
  const system: string[] = [];
  const turns: { role: Turn['role']; content: Block[] }[] = [];
  messages.forEach((message: unknown, index) => {
    const at = `messages[${index}]`;
    const { role, blocks } = readMessage(message, at);
    if (role === 'system') system.push(...blocks.map((block) => (block as TextBlock).text));
    else if (turns.at(-1)?.role === role) turns.at(-1)!.content.push(...blocks);
    else if (blocks.length > 0) turns.push({ role, content: [...blocks] });
  });
  if (turns.length === 0)
    throw invalid(
      'messages',
      'must hold at least one user message that is not blank: this API takes no other',
    );
  return { system: system.length > 0 ? system.join('\n\n') : undefined, turns };
}

function readMessage(
  value: unknown,
  at: string,
): { readonly role: 'system' | Turn['role']; readonly blocks: readonly Block[] } {
  const message = isObject(value) ? value : {};
  switch (message.role) {
    case 'system':
    case 'developer':
      return { role: 'system', blocks: readContent(message.content, `${at}.content`, false) };
    case 'user':
      return { role: 'user', blocks: readContent(message.content, `${at}.content`, true) };
    case 'assistant':
      return { role: 'assistant', blocks: assistantBlocks(message, at) };
    case 'tool':
      return { role: 'user', blocks: [toolResult(message, at)] };
    default:
      throw invalid(`${at}.role`, 'must be system, developer, user, assistant or tool');
  }
}

function assistantBlocks(message: Message, at: string): readonly Block[] {
  if (message.function_call) throw unsupported(`${at}.function_call`, 'give tool_calls instead');
  const calls = message.tool_calls ?? [];
  if (!Array.isArray(calls)) throw invalid(`${at}.tool_calls`, 'must be a list');
  return [
    ...readContent(message.content ?? message.refusal, `${at}.content`, false),
    ...calls.map((call: unknown, index) => toolUse(call, `${at}.tool_calls[${index}]`)),
  ];
}

function toolUse(call: unknown, at: string): ToolUseBlock {
  const { id, function: called } = (isObject(call) ? call : {}) as Message;
  if (typeof id !== 'string' || !isObject(called) || typeof called.name !== 'string')
    throw invalid(at, 'must be a call of a function, with id, name and arguments');
  return { type: 'tool_use', id: callId(id), name: called.name, input: readArguments(called.arguments, at) };
}

function readArguments(json: unknown, at: string): object {
  if (json === undefined || json === '') return {};
  try {
    const input: unknown = JSON.parse(json as string);
    if (isObject(input)) return input;
  } catch {
    // told below, with the place
  }
  throw invalid(`${at}.function.arguments`, 'must be a JSON object as text: this API takes no other');
}

function toolResult(message: Message, at: string): ToolResultBlock {
  if (typeof message.tool_call_id !== 'string') throw invalid(`${at}.tool_call_id`, 'must be a text');
  const content = readContent(message.content, `${at}.content`, true);
  const id = callId(message.tool_call_id);
  return { type: 'tool_result', tool_use_id: id, ...(content.length > 0 ? { content } : {}) };
}

/** A conversation may hold calls another expert made, under ids that this API does not take. */
function callId(id: string): string {
  return id.replace(/[^a-zA-Z0-9_-]/g, '_');
}

/** The blocks of a message's content; blank text, which the API refuses, makes none. */
function readContent(content: unknown, at: string, images: boolean): readonly Block[] {
  if (content === null || content === undefined) return [];
  if (typeof content === 'string') return textBlocks(content);
  if (!Array.isArray(content)) throw invalid(at, 'must be a text or a list of parts');
  return content.flatMap((part: unknown, index) => readPart(part, `${at}[${index}]`, images));
}

function readPart(value: unknown, at: string, images: boolean): readonly Block[] {
  const part = isObject(value) ? value : {};
  if (part.type === 'text' && typeof part.text === 'string') return textBlocks(part.text);
  if (part.type === 'refusal' && typeof part.refusal === 'string') return textBlocks(part.refusal);
  if (part.type === 'image_url' && images) return [image(part.image_url, at)];
  if (typeof part.type !== 'string' || part.type === 'text')
    throw invalid(at, 'must be an object with a type and, for text, a text');
  throw unsupported(
    at,
    `it is of type ${excerpt(part.type)}; this expert reads text${images ? ' and images' : ' here'}`,
  );
}

function textBlocks(text: string): readonly TextBlock[] {
  return text.trim() === '' ? [] : [{ type: 'text', text: wellFormed(text) }];
}

/** A `data:` address becomes bytes in the request; any other is fetched by the API. */
function image(value: unknown, at: string): ImageBlock {
  const url = isObject(value) ? value.url : undefined;
  if (typeof url !== 'string') throw invalid(`${at}.image_url.url`, 'must be an address');
  if (/^https?:\/\//i.test(url)) return { type: 'image', source: { type: 'url', url } };
  const [, type, data] = /^data:([a-z]+\/[a-z0-9.+-]+);base64,([a-z0-9+/=_-]+)$/i.exec(url) ?? [];
  if (type === undefined || data === undefined)
    throw invalid(`${at}.image_url.url`, 'must be an http(s) address, or data:<type>;base64,<data>');
  const media_type = type.toLowerCase();
  if (!MEDIA_TYPES.includes(media_type))
    throw unsupported(`${at}.image_url.url`, `${excerpt(type)} is not among ${MEDIA_TYPES.join(', ')}`);
  return { type: 'image', source: { type: 'base64', media_type, data } };
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function invalid(param: string, what: string): RouterError {
  return new RouterError('invalid_body', `'${param}' ${what}.`, { param });
}

export function unsupported(param: string, why: string): RouterError {
  return new RouterError('unsupported_parameter', `'${param}' cannot be honoured: ${why}.`, { param });
}

/**
 * A conversation → the system prompt and turns of the Messages API. Adjacent messages of one role become one turn, tool
 * results become the user's, and parts without a counterpart are refused.
 */
import { excerpt } from '../../../core/excerpt.ts';
import type {
  FilePart,
  ImagePart,
  Message,
  Part,
  Prompt,
  ToolCallPart,
  ToolResultPart,
} from '../../dialects/ask.ts';
import { invalid, isObject, unsupported } from '../../dialects/json.ts';

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
  readonly is_error?: true;
}

interface DocumentBlock {
  readonly type: 'document';
  readonly source:
    | { readonly type: 'base64'; readonly media_type: string; readonly data: string }
    | { readonly type: 'url'; readonly url: string };
  readonly title?: string;
}

export type Block = TextBlock | ImageBlock | DocumentBlock | ToolUseBlock | ToolResultBlock;

export interface Turn {
  readonly role: 'user' | 'assistant';
  readonly content: readonly Block[];
}

export interface Conversation {
  /** Undefined where no message gives one. */
  readonly system: string | undefined;
  readonly turns: readonly Turn[];
}

const ROLES: Readonly<Record<string, 'system' | Turn['role']>> = {
  system: 'system',
  user: 'user',
  tool: 'user',
  assistant: 'assistant',
};
const MEDIA_TYPES: readonly string[] = ['image/jpeg', 'image/png', 'image/gif', 'image/webp'];

/** @throws RouterError 400 naming the invalid field */
export function conversationOf(prompt: Prompt): Conversation {
  const messages =
    prompt.kind === 'conversation'
      ? prompt.messages
      : [{ role: 'user', at: prompt.at, parts: [{ type: 'text' as const, text: prompt.text }] }];
  const system: string[] = [];
  const turns: { role: Turn['role']; content: Block[] }[] = [];
  for (const message of messages) {
    const role = ROLES[message.role];
    if (!role) throw invalid(`${message.at}.role`, 'must be system, developer, user, assistant or tool');
    const blocks = blocksOf(message, role === 'user');
    if (role === 'system') system.push(...blocks.map((block) => (block as TextBlock).text));
    else if (turns.at(-1)?.role === role) turns.at(-1)!.content.push(...blocks);
    else if (blocks.length > 0) turns.push({ role, content: [...blocks] });
  }
  if (turns.length === 0)
    throw invalid(
      prompt.at,
      'must hold at least one user message that is not blank: this API takes no other',
    );
  return { system: system.length > 0 ? system.join('\n\n') : undefined, turns };
}

function blocksOf({ parts }: Pick<Message, 'parts'>, images: boolean): readonly Block[] {
  return parts.flatMap((part) => blockOf(part, images));
}

/** Blank text is left out because the API refuses it, and thinking because only its own model may be sent it. */
function blockOf(part: Part, images: boolean): readonly Block[] {
  switch (part.type) {
    case 'text':
      return part.text.trim() === '' ? [] : [{ type: 'text', text: part.text }];
    case 'image':
      if (!images) throw unsupported(part.at, 'it is an image; this expert reads text here');
      return [image(part)];
    case 'tool call':
      return [toolUse(part)];
    case 'tool result':
      return [toolResult(part)];
    case 'thinking':
      return [];
    case 'file':
      if (!images) throw unsupported(part.at, 'it is a file; this expert reads text here');
      return [document(part)];
    case 'other':
      throw unsupported(
        part.at,
        `it is of type ${excerpt(part.name)}; this expert reads text${images ? ' and images' : ' here'}`,
      );
  }
}

function toolUse({ id, name, arguments: json, at, argumentsAt }: ToolCallPart): ToolUseBlock {
  if (id === null || name === null)
    throw invalid(at, 'must be a call of a function, with id, name and arguments');
  return { type: 'tool_use', id: callId(id), name, input: readArguments(json, argumentsAt) };
}

function readArguments(json: string | null, at: string): object {
  if (json === '') return {};
  try {
    const input: unknown = JSON.parse(json!);
    if (isObject(input)) return input;
  } catch {
    // refused below, with its field
  }
  throw invalid(at, 'must be a JSON object as text: this API takes no other');
}

function toolResult({ id, parts, failed, at }: ToolResultPart): ToolResultBlock {
  if (id === null) throw invalid(at, 'must be a text');
  const content = blocksOf({ parts }, true);
  return {
    type: 'tool_result',
    tool_use_id: callId(id),
    ...(content.length > 0 ? { content } : {}),
    ...(failed ? { is_error: true } : {}),
  };
}

/** Calls that another expert made may have ids that this API rejects. */
function callId(id: string): string {
  return id.replace(/[^a-zA-Z0-9_-]/g, '_');
}

function document({ data, url, name, at }: FilePart): DocumentBlock {
  const title = name === null ? {} : { title: name };
  if (url !== null) return { type: 'document', source: { type: 'url', url }, ...title };
  const [, media_type, bytes] =
    /^data:([a-z]+\/[a-z0-9.+-]+);base64,([a-z0-9+/=_-]+)$/i.exec(data ?? '') ?? [];
  if (media_type === undefined || bytes === undefined)
    throw unsupported(at, 'this expert takes files as data:<type>;base64,<data> or by their address');
  return { type: 'document', source: { type: 'base64', media_type, data: bytes }, ...title };
}

/** A `data:` URL becomes bytes in the request; the API fetches any other. */
function image({ url, urlAt }: ImagePart): ImageBlock {
  if (url === null) throw invalid(urlAt, 'must be an address');
  if (/^https?:\/\//i.test(url)) return { type: 'image', source: { type: 'url', url } };
  const [, type, data] = /^data:([a-z]+\/[a-z0-9.+-]+);base64,([a-z0-9+/=_-]+)$/i.exec(url) ?? [];
  if (type === undefined || data === undefined)
    throw invalid(urlAt, 'must be an http(s) address, or data:<type>;base64,<data>');
  const media_type = type.toLowerCase();
  if (!MEDIA_TYPES.includes(media_type))
    throw unsupported(urlAt, `${excerpt(type)} is not among ${MEDIA_TYPES.join(', ')}`);
  return { type: 'image', source: { type: 'base64', media_type, data } };
}

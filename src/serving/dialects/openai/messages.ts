/** OpenAI's messages → a neutral conversation. What only some experts can read is marked, not refused. */
import { wellFormed } from '../../../core/well-formed.ts';
import type { Message, Part, ToolCallPart } from '../ask.ts';
import { customArguments } from '../custom-tools.ts';
import type { Json } from '../dialect.ts';
import { invalid, isObject } from '../json.ts';

/** @throws RouterError `invalid_body` */
export function readMessages(messages: unknown): readonly Message[] {
  if (!Array.isArray(messages) || messages.length === 0)
    throw invalid('messages', 'must be a list with at least one message');
  const older = new OlderCalls();
  return messages.map((message: unknown, index) =>
    readMessage(isObject(message) ? message : {}, `messages[${index}]`, older),
  );
}

function readMessage(message: Json, at: string, older: OlderCalls): Message {
  const { role } = message;
  if (typeof role !== 'string' || role === '') throw invalid(`${at}.role`, 'must be a text');
  if (role === 'function') return { role: 'tool', parts: [olderResult(message, at, older)], at };
  return { role: role === 'developer' ? 'system' : role, parts: partsOf(message, at, older), at };
}

function partsOf(message: Json, at: string, older: OlderCalls): readonly Part[] {
  const content = readContent(message.content ?? message.refusal, `${at}.content`);
  // What was spoken is known by its id to the server that spoke it.
  if (message.role === 'assistant' && content.length === 0 && isObject(message.audio))
    return [{ type: 'other', name: 'audio by its id', at: `${at}.audio` }];
  if (message.role === 'assistant') return [...content, ...toolCalls(message, at, older)];
  if (message.role !== 'tool') return content;
  const id = message.tool_call_id;
  return [
    { type: 'tool result', id: typeof id === 'string' ? id : null, parts: content, at: `${at}.tool_call_id` },
  ];
}

/** Calls of the older form, which have no ids: they are given some, by their order. */
class OlderCalls {
  #made = 0;
  #last: string | null = null;

  call(): string {
    this.#made += 1;
    this.#last = `call_older_${this.#made}`;
    return this.#last;
  }

  /** Null for a result of no call. */
  result(): string | null {
    const id = this.#last;
    this.#last = null;
    return id;
  }
}

function olderResult(message: Json, at: string, older: OlderCalls): Part {
  const id = older.result();
  if (id === null) throw invalid(at, 'must follow the function_call that it answers');
  return { type: 'tool result', id, parts: readContent(message.content, `${at}.content`), at };
}

function toolCalls(message: Json, at: string, older: OlderCalls): readonly ToolCallPart[] {
  const calls = message.tool_calls ?? [];
  if (!Array.isArray(calls)) throw invalid(`${at}.tool_calls`, 'must be a list');
  const read = calls.map((call: unknown, index) => toolCall(call, `${at}.tool_calls[${index}]`));
  const { function_call: single } = message;
  if (!isObject(single)) return read;
  const here = `${at}.function_call`;
  return [...read, { ...functionCall(single, older.call(), here), argumentsAt: `${here}.arguments` }];
}

function toolCall(call: unknown, at: string): ToolCallPart {
  const { id, type, function: called, custom } = (isObject(call) ? call : {}) as Json;
  if (type !== 'custom') return functionCall(isObject(called) ? called : {}, stringOrNull(id), at);
  const { name, input } = (isObject(custom) ? custom : {}) as Json;
  const json = customArguments(stringOrNull(input) ?? '');
  return {
    ...{ type: 'tool call', id: stringOrNull(id), name: stringOrNull(name), arguments: json, at },
    argumentsAt: `${at}.custom.input`,
  };
}

function functionCall({ name, arguments: json = '' }: Json, id: string | null, at: string): ToolCallPart {
  return {
    type: 'tool call',
    id,
    name: stringOrNull(name),
    arguments: stringOrNull(json),
    at,
    argumentsAt: `${at}.function.arguments`,
  };
}

function readContent(content: unknown, at: string): readonly Part[] {
  if (content === null || content === undefined) return [];
  if (typeof content === 'string') return [{ type: 'text', text: wellFormed(content) }];
  if (!Array.isArray(content)) throw invalid(at, 'must be a text or a list of parts');
  return content.map((part: unknown, index) => readPart(part, `${at}[${index}]`));
}

function readPart(value: unknown, at: string): Part {
  const part = isObject(value) ? value : {};
  if (part.type === 'text' && typeof part.text === 'string')
    return { type: 'text', text: wellFormed(part.text) };
  if (part.type === 'refusal' && typeof part.refusal === 'string')
    return { type: 'text', text: wellFormed(part.refusal) };
  if (part.type === 'image_url') {
    const { url, detail } = (isObject(part.image_url) ? part.image_url : {}) as Json;
    const closely = typeof detail === 'string' ? { detail } : {};
    return { type: 'image', url: stringOrNull(url), at, urlAt: `${at}.image_url.url`, ...closely };
  }
  if (part.type === 'file' && isObject(part.file)) {
    const { filename, file_data, file_id } = part.file;
    const [name, data, id] = [filename, file_data, file_id].map(stringOrNull) as [string, string, string];
    return { type: 'file', name, data, url: null, id, at };
  }
  if (typeof part.type !== 'string' || part.type === 'text')
    throw invalid(at, 'must be an object with a type and, for text, a text');
  return { type: 'other', name: part.type, at };
}

function stringOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

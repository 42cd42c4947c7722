/**
 * Input items → a neutral conversation. An assistant's text and the calls that follow it are one message, and so are the
 * outputs of those calls. What OpenAI's servers did by themselves in earlier turns is left out.
 */
import { wellFormed } from '../../../core/well-formed.ts';
import type { Message, Part } from '../ask.ts';
import { customArguments } from '../custom-tools.ts';
import type { Json } from '../dialect.ts';
import { invalid, isObject, textOrNull } from '../json.ts';
import { flatName, MORE_TOOLS, type NamedTool, type ToolNames } from './tools.ts';

/** @throws RouterError `invalid_body` */
export function readItems(input: unknown, names: ToolNames): readonly Message[] {
  if (typeof input === 'string')
    return [{ role: 'user', at: 'input', parts: [{ type: 'text', text: wellFormed(input) }] }];
  if (!Array.isArray(input)) throw invalid('input', 'must be a text or a list of items');
  const messages: { role: string; at: string; parts: Part[] }[] = [];
  /** Whether the last item may be joined by another of its role. */
  let open = false;
  input.forEach((item: unknown, index) => {
    const at = `input[${index}]`;
    const { role, parts, joins } = readItem(item, at, names);
    if (parts === null) return;
    const last = messages.at(-1);
    if (joins && open && last?.role === role) last.parts.push(...parts);
    else messages.push({ role, at, parts: [...parts] });
    open = role === 'assistant' || role === 'tool';
  });
  return messages;
}

interface ReadItem {
  readonly role: string;
  /** Null for an item that is left out. */
  readonly parts: readonly Part[] | null;
  /** Whether it goes into the message before it, if that has its role. */
  readonly joins: boolean;
}

const LEFT_OUT: ReadItem = { role: '', parts: null, joins: false };

function readItem(value: unknown, at: string, names: ToolNames): ReadItem {
  if (!isObject(value)) throw invalid(at, 'must be an object');
  const { type, role } = value;
  if (type === 'message' || (type === undefined && role !== undefined)) {
    if (typeof role !== 'string' || role === '') throw invalid(`${at}.role`, 'must be a text');
    const parts = readContent(value.content, `${at}.content`);
    return { role: role === 'developer' ? 'system' : role, parts, joins: false };
  }
  switch (type) {
    case 'function_call':
    case 'custom_tool_call':
      return { role: 'assistant', parts: [call(value, at, names)], joins: true };
    case 'function_call_output':
    case 'custom_tool_call_output':
      return { role: 'tool', parts: [output(value, at)], joins: true };
    case 'reasoning':
      return { role: 'assistant', parts: [{ type: 'thinking', text: thinking(value) }], joins: true };
    case 'local_shell_call':
    case 'shell_call':
    case 'apply_patch_call':
      return { role: 'assistant', parts: [ownCall(value, at)], joins: true };
    case 'local_shell_call_output':
    case 'shell_call_output':
    case 'apply_patch_call_output':
      return { role: 'tool', parts: [output(value, at)], joins: true };
    default:
      if (typeof type !== 'string') throw invalid(`${at}.type`, 'must be a text');
      return isOfOpenAisServers(type) ? LEFT_OUT : { role: 'user', parts: [other(type, at)], joins: false };
  }
}

function isOfOpenAisServers(type: string): boolean {
  return (
    /^(web_search|file_search|code_interpreter|image_generation|computer|tool_search)_/.test(type) ||
    type.startsWith('mcp_') ||
    type === 'compaction' ||
    // Read with the tools.
    type === MORE_TOOLS
  );
}

function readContent(content: unknown, at: string): readonly Part[] {
  if (typeof content === 'string') return [{ type: 'text', text: wellFormed(content) }];
  if (content === undefined || content === null) return [];
  if (!Array.isArray(content)) throw invalid(at, 'must be a text or a list of parts');
  return content.map((part: unknown, index) => readPart(part, `${at}[${index}]`));
}

function readPart(value: unknown, at: string): Part {
  if (!isObject(value) || typeof value.type !== 'string') throw invalid(at, 'must be an object with a type');
  const { type } = value;
  switch (type) {
    case 'input_text':
    case 'output_text':
    case 'text':
      if (typeof value.text !== 'string') throw invalid(`${at}.text`, 'must be a text');
      return { type: 'text', text: wellFormed(value.text) };
    case 'refusal':
      return { type: 'text', text: wellFormed(textOrNull(value.refusal) ?? '') };
    case 'input_image': {
      const url = textOrNull(value.image_url);
      if (url === null && textOrNull(value.file_id) !== null) return other('input_image by file id', at);
      const detail = textOrNull(value.detail);
      return { type: 'image', url, at, urlAt: `${at}.image_url`, ...(detail === null ? {} : { detail }) };
    }
    case 'input_file':
      return {
        type: 'file',
        name: textOrNull(value.filename),
        data: textOrNull(value.file_data),
        url: textOrNull(value.file_url),
        id: textOrNull(value.file_id),
        at,
      };
    default:
      return other(type, at);
  }
}

function call(item: Json, at: string, names: ToolNames): Part {
  const custom = item.type === 'custom_tool_call';
  const name = textOrNull(item.name);
  const namespace = textOrNull(item.namespace);
  const tool: NamedTool = { type: custom ? 'custom' : 'function', name: name ?? '', namespace };
  const said = textOrNull(custom ? item.input : item.arguments) ?? '';
  return {
    type: 'tool call',
    id: textOrNull(item.call_id),
    name: name === null ? null : (names.of(tool) ?? flatName(name, namespace)),
    arguments: custom ? customArguments(said) : said,
    at,
    argumentsAt: custom ? `${at}.input` : `${at}.arguments`,
  };
}

/** A call of a tool that OpenAI's models know without being told: its name is that of the item. */
function ownCall(item: Json, at: string): Part {
  return {
    type: 'tool call',
    id: textOrNull(item.call_id),
    name: String(item.type).replace(/_call$/, ''),
    arguments: JSON.stringify(item.action ?? item.operation ?? {}),
    at,
    argumentsAt: `${at}.action`,
  };
}

function output(item: Json, at: string): Part {
  const { output: said, call_id: id } = item;
  // Of a shell: what each command wrote.
  const values = Array.isArray(said) && said.some((one) => isObject(one) && one.type === undefined);
  const plain = isObject(said) || values ? JSON.stringify(said) : said;
  return {
    type: 'tool result',
    id: textOrNull(id),
    parts: readContent(plain, `${at}.output`),
    failed: item.status === 'failed',
    at: `${at}.call_id`,
  };
}

function thinking({ content, summary }: Json): string {
  const texts = (list: unknown): string =>
    Array.isArray(list)
      ? list.map((part: unknown) => (isObject(part) ? (textOrNull(part.text) ?? '') : '')).join('')
      : '';
  return wellFormed(texts(content) || texts(summary));
}

function other(name: string, at: string): Part {
  return { type: 'other', name, at };
}

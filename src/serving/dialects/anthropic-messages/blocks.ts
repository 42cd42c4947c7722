/**
 * Anthropic's content blocks → neutral parts. What a server of Anthropic's did by itself in earlier turns (its searches,
 * its code) is left out: no other model can be told of it.
 */
import { wellFormed } from '../../../core/well-formed.ts';
import type { Part } from '../ask.ts';
import type { Json } from '../dialect.ts';
import { invalid, isObject, textOrNull } from '../json.ts';

/** @throws RouterError `invalid_body` */
export function readBlocks(content: unknown, at: string): readonly Part[] {
  if (content === null || content === undefined) return [];
  if (typeof content === 'string') return content === '' ? [] : [text(content)];
  if (!Array.isArray(content)) throw invalid(at, 'must be a text or a list of blocks');
  return content.flatMap((block: unknown, index) => readBlock(block, `${at}[${index}]`));
}

function readBlock(value: unknown, at: string): readonly Part[] {
  if (!isObject(value) || typeof value.type !== 'string') throw invalid(at, 'must be an object with a type');
  const { type } = value;
  switch (type) {
    case 'text':
      if (typeof value.text !== 'string') throw invalid(`${at}.text`, 'must be a text');
      return [text(value.text)];
    case 'image':
      return [image(value, at)];
    case 'document':
      return document(value, at);
    case 'search_result':
      return [titled(value), ...readBlocks(value.content, `${at}.content`)];
    case 'tool_use':
      return [
        {
          type: 'tool call',
          id: textOrNull(value.id),
          name: textOrNull(value.name),
          arguments: JSON.stringify(value.input ?? {}),
          at,
          argumentsAt: `${at}.input`,
        },
      ];
    case 'tool_result':
      return [
        {
          type: 'tool result',
          id: textOrNull(value.tool_use_id),
          parts: readBlocks(value.content, `${at}.content`),
          failed: value.is_error === true,
          at: `${at}.tool_use_id`,
        },
      ];
    case 'thinking':
      return [{ type: 'thinking', text: textOrNull(value.thinking) ?? '' }];
    case 'redacted_thinking':
      return [{ type: 'thinking', text: '' }];
    default:
      return isOfAnthropicsServers(type) ? [] : [{ type: 'other', name: type, at }];
  }
}

function text(value: string): Part {
  return { type: 'text', text: wellFormed(value) };
}

function image({ source }: Json, at: string): Part {
  const urlAt = `${at}.source`;
  const { type, media_type, data, url } = (isObject(source) ? source : {}) as Json;
  if (type === 'file') return { type: 'other', name: 'image by file id', at };
  const inline = typeof data === 'string' && typeof media_type === 'string';
  return {
    type: 'image',
    url: type === 'base64' && inline ? `data:${media_type};base64,${data}` : textOrNull(url),
    at,
    urlAt,
  };
}

/** A document of text, or of blocks, is what its words say; any other is a file. */
function document(block: Json, at: string): readonly Part[] {
  const { source } = block;
  const { type, media_type, data, url, file_id: id, content } = (isObject(source) ? source : {}) as Json;
  const name = textOrNull(block.title);
  if (type === 'text' && typeof data === 'string') return [...heading(block), text(data)];
  if (type === 'content') return [...heading(block), ...readBlocks(content, `${at}.source.content`)];
  const inline = type === 'base64' && typeof data === 'string' && typeof media_type === 'string';
  return [
    {
      type: 'file',
      name,
      data: inline ? `data:${media_type};base64,${data}` : null,
      url: textOrNull(url),
      id: textOrNull(id),
      at,
    },
  ];
}

function heading(block: Json): readonly Part[] {
  return textOrNull(block.title) === null && textOrNull(block.context) === null ? [] : [titled(block)];
}

function titled({ title, source, context }: Json): Part {
  const said = [title, typeof source === 'string' ? source : null, context];
  return text(`${said.filter((one) => textOrNull(one) !== null).join('\n')}\n`);
}

function isOfAnthropicsServers(type: string): boolean {
  return (
    type === 'server_tool_use' ||
    type === 'mcp_tool_use' ||
    type === 'container_upload' ||
    type === 'compaction' ||
    (type.endsWith('_tool_result') && type !== 'tool_result')
  );
}

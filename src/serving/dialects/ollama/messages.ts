/** Ollama's messages → a neutral conversation. Calls of tools need no ids there: they are given some, by their order. */
import { wellFormed } from '../../../core/well-formed.ts';
import type { Message, Part, ToolCallPart } from '../ask.ts';
import type { Json } from '../dialect.ts';
import { invalid, isObject, textOrNull } from '../json.ts';
import { imagesIn } from './images.ts';

interface Open {
  readonly id: string;
  readonly name: string;
}

/** @throws RouterError `invalid_body` */
export function readMessages(messages: unknown): readonly Message[] {
  if (!Array.isArray(messages)) throw invalid('messages', 'must be a list');
  /** Calls without a result yet. */
  let open: Open[] = [];
  return messages.map((value: unknown, index): Message => {
    const at = `messages[${index}]`;
    const message = isObject(value) ? value : {};
    const role = textOrNull(message.role);
    if (role === null) throw invalid(`${at}.role`, 'must be a text');
    const said = saidIn(message, at);
    if (role === 'tool') {
      const { id, left } = answered(message, open, index);
      open = left;
      return { role, at, parts: [{ type: 'tool result', id, parts: said, at: `${at}.tool_call_id` }] };
    }
    const calls = callsIn(message, index, at);
    if (role === 'assistant') open = calls.map(({ id, name }) => ({ id: id!, name: name! }));
    const thought = textOrNull(message.thinking);
    const thinking: readonly Part[] =
      thought === null ? [] : [{ type: 'thinking', text: wellFormed(thought) }];
    return { role, at, parts: [...thinking, ...said, ...calls] };
  });
}

function saidIn({ content, images }: Json, at: string): readonly Part[] {
  if (content !== undefined && content !== null && typeof content !== 'string')
    throw invalid(`${at}.content`, 'must be a string');
  const text: readonly Part[] = content ? [{ type: 'text', text: wellFormed(content) }] : [];
  return [...text, ...imagesIn(images, `${at}.images`)];
}

function callsIn({ tool_calls: calls = [] }: Json, index: number, at: string): readonly ToolCallPart[] {
  if (calls !== null && !Array.isArray(calls)) throw invalid(`${at}.tool_calls`, 'must be a list');
  return (calls ?? []).map((call: unknown, n: number) => {
    const here = `${at}.tool_calls[${n}]`;
    const { id, function: called } = (isObject(call) ? call : {}) as Json;
    const { name, arguments: input = {} } = (isObject(called) ? called : {}) as Json;
    if (typeof name !== 'string' || name === '') throw invalid(`${here}.function.name`, 'must be a text');
    // Some clients write them as OpenAI does.
    if (!isObject(input) && typeof input !== 'string')
      throw invalid(`${here}.function.arguments`, 'must be an object');
    return {
      type: 'tool call',
      id: textOrNull(id) ?? `call_${index}_${n}`,
      name,
      arguments: typeof input === 'string' ? input : JSON.stringify(input),
      at: here,
      argumentsAt: `${here}.function.arguments`,
    };
  });
}

/** The call that a result belongs to: by its id, else the first open one of its name, else the first open one. */
function answered(message: Json, open: readonly Open[], index: number): { id: string; left: Open[] } {
  const told = textOrNull(message.tool_call_id);
  const name = textOrNull(message.tool_name) ?? textOrNull(message.name);
  const call = open.find(({ id }) => id === told) ?? open.find((one) => one.name === name) ?? open[0];
  const id = told ?? call?.id ?? `call_${index}`;
  return { id, left: open.filter((one) => one !== call) };
}

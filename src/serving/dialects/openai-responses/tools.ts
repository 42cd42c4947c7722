/**
 * Tools of a Responses request. Custom tools take any text, and namespaces hold tools of their own: neither is known
 * elsewhere, so each becomes a function, and `ToolNames` leads from a function's name back to the tool.
 */
import type { AnswerFormat, Tool, Tools } from '../ask.ts';
import { customFunction } from '../custom-tools.ts';
import type { Json } from '../dialect.ts';
import { invalid, isObject, unsupported } from '../json.ts';

/** What a function stands for. */
export interface NamedTool {
  readonly type: 'function' | 'custom';
  readonly name: string;
  readonly namespace: string | null;
}

/** Longest name of a function that servers take. */
const LONGEST_NAME = 64;

/** Functions by name, each name given once. */
export class ToolNames {
  readonly #tools = new Map<string, NamedTool>();

  /** The function's name. */
  add(tool: NamedTool): string {
    const name = this.of(tool) ?? this.#free(tool);
    this.#tools.set(name, tool);
    return name;
  }

  /** Undefined for a tool that is not offered. */
  of({ type, name, namespace }: NamedTool): string | undefined {
    for (const [flat, tool] of this.#tools)
      if (tool.name === name && tool.namespace === namespace && tool.type === type) return flat;
    return undefined;
  }

  /** A function that nobody offered stands for itself. */
  tool(flat: string): NamedTool {
    return this.#tools.get(flat) ?? { type: 'function', name: flat, namespace: null };
  }

  #free({ name, namespace }: NamedTool): string {
    const plain = flatName(name, namespace);
    if (!this.#tools.has(plain)) return plain;
    for (let more = 2; ; more += 1) {
      const other = `${plain.slice(0, LONGEST_NAME - 3)}_${more}`;
      if (!this.#tools.has(other)) return other;
    }
  }
}

/** The name that a tool has as a function, unless another has taken it. */
export function flatName(name: string, namespace: string | null): string {
  if (namespace === null) return name;
  const joint = /[_-]$/.test(namespace) ? '' : '__';
  return `${namespace}${joint}${name}`.replace(/[^a-zA-Z0-9_-]/g, '_').slice(-LONGEST_NAME);
}

export interface ReadTools extends Tools {
  readonly names: ToolNames;
  /** Fields of tools that only OpenAI's servers run. */
  readonly leftOut: readonly string[];
}

/** The item by which a client adds tools in mid-conversation. */
export const MORE_TOOLS = 'additional_tools';

export function readTools(json: Json): ReadTools {
  const names = new ToolNames();
  const leftOut: string[] = [];
  const list = givenIn(json).flatMap(({ tools, at }) => {
    if (!Array.isArray(tools)) throw invalid(at, 'must be a list');
    return tools.flatMap((tool: unknown, index) =>
      readTool(tool, { at: `${at}[${index}]`, namespace: null, names, leftOut }),
    );
  });
  const parallel = json.parallel_tool_calls !== false;
  if (list.length === 0) return { list, choice: null, parallel, names, leftOut };
  const { choice, only } = readChoice(json.tool_choice, names);
  return {
    list: only === null ? list : list.filter(({ name }) => only.includes(name)),
    choice,
    parallel,
    names,
    leftOut,
  };
}

/** Lists of tools, and the fields that hold them. */
function givenIn({ tools, input }: Json): readonly { readonly tools: unknown; readonly at: string }[] {
  const items: readonly unknown[] = Array.isArray(input) ? input : [];
  return [
    { tools: tools ?? [], at: 'tools' },
    ...items.flatMap((item, index) =>
      isObject(item) && item.type === MORE_TOOLS
        ? [{ tools: item.tools ?? [], at: `input[${index}].tools` }]
        : [],
    ),
  ];
}

interface Place {
  readonly at: string;
  readonly namespace: string | null;
  readonly names: ToolNames;
  readonly leftOut: string[];
}

function readTool(value: unknown, place: Place): readonly Tool[] {
  const { at, namespace, names } = place;
  if (!isObject(value)) throw invalid(at, 'must be an object');
  if (typeof value.type !== 'string') throw invalid(`${at}.type`, 'must be a string');
  const { type, name, description, parameters, strict, format, tools } = value;
  if (type !== 'function' && type !== 'custom' && type !== 'namespace') {
    place.leftOut.push(at);
    return [];
  }
  if (typeof name !== 'string' || name === '') throw invalid(`${at}.name`, 'must be a text');
  if (type === 'namespace') {
    if (!Array.isArray(tools)) throw invalid(`${at}.tools`, 'must be a list');
    return tools.flatMap((tool: unknown, index) =>
      readTool(tool, { ...place, at: `${at}.tools[${index}]`, namespace: name }),
    );
  }
  if (type === 'custom')
    return [customFunction({ name: names.add({ type, name, namespace }), description, grammar: format })];
  if (parameters !== undefined && parameters !== null && !isObject(parameters))
    throw invalid(`${at}.parameters`, 'must be an object');
  return [
    {
      name: names.add({ type, name, namespace }),
      description: typeof description === 'string' ? description : undefined,
      parameters: parameters ?? undefined,
      strict: strict === true,
    },
  ];
}

interface Choice {
  readonly choice: Tools['choice'];
  /** The functions that may be called; null for all. */
  readonly only: readonly string[] | null;
}

function readChoice(value: unknown, names: ToolNames): Choice {
  if (value === undefined || value === null) return { choice: null, only: null };
  if (value === 'auto' || value === 'none') return { choice: { type: value }, only: null };
  if (value === 'required') return { choice: { type: 'any' }, only: null };
  if (!isObject(value)) throw invalid('tool_choice', 'must be auto, none, required or a tool by its name');
  const { type, mode, tools } = value;
  if (type === 'allowed_tools') {
    if (!Array.isArray(tools)) throw invalid('tool_choice.tools', 'must be a list');
    const only = tools.flatMap((tool: unknown) => chosen(tool, names) ?? []);
    return { choice: { type: mode === 'required' ? 'any' : 'auto' }, only };
  }
  if (typeof type !== 'string') throw invalid('tool_choice.type', 'must be a string');
  if (type !== 'function' && type !== 'custom')
    throw unsupported('tool_choice', 'this expert calls functions and custom tools only');
  if (typeof value.name !== 'string') throw invalid('tool_choice.name', 'must be a string');
  const name = chosen(value, names);
  if (name === undefined) throw invalid('tool_choice', 'names a tool that is not among the tools');
  return { choice: { type: 'one', name }, only: null };
}

function chosen(value: unknown, names: ToolNames): string | undefined {
  if (!isObject(value) || typeof value.name !== 'string') return undefined;
  const type = value.type === 'custom' ? 'custom' : 'function';
  const namespace = typeof value.namespace === 'string' ? value.namespace : null;
  return names.of({ type, name: value.name, namespace });
}

export function readFormat(text: unknown): AnswerFormat {
  const format = isObject(text) ? text.format : undefined;
  if (format === undefined || format === null) return { type: 'text' };
  const { type, name, schema, strict, description } = (isObject(format) ? format : {}) as Json;
  if (type === 'text') return { type };
  if (type === 'json_object') return { type: 'json' };
  if (type !== 'json_schema') throw invalid('text.format.type', 'must be text, json_object or json_schema');
  if (!isObject(schema)) throw invalid('text.format.schema', 'must be an object');
  return {
    type: 'schema',
    schema,
    ...(typeof name === 'string' ? { name } : {}),
    ...(typeof description === 'string' ? { description } : {}),
    ...(typeof strict === 'boolean' ? { strict } : {}),
  };
}

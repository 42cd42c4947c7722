/** OpenAI's tools, choice of a tool, and format of the answer. */
import { excerpt } from '../../../core/excerpt.ts';
import type { AnswerFormat, Tool, Tools } from '../ask.ts';
import { customFunction } from '../custom-tools.ts';
import type { Json } from '../dialect.ts';
import { invalid, isObject, unsupported } from '../json.ts';

/** How a request wants calls to be written. */
export interface CallForm {
  /** Names of tools that take any text. */
  readonly custom: readonly string[];
  /** Whether tools are given in the older form, whose answers hold one call without an id. */
  readonly older: boolean;
}

/** Reads no more than that, and refuses nothing. */
export function callForm({ tools, functions }: Json): CallForm {
  const own: readonly unknown[] = Array.isArray(tools) ? tools : [];
  return {
    custom: own.filter(isCustom).map(({ custom }) => String(custom.name)),
    older: own.length === 0 && Array.isArray(functions) && functions.length > 0,
  };
}

/** @throws RouterError for tools that are neither functions nor custom, and for choices of another type */
export function readTools(json: Json): Tools {
  const tools = json.tools ?? [];
  if (!Array.isArray(tools)) throw invalid('tools', 'must be a list');
  const parallel = json.parallel_tool_calls !== false;
  if (tools.length === 0) return readFunctions(json, parallel);
  const { choice, only } = readChoice(json.tool_choice);
  const list = tools.map((tool: unknown, index) => readTool(tool, `tools[${index}]`));
  return {
    list: only === null ? list : list.filter(({ name }) => only.includes(name)),
    choice,
    parallel,
  };
}

/** The older form of tools. */
function readFunctions({ functions, function_call: choice }: Json, parallel: boolean): Tools {
  const list = functions ?? [];
  if (!Array.isArray(list)) throw invalid('functions', 'must be a list');
  if (list.length === 0) return { list: [], choice: null, parallel };
  return {
    list: list.map((own: unknown, index) => readFunction(own, `functions[${index}]`, `functions[${index}]`)),
    choice: readFunctionChoice(choice),
    parallel: false,
  };
}

function isCustom(tool: unknown): tool is { readonly custom: Json } {
  return isObject(tool) && tool.type === 'custom' && isObject(tool.custom);
}

function readTool(value: unknown, at: string): Tool {
  const { type, function: defined, custom } = (isObject(value) ? value : {}) as Json;
  if (type === 'custom') return readCustom(custom, at);
  if (typeof type === 'string' && type !== 'function')
    throw unsupported(
      at,
      `it is of type ${excerpt(type)}; this expert calls functions and custom tools only`,
    );
  return readFunction(defined, at, `${at}.function`);
}

/** @param at where it is said to be missing @param inside the place of its fields */
function readFunction(defined: unknown, at: string, inside: string): Tool {
  if (!isObject(defined) || typeof defined.name !== 'string')
    throw invalid(at, 'must be a function with a name');
  const { name, description, parameters, strict } = defined;
  if (parameters != null && !isObject(parameters)) throw invalid(`${inside}.parameters`, 'must be an object');
  return {
    name,
    description: typeof description === 'string' ? description : undefined,
    parameters: parameters ?? undefined,
    strict: strict === true,
  };
}

function readCustom(custom: unknown, at: string): Tool {
  const { name, description, format } = (isObject(custom) ? custom : {}) as Json;
  if (typeof name !== 'string') throw invalid(`${at}.custom.name`, 'must be a string');
  return customFunction({ name, description, grammar: isObject(format) ? format.grammar : null });
}

interface Choice {
  readonly choice: Tools['choice'];
  /** The tools that may be called; null for all. */
  readonly only: readonly string[] | null;
}

function readChoice(value: unknown): Choice {
  if (value == null) return { choice: null, only: null };
  if (value === 'auto' || value === 'none') return { choice: { type: value }, only: null };
  if (value === 'required') return { choice: { type: 'any' }, only: null };
  const { type, allowed_tools: allowed } = (isObject(value) ? value : {}) as Json;
  const name = nameIn(value);
  if (name !== null) return { choice: { type: 'one', name }, only: null };
  if (type === 'allowed_tools') {
    const { mode, tools } = (isObject(allowed) ? allowed : {}) as Json;
    if (!Array.isArray(tools)) throw invalid('tool_choice.allowed_tools.tools', 'must be a list');
    const only = tools.map(nameIn).filter((one) => one !== null);
    return { choice: { type: mode === 'required' ? 'any' : 'auto' }, only };
  }
  if (typeof type === 'string' && type !== 'function' && type !== 'custom')
    throw unsupported('tool_choice', `a choice of type ${excerpt(type)} is not offered`);
  throw invalid('tool_choice', 'must be auto, none, required or a tool by its name');
}

/** The name of a tool that is referred to; null for none. */
function nameIn(value: unknown): string | null {
  const { type, function: called, custom } = (isObject(value) ? value : {}) as Json;
  const named = type === 'custom' ? custom : called;
  const known = type === 'function' || type === 'custom';
  return known && isObject(named) && typeof named.name === 'string' ? named.name : null;
}

function readFunctionChoice(value: unknown): Tools['choice'] {
  if (value == null) return null;
  if (value === 'auto' || value === 'none') return { type: value };
  if (isObject(value) && typeof value.name === 'string') return { type: 'one', name: value.name };
  throw invalid('function_call', 'must be auto, none or a function by its name');
}

/** Whether some tool must be called. Reads no more than that, for servers that judge the rest. */
export function choosesTool({ tool_choice: choice, function_call: older }: Json): string | null {
  if (choice === 'required') return 'tool_choice';
  if (isObject(choice)) {
    const { type, allowed_tools: allowed } = choice;
    const free = type === 'allowed_tools' && isObject(allowed) && allowed.mode !== 'required';
    return free ? null : 'tool_choice';
  }
  return isObject(older) ? 'function_call' : null;
}

export function readFormat(value: unknown): AnswerFormat {
  if (value == null) return { type: 'text' };
  if (!isObject(value)) throw invalid('response_format', 'must be an object');
  const { type, json_schema } = value;
  if (type === 'text') return { type };
  if (type !== 'json_schema') return { type: 'json' };
  const schema = isObject(json_schema) ? json_schema.schema : undefined;
  if (!isObject(schema)) throw invalid('response_format.json_schema.schema', 'must be an object');
  const { name, description, strict } = json_schema as Json;
  return {
    type: 'schema',
    schema,
    ...(typeof name === 'string' ? { name } : {}),
    ...(typeof description === 'string' ? { description } : {}),
    ...(typeof strict === 'boolean' ? { strict } : {}),
  };
}

/** OpenAI's tool definitions and choice → those of the Messages API. It knows nothing of calls or results. */
import { excerpt } from '../../../core/excerpt.ts';
import { invalid, isObject, unsupported } from './turns.ts';

interface Tool {
  readonly name: string;
  readonly description?: string;
  readonly input_schema: object;
  readonly strict?: true;
}

interface ToolChoice {
  readonly type: 'auto' | 'any' | 'none' | 'tool';
  readonly name?: string;
  readonly disable_parallel_tool_use?: true;
}

export interface ToolFields {
  readonly tools?: readonly Tool[];
  readonly tool_choice?: ToolChoice;
}

type Json = Readonly<Record<string, unknown>>;

/** @throws RouterError for tools that are no functions, and for choices the API cannot make */
export function readTools(json: Json): ToolFields {
  for (const param of ['functions', 'function_call'])
    if (json[param] != null) throw unsupported(param, 'give tools and tool_choice instead');
  const tools = json.tools ?? [];
  if (!Array.isArray(tools)) throw invalid('tools', 'must be a list');
  if (tools.length === 0) return {};
  const tool_choice = readChoice(json.tool_choice, json.parallel_tool_calls === false);
  return {
    tools: tools.map((tool: unknown, index) => readTool(tool, `tools[${index}]`)),
    ...(tool_choice ? { tool_choice } : {}),
  };
}

function readTool(value: unknown, at: string): Tool {
  const { type, function: defined } = (isObject(value) ? value : {}) as Json;
  if (typeof type === 'string' && type !== 'function')
    throw unsupported(at, `it is of type ${excerpt(type)}; this expert calls functions only`);
  if (!isObject(defined) || typeof defined.name !== 'string')
    throw invalid(at, 'must be a function with a name');
  const { name, description, parameters, strict } = defined;
  if (parameters != null && !isObject(parameters))
    throw invalid(`${at}.function.parameters`, 'must be an object');
  return {
    name,
    ...(typeof description === 'string' ? { description } : {}),
    input_schema: { type: 'object', ...(parameters as object | undefined) },
    ...(strict === true ? { strict } : {}),
  };
}

function readChoice(value: unknown, oneAtATime: boolean): ToolChoice | undefined {
  const one = oneAtATime ? ({ disable_parallel_tool_use: true } as const) : {};
  if (value == null || value === 'auto') return oneAtATime ? { type: 'auto', ...one } : undefined;
  if (value === 'none') return { type: 'none' };
  if (value === 'required') return { type: 'any', ...one };
  const { type, function: named } = (isObject(value) ? value : {}) as Json;
  if (type === 'function' && isObject(named) && typeof named.name === 'string')
    return { type: 'tool', name: named.name, ...one };
  if (typeof type === 'string' && type !== 'function')
    throw unsupported('tool_choice', `a choice of type ${excerpt(type)} is not offered`);
  throw invalid('tool_choice', 'must be auto, none, required or a function by its name');
}

/** OpenAI's tools, choice of a tool, and format of the answer. */
import { excerpt } from '../../../core/excerpt.ts';
import type { AnswerFormat, Tool, Tools } from '../ask.ts';
import type { Json } from '../dialect.ts';
import { invalid, isObject, unsupported } from '../json.ts';

/** @throws RouterError for tools that are no functions, and for choices of another type */
export function readTools(json: Json): Tools {
  for (const param of ['functions', 'function_call'])
    if (json[param] != null) throw unsupported(param, 'give tools and tool_choice instead');
  const tools = json.tools ?? [];
  if (!Array.isArray(tools)) throw invalid('tools', 'must be a list');
  const parallel = json.parallel_tool_calls !== false;
  if (tools.length === 0) return { list: [], choice: null, parallel };
  return {
    list: tools.map((tool: unknown, index) => readTool(tool, `tools[${index}]`)),
    choice: readChoice(json.tool_choice),
    parallel,
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
    description: typeof description === 'string' ? description : undefined,
    parameters: parameters ?? undefined,
    strict: strict === true,
  };
}

function readChoice(value: unknown): Tools['choice'] {
  if (value == null) return null;
  if (value === 'auto' || value === 'none') return { type: value };
  if (value === 'required') return { type: 'any' };
  const { type, function: named } = (isObject(value) ? value : {}) as Json;
  if (type === 'function' && isObject(named) && typeof named.name === 'string')
    return { type: 'one', name: named.name };
  if (typeof type === 'string' && type !== 'function')
    throw unsupported('tool_choice', `a choice of type ${excerpt(type)} is not offered`);
  throw invalid('tool_choice', 'must be auto, none, required or a function by its name');
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

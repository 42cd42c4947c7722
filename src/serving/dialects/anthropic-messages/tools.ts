/** Tools of a Messages request, the choice of one, and the format of the answer. */
import type { AnswerFormat, Tool, Tools } from '../ask.ts';
import type { Json } from '../dialect.ts';
import { invalid, isObject } from '../json.ts';

/** Tools that Anthropic's servers run, or whose schema only its models know, are left out; `leftOut` names them. */
export function readTools(json: Json): Tools & { readonly leftOut: readonly string[] } {
  const tools = json.tools ?? [];
  if (!Array.isArray(tools)) throw invalid('tools', 'must be a list');
  const list: Tool[] = [];
  const leftOut: string[] = [];
  tools.forEach((tool: unknown, index) => {
    const at = `tools[${index}]`;
    if (isObject(tool) && typeof tool.type === 'string' && tool.type !== 'custom') leftOut.push(at);
    else list.push(readTool(tool, at));
  });
  const { choice, parallel } = readChoice(json.tool_choice);
  return { list, choice: list.length > 0 ? choice : null, parallel, leftOut };
}

function readTool(tool: unknown, at: string): Tool {
  if (!isObject(tool) || typeof tool.name !== 'string') throw invalid(at, 'must be a tool with a name');
  const { name, description, input_schema: parameters, strict } = tool;
  if (!isObject(parameters)) throw invalid(`${at}.input_schema`, 'must be an object');
  return {
    name,
    description: typeof description === 'string' ? description : undefined,
    parameters,
    strict: strict === true,
  };
}

function readChoice(value: unknown): Pick<Tools, 'choice' | 'parallel'> {
  if (value === undefined || value === null) return { choice: null, parallel: true };
  const { type, name, disable_parallel_tool_use: single } = (isObject(value) ? value : {}) as Json;
  const parallel = single !== true;
  if (type === 'auto' || type === 'none' || type === 'any') return { choice: { type }, parallel };
  if (type === 'tool' && typeof name === 'string') return { choice: { type: 'one', name }, parallel };
  throw invalid('tool_choice', "must be of type auto, any, none, or tool with the tool's name");
}

export function readFormat({ output_config: config, output_format: former }: Json): AnswerFormat {
  const format = isObject(config) && config.format != null ? config.format : former;
  if (format === null || format === undefined) return { type: 'text' };
  const at = format === former ? 'output_format' : 'output_config.format';
  if (!isObject(format) || format.type !== 'json_schema') throw invalid(at, 'must be of type json_schema');
  if (!isObject(format.schema)) throw invalid(`${at}.schema`, 'must be an object');
  return { type: 'schema', schema: format.schema };
}

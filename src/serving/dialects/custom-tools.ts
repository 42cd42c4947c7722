/**
 * Tools that take any text, which only OpenAI's APIs know: elsewhere a function with one argument stands for each. What its
 * grammar demands cannot be enforced there; the model is told of it.
 */
import type { Tool } from './ask.ts';
import { isObject, parseJson } from './json.ts';

/** The one argument of the function. */
export const CUSTOM_INPUT = 'input';

export interface Custom {
  readonly name: string;
  readonly description: unknown;
  /** With `definition` and `syntax` of a grammar, if any. */
  readonly grammar: unknown;
}

/** The function that stands for a custom tool. */
export function customFunction({ name, description, grammar }: Custom): Tool {
  return {
    name,
    description: told(description, grammar),
    parameters: {
      type: 'object',
      properties: { [CUSTOM_INPUT]: { type: 'string', description: 'The whole input of the tool.' } },
      required: [CUSTOM_INPUT],
      additionalProperties: false,
    },
    strict: false,
  };
}

function told(description: unknown, grammar: unknown): string | undefined {
  const own = typeof description === 'string' ? description : '';
  const { definition, syntax } = isObject(grammar) ? grammar : {};
  if (typeof definition !== 'string' || definition === '') return own === '' ? undefined : own;
  const kind = typeof syntax === 'string' ? `${syntax} ` : '';
  return `${own}\n\nThe input must match this ${kind}grammar:\n${definition}`.trim();
}

/** The function's arguments, as JSON. */
export function customArguments(input: string): string {
  return JSON.stringify({ [CUSTOM_INPUT]: input });
}

/** The input of a custom tool, out of the arguments of the function that stands for it; else these themselves. */
export function customInput(json: string): string {
  const value = parseJson(json);
  const input = isObject(value) ? value[CUSTOM_INPUT] : undefined;
  return typeof input === 'string' ? input : json;
}

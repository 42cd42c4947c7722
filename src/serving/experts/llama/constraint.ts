/**
 * What an answer must look like, as a schema that the engine's grammar can hold the model to: the call of a tool that the client
 * demands, or JSON. Pure.
 */
import type { Ask, Capability, Tool } from '../../dialects/ask.ts';
import type { Json } from '../../dialects/dialect.ts';
import { isObject, parseJson } from '../../dialects/json.ts';

export const LLAMA_CAN: readonly Capability[] = ['a chosen tool', 'json', 'json schema'];

export interface Constraint {
  readonly of: 'call' | 'json';
  /** In the words of node-llama-cpp's grammars; null for any JSON. */
  readonly schema: Json | null;
  /** What the model is told of it. */
  readonly told: string;
}

/** Null for an answer in free text, in which tools may be called. */
export function constraintOf(ask: Ask): Constraint | null {
  const { list, choice } = ask.tools();
  const demanded =
    choice?.type === 'any' ? list : list.filter(({ name }) => choice?.type === 'one' && name === choice.name);
  if (demanded.length > 0) return callOfOne(demanded);
  const format = ask.format();
  if (format.type === 'text') return null;
  if (format.type === 'json') return { of: 'json', schema: null, told: 'Answer with a JSON object.' };
  const keys = isObject(format.schema) && isObject(format.schema.properties) ? format.schema.properties : {};
  return {
    of: 'json',
    schema: grammarOf(format.schema, format.schema),
    told: `Answer with a JSON object that has the keys ${Object.keys(keys).join(', ')}.`,
  };
}

export interface Called {
  readonly name: string;
  /** JSON. */
  readonly arguments: string;
}

/** Null for a text that was cut off. */
export function callIn(text: string): Called | null {
  const value = parseJson(text);
  if (!isObject(value) || typeof value.name !== 'string') return null;
  return { name: value.name, arguments: JSON.stringify(value.arguments ?? {}) };
}

export function callOfOne(tools: readonly Tool[]): Constraint {
  return { of: 'call', schema: { oneOf: tools.map(callOf) }, told: tools.map(toldOf).join('\n') };
}

function callOf({ name, parameters }: Tool): Json {
  const schema = grammarOf({ type: 'object', ...parameters }, parameters);
  return { type: 'object', properties: { name: { const: name }, arguments: schema } };
}

/** Of a description, in characters. */
const MOST_TOLD = 200;

function toldOf({ name, description = '' }: Tool): string {
  return `Call the function ${name} with arguments for what the user asks. ${description.slice(0, MOST_TOLD)}`.trim();
}

/** Deeper schemas, which may refer to themselves, end in a text. */
const DEEPEST = 8;
/** Of texts and lists without a bound of their own: a small model may not come to an end by itself. */
const LONGEST_TEXT = 120;
const LONGEST_LIST = 4;

/** @param root what `$ref` refers into */
function grammarOf(schema: unknown, root: unknown, depth = 0): Json {
  if (!isObject(schema) || depth > DEEPEST) return TEXT;
  const inner = (one: unknown): Json => grammarOf(one, root, depth + 1);
  if ('const' in schema) return { const: schema.const };
  if (Array.isArray(schema.enum) && schema.enum.length > 0) return { enum: schema.enum };
  if (typeof schema.$ref === 'string') return inner(referred(root, schema.$ref));
  for (const choices of [schema.anyOf, schema.oneOf])
    if (Array.isArray(choices) && choices.length > 0) return { oneOf: choices.map(inner) };
  if (Array.isArray(schema.allOf))
    return inner(Object.assign({}, ...schema.allOf.filter(isObject), { ...schema, allOf: undefined }));
  if (Array.isArray(schema.type)) return { oneOf: schema.type.map((type) => inner({ ...schema, type })) };
  return typed(schema, inner);
}

const TEXT: Json = { type: 'string', maxLength: LONGEST_TEXT };

function typed(schema: Json, inner: (one: unknown) => Json): Json {
  switch (schema.type ?? (isObject(schema.properties) ? 'object' : 'string')) {
    case 'object':
      return objectOf(schema, inner);
    case 'array': {
      const { minItems, maxItems } = schema;
      const least = typeof minItems === 'number' ? minItems : 0;
      const most = typeof maxItems === 'number' ? maxItems : Math.max(LONGEST_LIST, least);
      return { type: 'array', items: inner(schema.items ?? {}), minItems: least, maxItems: most };
    }
    case 'number':
    case 'integer':
    case 'boolean':
    case 'null':
      return { type: schema.type };
    default:
      return typeof schema.maxLength === 'number' ? { type: 'string', maxLength: schema.maxLength } : TEXT;
  }
}

/** What is required; all of it where nothing is. */
function objectOf({ properties, required }: Json, inner: (one: unknown) => Json): Json {
  const all = isObject(properties) ? Object.entries(properties) : [];
  const needed = Array.isArray(required) ? all.filter(([key]) => required.includes(key)) : [];
  const chosen = needed.length > 0 ? needed : all;
  return { type: 'object', properties: Object.fromEntries(chosen.map(([key, one]) => [key, inner(one)])) };
}

/** A JSON pointer within the schema. */
function referred(root: unknown, ref: string): unknown {
  return ref
    .split('/')
    .slice(1)
    .reduce<unknown>(
      (at, step) => (isObject(at) ? at[step.replaceAll('~1', '/').replaceAll('~0', '~')] : null),
      root,
    );
}

/** A value that fits a JSON schema, the same for the same schema: what an emulated model fills in. */
import type { Json } from '../../dialects/dialect.ts';
import { isObject } from '../../dialects/json.ts';

/** Deeper schemas, which may refer to themselves, end in null. */
const DEEPEST = 12;

/** @param text for strings that may be any */
export function valueFor(schema: unknown, text: string): unknown {
  return fill(schema, { root: schema, text, depth: 0 });
}

interface Filling {
  readonly root: unknown;
  readonly text: string;
  readonly depth: number;
}

function fill(schema: unknown, filling: Filling): unknown {
  if (!isObject(schema) || filling.depth > DEEPEST) return schema === true ? filling.text : null;
  const deeper = { ...filling, depth: filling.depth + 1 };
  if ('const' in schema) return schema.const;
  if (schema.default !== undefined) return schema.default;
  if (Array.isArray(schema.enum) && schema.enum.length > 0) return schema.enum[0];
  const other = elsewhere(schema, filling.root);
  return other === null ? ofType(schema, deeper) : fill(other, deeper);
}

/** The schema that stands for this one: the one referred to, the first choice, or all its parts as one; null for none. */
function elsewhere(schema: Json, root: unknown): unknown {
  if (typeof schema.$ref === 'string') return referred(root, schema.$ref);
  for (const choices of [schema.anyOf, schema.oneOf])
    if (Array.isArray(choices) && choices.length > 0) return choices[0];
  if (!Array.isArray(schema.allOf)) return null;
  return Object.assign({}, ...schema.allOf.filter(isObject), { ...schema, allOf: undefined });
}

function ofType(schema: Json, deeper: Filling): unknown {
  const type: unknown = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  switch (type ?? (isObject(schema.properties) ? 'object' : 'string')) {
    case 'object':
      return object(schema, deeper);
    case 'array': {
      const least = typeof schema.minItems === 'number' ? Math.min(schema.minItems, 100) : 1;
      return Array.from({ length: Math.max(least, 1) }, () => fill(schema.items ?? true, deeper));
    }
    case 'number':
    case 'integer':
      return number(schema);
    case 'boolean':
      return true;
    case 'null':
      return null;
    default:
      return string(schema, deeper.text);
  }
}

/** What is required, and nothing else. */
function object({ properties, required }: Json, deeper: Filling): unknown {
  if (!isObject(properties) || !Array.isArray(required)) return {};
  const names = required.filter((name) => typeof name === 'string');
  return Object.fromEntries(names.map((name) => [name, fill(properties[name], deeper)]));
}

function string({ minLength, maxLength }: Json, text: string): string {
  const least = typeof minLength === 'number' ? Math.min(minLength, 10_000) : 0;
  return text.slice(0, typeof maxLength === 'number' ? maxLength : text.length).padEnd(least, '.');
}

function number({ minimum, maximum, exclusiveMinimum }: Json): number {
  if (typeof minimum === 'number') return Math.ceil(minimum);
  if (typeof exclusiveMinimum === 'number') return Math.floor(exclusiveMinimum) + 1;
  return typeof maximum === 'number' ? Math.min(1, Math.floor(maximum)) : 1;
}

/** A reference within the schema, such as `#/$defs/step`. */
function referred(root: unknown, reference: string): unknown {
  if (!reference.startsWith('#')) return null;
  let found = root;
  for (const step of reference.split('/').slice(1))
    found = isObject(found)
      ? found[decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~')]
      : null;
  return found;
}

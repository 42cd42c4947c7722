/** A value that fits a JSON schema, the same for the same schema: what an emulated model fills in. */
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
  if (typeof schema.$ref === 'string') return fill(referred(filling.root, schema.$ref), deeper);
  if ('const' in schema) return schema.const;
  if (Array.isArray(schema.enum) && schema.enum.length > 0) return schema.enum[0];
  if (schema.default !== undefined) return schema.default;
  for (const choices of [schema.anyOf, schema.oneOf])
    if (Array.isArray(choices) && choices.length > 0) return fill(choices[0], deeper);
  if (Array.isArray(schema.allOf))
    return fill(Object.assign({}, ...schema.allOf.filter(isObject), { ...schema, allOf: undefined }), deeper);
  const type: unknown = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  if (type === 'object' || (type === undefined && isObject(schema.properties))) {
    const { properties, required } = schema;
    if (!isObject(properties)) return {};
    const names = Array.isArray(required) ? required.filter((name) => typeof name === 'string') : [];
    return Object.fromEntries(names.map((name) => [name, fill(properties[name], deeper)]));
  }
  if (type === 'array') {
    const least = typeof schema.minItems === 'number' ? Math.min(schema.minItems, 100) : 1;
    return Array.from({ length: Math.max(least, 1) }, () => fill(schema.items ?? true, deeper));
  }
  if (type === 'number' || type === 'integer') return number(schema);
  if (type === 'boolean') return true;
  if (type === 'null') return null;
  const most = typeof schema.maxLength === 'number' ? schema.maxLength : filling.text.length;
  const least = typeof schema.minLength === 'number' ? Math.min(schema.minLength, 10_000) : 0;
  return filling.text.slice(0, most).padEnd(least, '.');
}

function number({ minimum, maximum, exclusiveMinimum }: Readonly<Record<string, unknown>>): number {
  if (typeof minimum === 'number') return Math.ceil(minimum);
  if (typeof exclusiveMinimum === 'number') return Math.floor(exclusiveMinimum) + 1;
  return typeof maximum === 'number' ? Math.min(1, Math.floor(maximum)) : 1;
}

/** A reference within the schema, such as `#/$defs/step`. */
function referred(root: unknown, reference: string): unknown {
  if (!reference.startsWith('#')) return null;
  let found = root;
  for (const step of reference.split('/').slice(1))
    found = isObject(found) ? found[decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~')] : null;
  return found;
}

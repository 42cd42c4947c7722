/** Turns schema issues into sentences with a place in the file and the nearest valid name. */
import { type Document, isMap, isNode, isScalar, type LineCounter } from 'yaml';
import type { z } from 'zod';
import { nearestName } from '../../core/suggest.ts';

type Path = readonly PropertyKey[];
type Issue = z.core.$ZodIssue;

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly oneOf?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly const?: unknown;
  readonly required?: readonly string[];
}

/** The file that the problems are in, and the JSON Schema it should follow. */
export interface Checked {
  readonly file: string;
  readonly document: Document;
  readonly lines: LineCounter;
  readonly schema: unknown;
}

/** One line a problem: `config.yaml:7:5: experts[1].ulr: unknown key; did you mean 'url'?` */
export function describeProblems(issues: readonly Issue[], checked: Checked): string[] {
  return issues.flatMap(unfolded).flatMap((issue) => {
    const unknownKeys = issue.code === 'unrecognized_keys' ? issue.keys : [];
    if (unknownKeys.length > 0) {
      return unknownKeys.map((key) => {
        const path = [...issue.path, key];
        return `${place(checked, path)}: ${pathText(path)}: unknown key${keySuggestion(checked, path)}`;
      });
    }
    const text = issue.path.length === 0 && issue.code === 'invalid_type' ? isEmpty(checked) : message(issue);
    return [`${place(checked, issue.path)}: ${pathText(issue.path)}: ${text}`];
  });
}

/**
 * A choice between shapes becomes the complaints of the first shape that is of the input's type, else of the first; a
 * wrong key, what is wrong with it.
 */
function unfolded(issue: Issue): readonly Issue[] {
  if (issue.code === 'invalid_key') return issue.issues.map((one) => ({ ...one, path: issue.path }) as Issue);
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [issue];
  const wrongType = (of: readonly Issue[]): boolean =>
    of.some(
      ({ code, path }) => path.length === 0 && (code === 'invalid_type' || isForeign(code, issue.input)),
    );
  const shape = issue.errors.find((of) => !wrongType(of)) ?? issue.errors[0]!;
  return shape.flatMap((one) => unfolded({ ...one, path: [...issue.path, ...one.path] } as Issue));
}

/** A list of values is of no use to who wrote an object. */
function isForeign(code: Issue['code'], input: unknown): boolean {
  return code === 'invalid_value' && typeof input === 'object';
}

function message(issue: Issue): string {
  if (issue.code === 'invalid_union' && issue.discriminator) {
    const given = String((issue.input as Record<string, unknown> | undefined)?.[issue.discriminator] ?? '');
    const known = ('options' in issue ? issue.options : []).map(String);
    const near = nearestName(given, known);
    return `unknown ${issue.discriminator}${given ? ` '${given}'` : ''}; one of ${known.join(', ')}${near ? `; did you mean '${near}'?` : ''}`;
  }
  // A message of its own says more than the list of values.
  if (issue.code === 'invalid_value' && issue.message.startsWith('Invalid')) {
    const known = issue.values.map(String);
    const near = nearestName(String(issue.input), known);
    return `one of ${known.join(', ')}${near ? `; did you mean '${near}'?` : ''}`;
  }
  if (issue.code === 'invalid_type' && issue.input === undefined) return `missing (${issue.expected})`;
  return issue.message.replace(/^Invalid string: must match pattern.*$/, 'has the wrong form');
}

function isEmpty({ schema }: Checked): string {
  return `is empty, or no list of settings; it needs at least: ${(schema as JsonSchema).required?.join(', ')}`;
}

function keySuggestion(checked: Checked, path: Path): string {
  const valid = validKeys(checked, path.slice(0, -1));
  const near = nearestName(String(path.at(-1)), valid);
  return near ? `; did you mean '${near}'?` : `; known here: ${valid.join(', ')}`;
}

/** Walks the JSON Schema along `path`; of several shapes it takes the one whose `kind` or `name` the file has. */
function validKeys({ document, schema: root }: Checked, path: Path): string[] {
  let schema: JsonSchema | undefined = root as JsonSchema;
  path.forEach((step, index) => {
    schema = typeof step === 'number' ? schema?.items : schema?.properties?.[String(step)];
    const here = path.slice(0, index + 1);
    schema = shapesOf(schema).find((shape) => fits(shape, (key) => document.getIn([...here, key])));
  });
  return Object.keys(schema?.properties ?? {});
}

function shapesOf(schema: JsonSchema | undefined): readonly JsonSchema[] {
  if (!schema) return [];
  const choices = schema.oneOf ?? schema.anyOf;
  return choices ? choices.flatMap(shapesOf) : [schema];
}

/** Whether all its constant properties have the values that the file gives them. */
function fits(shape: JsonSchema, given: (key: string) => unknown): boolean {
  const properties = Object.entries(shape.properties ?? {});
  return (
    (shape.items !== undefined || properties.length > 0) &&
    properties.every(([key, property]) => property.const === undefined || property.const === given(key))
  );
}

function pathText(path: Path): string {
  if (path.length === 0) return 'the file';
  return path.reduce<string>(
    (text, step) =>
      typeof step === 'number' ? `${text}[${step}]` : `${text}${text ? '.' : ''}${String(step)}`,
    '',
  );
}

/** `file:line:column` of the node at `path`, or of the nearest one above it that exists. */
function place({ file, document, lines }: Checked, path: Path): string {
  for (let depth = path.length; depth >= 0; depth--) {
    const offset = offsetOf(document, path.slice(0, depth));
    if (offset === null) continue;
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  }
  return file;
}

function offsetOf(document: Document, path: Path): number | null {
  const parent = path.length > 1 ? document.getIn(path.slice(0, -1), true) : document.contents;
  const last = path.at(-1);
  if (typeof last === 'string' && isMap(parent)) {
    const pair = parent.items.find((item) => isScalar(item.key) && item.key.value === last);
    if (pair && isScalar(pair.key) && pair.key.range) return pair.key.range[0];
  }
  const node = path.length > 0 ? document.getIn(path, true) : document.contents;
  return isNode(node) && node.range ? node.range[0] : null;
}

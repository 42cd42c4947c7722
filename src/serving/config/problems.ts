/** Turns schema issues into sentences with a place in the file and the nearest valid name. */
import { type Document, isMap, isNode, isScalar, type LineCounter } from 'yaml';
import type { z } from 'zod';
import { nearestName } from '../../core/suggest.ts';
import { configJsonSchema } from './schema.ts';

type Path = readonly PropertyKey[];

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly oneOf?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly const?: unknown;
}

/** One line a problem: `config.yaml:7:5: experts[1].ulr: unknown key; did you mean 'url'?` */
export function describeProblems(
  issues: readonly z.core.$ZodIssue[],
  file: string,
  document: Document,
  lines: LineCounter,
): string[] {
  return issues.flatMap((issue) => {
    const unknownKeys = issue.code === 'unrecognized_keys' ? issue.keys : [];
    if (unknownKeys.length > 0) {
      return unknownKeys.map((key) => {
        const path = [...issue.path, key];
        return `${place(file, document, lines, path)}: ${pathText(path)}: unknown key${keySuggestion(document, path)}`;
      });
    }
    return [`${place(file, document, lines, issue.path)}: ${pathText(issue.path)}: ${message(issue)}`];
  });
}

function message(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_union' && issue.discriminator) {
    const given = String((issue.input as Record<string, unknown> | undefined)?.[issue.discriminator] ?? '');
    const known = kinds();
    const near = nearestName(given, known);
    return `unknown kind${given ? ` '${given}'` : ''}; one of ${known.join(', ')}${near ? `; did you mean '${near}'?` : ''}`;
  }
  // A choice between shapes: the first is the usual one, and its complaint the one that helps.
  if (issue.code === 'invalid_union' && issue.errors[0]?.[0])
    return message({ ...issue.errors[0][0], input: issue.input, path: issue.path } as z.core.$ZodIssue);
  if (issue.code === 'invalid_value') {
    const known = issue.values.map(String);
    const near = nearestName(String(issue.input), known);
    return `one of ${known.join(', ')}${near ? `; did you mean '${near}'?` : ''}`;
  }
  if (issue.code === 'invalid_type' && issue.path.length === 0)
    return 'is empty; it needs at least a list of experts';
  if (issue.code === 'invalid_type' && issue.input === undefined) return `missing (${issue.expected})`;
  return issue.message.replace(/^Invalid string: must match pattern.*$/, 'has the wrong form');
}

function kinds(): string[] {
  const schema = configJsonSchema() as JsonSchema;
  return (schema.properties?.experts?.items?.oneOf ?? []).map((kind) => String(kind.properties?.kind?.const));
}

function keySuggestion(document: Document, path: Path): string {
  const valid = validKeys(document, path.slice(0, -1));
  const near = nearestName(String(path.at(-1)), valid);
  return near ? `; did you mean '${near}'?` : `; known here: ${valid.join(', ')}`;
}

/** Walks the JSON Schema along `path`, choosing an expert's branch by the kind written in the file. */
function validKeys(document: Document, path: Path): string[] {
  let schema: JsonSchema | undefined = configJsonSchema() as JsonSchema;
  path.forEach((step, index) => {
    schema = typeof step === 'number' ? schema?.items : schema?.properties?.[String(step)];
    if (schema?.oneOf) {
      const kind = document.getIn([...path.slice(0, index + 1), 'kind']);
      schema = schema.oneOf.find((branch) => branch.properties?.kind?.const === kind);
    }
  });
  return Object.keys(schema?.properties ?? {});
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
function place(file: string, document: Document, lines: LineCounter, path: Path): string {
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

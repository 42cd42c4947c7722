/** An OpenAPI document as a judge of bodies and events: what it says of a path's answers, and its examples of requests. */
import { readFileSync } from 'node:fs';
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { parse } from 'yaml';
import { UserError } from '../../src/core/errors.ts';
import type { Json } from '../../src/serving/dialects/dialect.ts';
import { isObject, parseJson } from '../../src/serving/dialects/json.ts';

/** Whose API it describes. */
export type Publisher = 'openai' | 'anthropic';

/** A request that the document shows. */
export interface Example {
  readonly name: string;
  readonly path: string;
  readonly body: Json;
}

const SCHEMAS = '#/components/schemas/';

export class ApiDocument {
  readonly publisher: Publisher;
  readonly title: string;
  readonly #document: Json;
  readonly #ajv = new Ajv2020({
    strict: false,
    allErrors: true,
    validateFormats: false,
    validateSchema: false,
  });
  readonly #compiled = new Map<string, ValidateFunction>();

  /** @throws UserError for a file that is no OpenAPI document */
  constructor(file: string) {
    const text = readFileSync(file, 'utf8');
    const read: unknown = text.trimStart().startsWith('{') ? JSON.parse(text) : parse(text);
    if (!isObject(read) || !isObject(read.paths)) throw new UserError(`${file}: is no OpenAPI document.`);
    this.#document = read;
    this.publisher = '/v1/messages' in read.paths ? 'anthropic' : 'openai';
    const { title, version } = isObject(read.info) ? read.info : {};
    this.title = [title ?? file, version].filter(Boolean).join(' ');
    this.#ajv.addSchema({ ...(inJsonSchema(read) as Json), $id: 'api' });
  }

  /** What is wrong with a whole answer, a line each; null where the document has no such path. */
  answer(method: string, path: string, status: number, body: unknown): readonly string[] | null {
    if (status >= 400)
      return this.has(method, path) ? this.#judge(this.#pointer(`${SCHEMAS}ErrorResponse`), body) : null;
    const at = this.#content(method, path, 'application/json');
    return at === null ? null : this.#judge(at, body);
  }

  /** As `answer`, for the data of an event of a stream. */
  event(path: string, data: unknown): readonly string[] | null {
    if (!this.has('post', path)) return null;
    if (isObject(data) && isObject(data.error) && data.sequence_number === undefined)
      return this.#judge(this.#pointer(`${SCHEMAS}ErrorResponse`), data);
    const own =
      this.publisher === 'anthropic'
        ? this.#pointer(`${SCHEMAS}MessageStreamEvent`)
        : this.#content('post', path, 'text/event-stream');
    const at = own ?? this.#content('post', path, 'application/json');
    return at === null ? null : this.#judge(this.#variant(at, data), data);
  }

  has(method: string, path: string): boolean {
    return this.#operation(method, path) !== null;
  }

  /** Requests that the document shows for the paths that are served here. */
  examples(paths: readonly string[]): readonly Example[] {
    return paths.flatMap((path) => {
      const operation = this.#operation('post', path)?.operation;
      return operation ? [...curlExamples(path, operation), ...this.#schemaExamples(path, operation)] : [];
    });
  }

  /** Of a request's schema: the whole one, and it with each field that has examples of its own. */
  #schemaExamples(path: string, operation: Json): readonly Example[] {
    const content = at(operation, 'requestBody', 'content', 'application/json', 'schema');
    const schema =
      isObject(content) && typeof content.$ref === 'string' ? this.#named(content.$ref) : content;
    if (!isObject(schema) || !isObject(schema.example) || !isObject(schema.properties)) return [];
    const whole = schema.example;
    const fields = Object.entries(schema.properties).flatMap(([field, told]) => {
      const values = isObject(told) && Array.isArray(told.examples) ? told.examples : [];
      return values.map((value, index) => ({
        ...{ name: `${field}, example ${index + 1}`, path },
        // What stands in lists is shown alone.
        body: { ...whole, [field]: field === 'tools' && !Array.isArray(value) ? [value] : value },
      }));
    });
    return [{ name: 'the request', path, body: whole }, ...fields];
  }

  #operation(method: string, path: string): { readonly at: string; readonly operation: Json } | null {
    for (const named of [path, path.replace(/^\/v1/, '')]) {
      const paths = this.#document.paths as Json;
      for (const template of [
        named,
        named.replace(/^(.*\/models)\/.+$/, '$1/{model}'),
        named.replace(/^(.*\/models)\/.+$/, '$1/{model_id}'),
      ]) {
        const operation = at(paths, template, method);
        if (isObject(operation)) return { at: `#/paths/${escaped(template)}/${method}`, operation };
      }
    }
    return null;
  }

  #content(method: string, path: string, type: string): string | null {
    const found = this.#operation(method, path);
    if (found === null || at(found.operation, 'responses', '200', 'content', type, 'schema') === undefined)
      return null;
    return `${found.at}/responses/200/content/${escaped(type)}/schema`;
  }

  /** Of a choice among events the one of this type, so that what is wrong with it is said of no other. */
  #variant(pointer: string, data: unknown): string {
    const schema = this.#at(pointer);
    if (isObject(schema) && typeof schema.$ref === 'string') return this.#variant(schema.$ref, data);
    const choice = isObject(schema) ? (schema.anyOf ?? schema.oneOf) : undefined;
    if (!Array.isArray(choice) || !isObject(data)) return pointer;
    const own = choice.find((one) => {
      const type = at(
        isObject(one) && typeof one.$ref === 'string' ? this.#named(one.$ref) : one,
        'properties',
        'type',
      );
      return (
        isObject(type) &&
        (type.const === data.type || (Array.isArray(type.enum) && type.enum.includes(data.type)))
      );
    });
    return isObject(own) && typeof own.$ref === 'string' ? own.$ref : pointer;
  }

  #pointer(pointer: string): string | null {
    return this.#at(pointer) === undefined ? null : pointer;
  }

  #at(pointer: string): unknown {
    return at(this.#document, ...pointer.slice(2).split('/').map(unescaped));
  }

  #named(ref: string): unknown {
    return this.#at(ref);
  }

  #judge(pointer: string | null, value: unknown): readonly string[] | null {
    if (pointer === null) return null;
    const validate = this.#compiled.get(pointer) ?? this.#ajv.compile({ $ref: `api${pointer}` });
    this.#compiled.set(pointer, validate);
    return validate(value) ? [] : meant(validate.errors ?? []);
  }
}

/** `nullable`, a word of OpenAPI 3.0 that documents of 3.1 still hold, as JSON Schema says it. */
function inJsonSchema(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inJsonSchema);
  if (!isObject(value)) return value;
  const { nullable, ...rest } = value;
  const own = Object.fromEntries(Object.entries(rest).map(([key, inner]) => [key, inJsonSchema(inner)]));
  return nullable === true ? { anyOf: [own, { type: 'null' }] } : own;
}

/** What is wrong. Of a choice that fails, each variant tells its own errors: those of another type are not meant. */
function meant(errors: readonly ErrorObject[]): readonly string[] {
  const others = errors.flatMap(({ schemaPath, instancePath, keyword }) => {
    const own = /^(.*)\/properties\/type\/(?:enum|const)$/.exec(schemaPath)?.[1];
    return own === undefined || !/^(?:enum|const)$/.test(keyword)
      ? []
      : [{ own, value: instancePath.replace(/\/type$/, '') }];
  });
  const leaves = errors.filter(({ keyword }) => !/^(?:anyOf|oneOf|if)$/.test(keyword));
  const left = leaves.filter(
    ({ schemaPath, instancePath }) =>
      !others.some(({ own, value }) => schemaPath.startsWith(`${own}/`) && instancePath.startsWith(value)),
  );
  const most = Math.max(...left.map(({ instancePath }) => instancePath.split('/').length));
  const chosen =
    errors.length > leaves.length
      ? left.filter(({ instancePath }) => instancePath.split('/').length === most)
      : left;
  const shown = chosen.length > 0 ? chosen : errors.slice(-1);
  return [
    ...new Set(
      shown.map(({ instancePath, message }) => `${instancePath.replace(/\/\d+/g, '/*') || 'it'} ${message}`),
    ),
  ];
}

/** Those written as commands, with a JSON body. */
function curlExamples(path: string, operation: Json): readonly Example[] {
  const told = at(operation, 'x-oaiMeta', 'examples');
  const list = Array.isArray(told) ? told : told === undefined ? [] : [told];
  return list.flatMap((one, index) => {
    const command = at(one, 'request', 'curl');
    const data = typeof command === 'string' ? /(?:-d|--data) '([\s\S]*)'\s*$/.exec(command)?.[1] : undefined;
    const body = data === undefined ? undefined : parseJson(data);
    const title = at(one, 'title');
    return isObject(body)
      ? [{ name: typeof title === 'string' ? title : `example ${index + 1}`, path, body }]
      : [];
  });
}

function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (inner, key) => (isObject(inner) ? inner[key] : Array.isArray(inner) ? inner[Number(key)] : undefined),
    value,
  );
}

function escaped(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1').replaceAll('{', '%7B').replaceAll('}', '%7D');
}

function unescaped(name: string): string {
  return decodeURIComponent(name).replaceAll('~1', '/').replaceAll('~0', '~');
}

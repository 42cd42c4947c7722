/** Ollama's requests for vectors ↔ OpenAI's. */
import type { Json } from '../dialect.ts';
import { invalid, isObject, parseJson } from '../json.ts';

type Field = 'input' | 'prompt';

/** What is classified: the first text. @throws RouterError `invalid_body` */
export function firstInput(json: Json, field: Field): string {
  const value = json[field];
  if (value === undefined || value === null) throw invalid(field, 'is missing: a text');
  if (typeof value === 'string') return value;
  if (field === 'prompt') throw invalid(field, 'must be a string');
  if (!Array.isArray(value)) throw invalid(field, 'must be a text, or a list of texts');
  if (value.length === 0) throw invalid(field, 'is empty; send at least one text');
  const wrong = value.findIndex((text) => typeof text !== 'string');
  if (wrong >= 0) throw invalid(`${field}[${wrong}]`, 'must be a string');
  return value[0]!;
}

export function embeddingsBody(json: Json, field: Field): Buffer {
  const { model, dimensions } = json;
  return Buffer.from(
    JSON.stringify({
      model,
      input: json[field],
      encoding_format: 'float',
      ...(dimensions == null ? {} : { dimensions }),
    }),
  );
}

export function writeVectors(body: Buffer): Buffer {
  const { model, vectors, tokens } = read(body);
  return write({ model, embeddings: vectors, ...(tokens === null ? {} : { prompt_eval_count: tokens }) });
}

export function writeVector(body: Buffer): Buffer {
  return write({ embedding: read(body).vectors[0] ?? [] });
}

function read(body: Buffer): { model: unknown; vectors: readonly unknown[]; tokens: number | null } {
  const value = parseJson(body.toString('utf8'));
  const { model, data, usage } = (isObject(value) ? value : {}) as Json;
  const tokens = isObject(usage) && typeof usage.prompt_tokens === 'number' ? usage.prompt_tokens : null;
  const list: readonly unknown[] = Array.isArray(data) ? data : [];
  return { model, vectors: list.filter(isObject).map(({ embedding }) => embedding), tokens };
}

function write(fields: Json): Buffer {
  return Buffer.from(JSON.stringify(fields));
}

/**
 * Embeddings and rerank of an emulated expert: a text's words, hashed into a vector, so that texts with words in common
 * are near. The same for the same text, everywhere; nothing more is meant by it.
 */
import type { Ask } from '../../dialects/ask.ts';
import { invalid, isObject, parseBody, readNumber } from '../../dialects/json.ts';
import type { Failure } from '../../reply/failure.ts';
import type { AnswerSink, Generation } from '../../reply/reply.ts';
import { hash, words } from './text.ts';

const DIMENSIONS = 256;
const MOST_DIMENSIONS = 4096;
const MOST_INPUTS = 2048;
/** Of a request, all its texts together. */
const MOST_WORDS = 65_536;
/** Places in the vector that each word adds to. */
const PLACES = 4;

/** Unit length; all zeros but the first for a text without words. */
export function emulatedVector(tokens: readonly string[], dimensions = DIMENSIONS): Float32Array {
  const vector = new Float32Array(dimensions);
  for (const token of tokens) {
    let at = hash(token.trim().toLowerCase());
    for (let place = 0; place < PLACES; place += 1) {
      at = mixed(at);
      vector[at % dimensions]! += at & 0x4000_0000 ? 1 : -1;
    }
  }
  const length = Math.hypot(...vector);
  if (length === 0) vector[0] = 1;
  else for (let at = 0; at < dimensions; at += 1) vector[at]! /= length;
  return vector;
}

/** Any 32 bits → others that look independent of them (the finaliser of MurmurHash3). */
function mixed(bits: number): number {
  let state = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
  return (state ^ (state >>> 16)) >>> 0;
}

/** Answers a request for embeddings or for a ranking. */
export function answerVectors(
  expert: string,
  { dialect, body }: Ask,
  id: string,
  sink: AnswerSink,
): Generation {
  let over = false;
  setImmediate(() => {
    if (over) return;
    try {
      const json = parseBody(body);
      const { answer, tokens } = dialect.id === 'rerank' ? ranking(id, json) : embeddings(expert, json);
      const bytes = Buffer.from(JSON.stringify(answer));
      sink.head(200, { 'content-type': 'application/json', 'content-length': String(bytes.length) });
      sink.data(bytes);
      sink.end({ usage: { inputTokens: tokens, outputTokens: 0 }, finishReason: 'unknown' });
    } catch (error) {
      sink.fail(error as Failure);
    }
  });
  return {
    resume: () => {},
    cancel: () => {
      over = true;
    },
  };
}

type Json = Readonly<Record<string, unknown>>;

interface Answered {
  readonly answer: Json;
  /** Words of the prompt. */
  readonly tokens: number;
}

function embeddings(expert: string, json: Json): Answered {
  const inputs = inputsOf(json.input);
  const tokens = counted(inputs, 'input');
  const dimensions = readNumber(json, 'dimensions', 1, MOST_DIMENSIONS, true);
  const format = json.encoding_format ?? 'float';
  if (format !== 'float' && format !== 'base64') throw invalid('encoding_format', 'must be float or base64');
  const data = inputs.map((tokens, index) => {
    const vector = emulatedVector(tokens, dimensions);
    const embedding = format === 'float' ? [...vector] : Buffer.from(vector.buffer).toString('base64');
    return { object: 'embedding', index, embedding };
  });
  const usage = { prompt_tokens: tokens, total_tokens: tokens };
  return { answer: { object: 'list', data, model: expert, usage }, tokens };
}

/** Each input as its tokens: words, or numbers as a client sent them. */
function inputsOf(input: unknown): readonly (readonly string[])[] {
  const list: readonly unknown[] = Array.isArray(input) && !isTokens(input) ? input : [input];
  if (list.length > MOST_INPUTS) throw invalid('input', `may hold ${MOST_INPUTS} texts`);
  return list.map((one, index) => {
    if (typeof one === 'string' && one !== '') return words(one);
    if (isTokens(one)) return one.map(String);
    throw invalid(
      list.length > 1 ? `input[${index}]` : 'input',
      'must be a text with content, or a list of token numbers',
    );
  });
}

function isTokens(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.length > 0 && value.every((one) => Number.isInteger(one) && one >= 0);
}

function ranking(id: string, json: Json): Answered {
  const query = words(textOf(json.query, 'query'));
  const documents = (json.documents as readonly unknown[]).map((one, at) => textOf(one, `documents[${at}]`));
  if (documents.length > MOST_INPUTS) throw invalid('documents', `may hold ${MOST_INPUTS} texts`);
  const read = documents.map(words);
  const tokens = counted([query, ...read], 'documents');
  const wanted = readNumber(json, 'top_n', 1, Number.MAX_SAFE_INTEGER, true) ?? documents.length;
  const asked = emulatedVector(query);
  const results = documents
    .map((text, index) => ({
      index,
      relevance_score: round((1 + dot(asked, emulatedVector(read[index]!))) / 2),
      ...(json.return_documents === true ? { document: { text } } : {}),
    }))
    .sort((a, b) => b.relevance_score - a.relevance_score || a.index - b.index)
    .slice(0, wanted);
  const usage = { prompt_tokens: tokens, total_tokens: tokens };
  return { answer: { id, results, usage }, tokens };
}

/** Words of all texts. @throws RouterError `invalid_body` where there are too many */
function counted(texts: readonly (readonly string[])[], field: string): number {
  const count = texts.reduce((sum, { length }) => sum + length, 0);
  if (count > MOST_WORDS) throw invalid(field, `may hold ${MOST_WORDS} words in all`);
  return count;
}

function textOf(value: unknown, at: string): string {
  const text = isObject(value) ? value.text : value;
  if (typeof text === 'string') return text;
  throw invalid(at, "must be a text, or an object with a 'text'");
}

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, at) => sum + value * b[at]!, 0);
}

function round(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}

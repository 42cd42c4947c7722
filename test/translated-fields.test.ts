/**
 * What only some dialects can say beside the conversations and settings of translation.test.ts: whoever reads it and whoever can
 * say it agree on it. A field is in the test of every pair of dialects that both have it.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anthropicMessages } from '../src/serving/dialects/anthropic-messages/index.ts';
import type { Ask, Part } from '../src/serving/dialects/ask.ts';
import type { Json, TextDialect } from '../src/serving/dialects/dialect.ts';
import { ollamaChat } from '../src/serving/dialects/ollama/index.ts';
import { openAiChat } from '../src/serving/dialects/openai/chat.ts';
import { asChat } from '../src/serving/dialects/openai/translated.ts';
import { openAiResponses } from '../src/serving/dialects/openai-responses/index.ts';
import { messagesRequest } from '../src/serving/experts/anthropic/request.ts';

const words = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).map((text) => `${text}.`);
const PNG = 'iVBORw0KGgo=';
const PDF = 'JVBERi0=';

const fields = fc.record({
  stop: fc.array(words, { minLength: 1, maxLength: 3 }),
  sampling: fc.record({
    temperature: fc.double({ min: 0, max: 1, noNaN: true }),
    topP: fc.double({ min: 0, max: 1, noNaN: true }),
    topK: fc.integer({ min: 1, max: 100 }),
  }),
  seed: fc.integer({ min: 0, max: 1e9 }),
  penalties: fc.record({
    repetitionPenalty: fc.double({ min: 0.5, max: 2, noNaN: true }),
    frequencyPenalty: fc.double({ min: 0.1, max: 2, noNaN: true }),
    presencePenalty: fc.double({ min: 0.1, max: 2, noNaN: true }),
  }),
  late: words,
  detail: fc.constantFrom('low', 'high'),
  fileName: words,
  failed: fc.boolean(),
  said: words,
  schema: fc.record({ name: fc.stringMatching(/^[a-z]{1,8}$/), description: words, strict: fc.boolean() }),
  json: fc.boolean(),
});
type Fields = typeof fields extends fc.Arbitrary<infer F> ? F : never;
type Field = keyof Fields | 'shown' | 'bareTool';

const SCHEMA = { type: 'object', properties: { b: { type: 'number' } } };
const picture = `data:image/png;base64,${PNG}`;
const document = `data:application/pdf;base64,${PDF}`;

/** A conversation of one call, whose result shows a picture, and a last turn with a picture and a file. */
const WRITTEN: Readonly<
  Record<string, { dialect: TextDialect; says: readonly Field[]; body(all: Fields): Json }>
> = {
  chat: {
    dialect: openAiChat,
    says: [
      'stop',
      'sampling',
      'seed',
      'penalties',
      'late',
      'detail',
      'fileName',
      'shown',
      'schema',
      'json',
      'bareTool',
    ],
    body: (all) => ({
      messages: [
        { role: 'user', content: 'Look.' },
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'look', arguments: '{}' } }],
        },
        {
          role: 'tool',
          tool_call_id: 'call_1',
          content: [
            { type: 'text', text: all.said },
            { type: 'image_url', image_url: { url: picture } },
          ],
        },
        { role: 'developer', content: all.late },
        {
          role: 'user',
          content: [
            { type: 'image_url', image_url: { url: picture, detail: all.detail } },
            { type: 'file', file: { filename: all.fileName, file_data: document } },
          ],
        },
      ],
      stop: all.stop,
      temperature: all.sampling.temperature,
      top_p: all.sampling.topP,
      top_k: all.sampling.topK,
      seed: all.seed,
      repetition_penalty: all.penalties.repetitionPenalty,
      frequency_penalty: all.penalties.frequencyPenalty,
      presence_penalty: all.penalties.presencePenalty,
      tools: [{ type: 'function', function: { name: 'bare' } }],
      response_format: all.json
        ? { type: 'json_object' }
        : { type: 'json_schema', json_schema: { ...all.schema, schema: SCHEMA } },
    }),
  },
  Messages: {
    dialect: anthropicMessages,
    says: ['stop', 'sampling', 'late', 'fileName', 'failed', 'shown'],
    body: (all) => ({
      messages: [
        { role: 'user', content: 'Look.' },
        { role: 'assistant', content: [{ type: 'tool_use', id: 'call_1', name: 'look', input: {} }] },
        {
          role: 'user',
          content: [
            {
              type: 'tool_result',
              tool_use_id: 'call_1',
              is_error: all.failed,
              content: [
                { type: 'text', text: all.said },
                { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG } },
              ],
            },
          ],
        },
        { role: 'system', content: all.late },
        {
          role: 'user',
          content: [
            { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG } },
            {
              type: 'document',
              title: all.fileName,
              source: { type: 'base64', media_type: 'application/pdf', data: PDF },
            },
          ],
        },
      ],
      max_tokens: 9,
      stop_sequences: all.stop,
      temperature: all.sampling.temperature,
      top_p: all.sampling.topP,
      top_k: all.sampling.topK,
    }),
  },
  Responses: {
    dialect: openAiResponses,
    says: ['late', 'detail', 'fileName', 'failed', 'shown', 'schema', 'json', 'bareTool'],
    body: (all) => ({
      input: [
        { role: 'user', content: 'Look.' },
        { type: 'function_call', call_id: 'call_1', name: 'look', arguments: '{}' },
        {
          type: 'function_call_output',
          call_id: 'call_1',
          status: all.failed ? 'failed' : 'completed',
          output: [
            { type: 'input_text', text: all.said },
            { type: 'input_image', image_url: picture },
          ],
        },
        { role: 'developer', content: all.late },
        {
          role: 'user',
          content: [
            { type: 'input_image', image_url: picture, detail: all.detail },
            { type: 'input_file', filename: all.fileName, file_data: document },
          ],
        },
      ],
      tools: [{ type: 'function', name: 'bare' }],
      text: {
        format: all.json ? { type: 'json_object' } : { type: 'json_schema', ...all.schema, schema: SCHEMA },
      },
    }),
  },
  Ollama: {
    dialect: ollamaChat,
    says: ['stop', 'sampling', 'seed', 'penalties', 'late', 'json', 'bareTool'],
    body: (all) => ({
      messages: [
        { role: 'user', content: 'Look.' },
        { role: 'assistant', tool_calls: [{ id: 'call_1', function: { name: 'look', arguments: {} } }] },
        { role: 'tool', tool_call_id: 'call_1', content: all.said },
        { role: 'system', content: all.late },
        { role: 'user', content: '', images: [PNG] },
      ],
      options: {
        stop: all.stop,
        temperature: all.sampling.temperature,
        top_p: all.sampling.topP,
        top_k: all.sampling.topK,
        seed: all.seed,
        repeat_penalty: all.penalties.repetitionPenalty,
        frequency_penalty: all.penalties.frequencyPenalty,
        presence_penalty: all.penalties.presencePenalty,
      },
      tools: [{ type: 'function', function: { name: 'bare' } }],
      format: all.json ? 'json' : SCHEMA,
    }),
  },
};

function read(dialect: TextDialect, json: Json): Ask {
  const sent = JSON.parse(JSON.stringify(json)) as Json;
  return dialect.ask(dialect.facts(sent), {
    bytes: Buffer.from(JSON.stringify(json)),
    json: sent,
    partial: false,
  });
}

/** What an ask says of each field. */
function meantBy(ask: Ask): Record<Field, unknown> {
  const prompt = ask.prompt();
  if (prompt.kind !== 'conversation') throw new Error('no conversation');
  const parts = prompt.messages.flatMap((message) => message.parts);
  const one = <T extends Part['type']>(type: T) =>
    parts.find((part): part is Extract<Part, { type: T }> => part.type === type);
  const result = one('tool result')!;
  const { stop, temperature, topP, topK, seed, ...others } = ask.parameters();
  const { repetitionPenalty, frequencyPenalty, presencePenalty } = others;
  const format = ask.format();
  const { name, description, strict } = format.type === 'schema' ? format : {};
  const pictures = [...parts, ...result.parts].filter((part) => part.type === 'image');
  const file = one('file');
  return {
    stop,
    sampling: { temperature, topP, topK },
    seed,
    penalties: { repetitionPenalty, frequencyPenalty, presencePenalty },
    late: prompt.messages
      .filter(({ role }) => role === 'system')
      .flatMap(({ parts: told }) => told.map((part) => (part.type === 'text' ? part.text : '')))
      .join(''),
    detail: pictures.find(({ detail }) => detail !== undefined)?.detail,
    fileName: file && [file.name, file.data],
    failed: result.failed,
    said: result.parts.flatMap((part) => (part.type === 'text' ? part.text : [])).join(''),
    schema: format.type === 'schema' ? { name, description, strict } : null,
    json: format.type === 'json',
    shown: pictures.length,
    bareTool: ask.tools().list,
  };
}

function expected(all: Fields): Record<Field, unknown> {
  return {
    ...all,
    fileName: [all.fileName, document],
    schema: all.json ? null : all.schema,
    shown: 2,
    bareTool: [{ name: 'bare', description: undefined, parameters: undefined, strict: false }],
  };
}

const only = (all: Record<Field, unknown>, names: readonly Field[]) =>
  Object.fromEntries(names.map((name) => [name, all[name]]));

describe.each(Object.entries(WRITTEN))(
  'what only some dialects can say, in %s,',
  (_, { dialect, says, body }) => {
    it('is read, and told in chat completions', () => {
      fc.assert(
        fc.property(fields, (all) => {
          const ask = read(dialect, body(all));
          const own = [...says, 'said' as const];
          expect(only(meantBy(ask), own)).toEqual(only(expected(all), own));
          const both = own.filter((name) => name === 'said' || WRITTEN.chat!.says.includes(name));
          expect(only(meantBy(asChat(ask)), both)).toEqual(only(expected(all), both));
        }),
      );
    });

    it('is told in Messages', () => {
      fc.assert(
        fc.property(fields, (all) => {
          const ask = read(dialect, body({ ...all, json: false }));
          const { body: sent } = messagesRequest(ask, { model: 'm', maxTokens: 9, sampling: 'send' });
          const both = ['said' as const, ...says.filter((name) => WRITTEN.Messages!.says.includes(name))];
          const heard = meantBy(read(anthropicMessages, sent as unknown as Json));
          expect(only(heard, both)).toEqual(only(expected(all), both));
        }),
      );
    });
  },
);

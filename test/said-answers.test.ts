/**
 * Whatever a server says in a chat completion, in any of its spellings, whole or cut anywhere, reaches a client of any dialect
 * as the same words, thoughts and calls.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anthropicMessages } from '../src/serving/dialects/anthropic-messages/index.ts';
import type { Json, TextDialect } from '../src/serving/dialects/dialect.ts';
import { openAiChat } from '../src/serving/dialects/openai/chat.ts';
import { OpenAiReader, readWhole } from '../src/serving/dialects/openai/reader.ts';
import { openAiResponses } from '../src/serving/dialects/openai-responses/index.ts';
import type { Reply } from '../src/serving/reply/reply.ts';
import { replyTo } from '../src/serving/reply/reply-to.ts';

interface Call {
  readonly form: 'function' | 'custom' | 'older';
  readonly name: string;
  readonly given: string;
}
interface Answer {
  readonly thought: string;
  readonly thoughtAs: 'reasoning_content' | 'reasoning' | 'thinking' | 'reasoning_details';
  readonly text: string;
  readonly spoken: boolean;
  readonly refused: string;
  readonly calls: readonly Call[];
}

const words = fc.string({ unit: 'grapheme', maxLength: 12 });
const call: fc.Arbitrary<Call> = fc.record({
  form: fc.constantFrom('function', 'custom'),
  name: fc.stringMatching(/^[a-z]{1,8}$/),
  given: fc.oneof(words, fc.string({ unit: 'binary', maxLength: 8 })),
});
const answer: fc.Arbitrary<Answer> = fc
  .record({
    thought: words,
    thoughtAs: fc.constantFrom('reasoning_content', 'reasoning', 'thinking', 'reasoning_details'),
    text: words,
    spoken: fc.boolean(),
    refused: words,
    calls: fc.oneof(
      fc.array(call, { maxLength: 3 }),
      call.map((one) => [{ ...one, form: 'older' as const }]),
    ),
  })
  .filter(({ text, refused, calls }) => text !== '' || refused !== '' || calls.length > 0);

/** What a function is given must be an object; a custom tool takes any text. */
const given = ({ form, given: text }: Call): string =>
  form === 'custom' ? text : JSON.stringify({ a: text });

function message({ thought, thoughtAs, text, spoken, refused, calls }: Answer): Json {
  const older = calls.find(({ form }) => form === 'older');
  const others = calls.filter(({ form }) => form !== 'older');
  return {
    role: 'assistant',
    content: spoken ? null : text,
    ...(thoughtAs === 'reasoning_details'
      ? { reasoning_details: [{ type: 'reasoning.text', text: thought }] }
      : { [thoughtAs]: thought }),
    ...(spoken ? { audio: { id: 'a', data: 'AA==', transcript: text } } : {}),
    ...(refused === '' ? {} : { refusal: refused }),
    ...(older ? { function_call: { name: older.name, arguments: given(older) } } : {}),
    ...(others.length > 0 ? { tool_calls: others.map(callBody) } : {}),
  };
}

function callBody(one: Call, index: number): Json {
  const own = { index, id: `c${index}`, type: one.form };
  return one.form === 'custom'
    ? { ...own, custom: { name: one.name, input: given(one) } }
    : { ...own, function: { name: one.name, arguments: given(one) } };
}

/** The same in pieces, as servers stream them: words, thoughts and what calls are given are cut anywhere. */
function chunks(said: Answer, size: number): readonly Json[] {
  const {
    content,
    audio,
    refusal,
    tool_calls: calls,
    function_call: older,
    ...rest
  } = message(said) as never as {
    content: string | null;
    audio?: { transcript: string };
    refusal?: string;
    tool_calls?: (Json & { custom?: { input: string }; function?: { arguments: string } })[];
    function_call?: { name: string; arguments: string };
  };
  return [
    rest,
    ...(audio ? [{ audio: { id: 'a' } }] : []),
    ...pieces(content ?? '', size).map((piece) => ({ content: piece })),
    ...pieces(audio?.transcript ?? '', size).map((transcript) => ({ audio: { transcript } })),
    ...pieces(refusal ?? '', size).map((piece) => ({ refusal: piece })),
    ...(older ? [{ function_call: { name: older.name, arguments: '' } }] : []),
    ...pieces(older?.arguments ?? '', size).map((json) => ({ function_call: { arguments: json } })),
    ...(calls ?? []).flatMap(({ index, id, type, custom, function: called }) => [
      custom
        ? { tool_calls: [{ index, id, type, custom: { ...custom, input: '' } }] }
        : { tool_calls: [{ index, id, type, function: { ...called, arguments: '' } }] },
      ...pieces(custom?.input ?? called!.arguments, size).map((piece) => ({
        tool_calls: [
          { index, ...(custom ? { custom: { input: piece } } : { function: { arguments: piece } }) },
        ],
      })),
    ]),
  ];
}

function pieces(text: string, size: number): readonly string[] {
  return Array.from({ length: Math.ceil(text.length / size) }, (_, n) =>
    text.slice(n * size, (n + 1) * size),
  );
}

interface Heard {
  readonly text: string;
  readonly thinking: string;
  readonly calls: readonly (readonly [name: string, given: string])[];
}

/** What an answer says; a refusal is text to a client that has no field for it. */
function meant({ thought, text, refused, calls }: Answer, thinks: boolean): Heard {
  return {
    text: text + refused,
    thinking: thinks ? thought : '',
    calls: calls.map((one) => [
      one.name,
      one.form === 'custom' ? JSON.stringify({ input: given(one) }) : given(one),
    ]),
  };
}

function hearing(): { reply: Reply; heard: { text: string; thinking: string; calls: [string, string][] } } {
  const heard = { text: '', thinking: '', calls: [] as [string, string][] };
  const reply = replyTo({
    text: (piece) => {
      heard.text += piece;
      return true;
    },
    thinking: (piece) => {
      heard.thinking += piece;
      return true;
    },
    toolCall: (_, name) => heard.calls.push([name, '']) > 0,
    toolArguments: (piece) => {
      heard.calls.at(-1)![1] += piece;
      return true;
    },
  });
  return { reply, heard };
}

const parsed = ({ calls, ...rest }: Heard) => ({
  ...rest,
  calls: calls.map(([name, json]) => [name, JSON.parse(json)]),
});

const CLIENTS: readonly [string, TextDialect, Json][] = [
  ['Responses', openAiResponses, { input: 'x' }],
  [
    'Messages',
    anthropicMessages,
    { messages: [{ role: 'user', content: 'x' }], max_tokens: 9, thinking: { type: 'adaptive' } },
  ],
  ['chat completions', openAiChat, { messages: [{ role: 'user', content: 'x' }] }],
];

/** The stream that a client gets for an answer told to its writer, read again. */
function throughClient(dialect: TextDialect, json: Json, tell: (reply: Reply) => void): Heard {
  const body = { ...json, stream: true };
  const ask = dialect.ask(dialect.facts(body), { bytes: Buffer.from(''), json: body, partial: false });
  const { reply, heard } = hearing();
  const reader = dialect.reader(reply);
  const writer = dialect.writer(ask, {
    head: () => {},
    data: (piece) => {
      for (const _ of reader.read(Buffer.from(piece)));
      return true;
    },
    end: () => {},
    fail: (failure) => {
      throw failure;
    },
  });
  writer.begin({ id: 'x-1', created: 1, model: 'm' });
  tell(writer);
  expect(reader.finish()).toBe(true);
  return heard;
}

describe.each(CLIENTS)('for a client of %s', (_, dialect, json) => {
  it('a whole answer loses nothing', () => {
    fc.assert(
      fc.property(answer, (said) => {
        const whole = { choices: [{ index: 0, message: message(said), finish_reason: 'stop' }] };
        const heard = throughClient(dialect, json, (reply) => {
          expect(readWhole(JSON.stringify(whole), reply)).toBe(true);
        });
        expect(parsed(heard)).toEqual(parsed(meant(said, true)));
      }),
    );
  });

  it('nor does a streamed one, wherever it is cut', () => {
    fc.assert(
      fc.property(answer, fc.integer({ min: 1, max: 9 }), (said, size) => {
        const events = [
          ...chunks(said, size).map((delta) => ({ delta })),
          { delta: {}, finish_reason: 'stop' },
        ];
        const heard = throughClient(dialect, json, (reply) => {
          const reader = new OpenAiReader(reply);
          for (const event of events)
            for (const _ of reader.read(
              Buffer.from(`data: ${JSON.stringify({ choices: [{ index: 0, ...event }] })}\n\n`),
            ));
          expect(reader.finish()).toBe(true);
        });
        expect(parsed(heard)).toEqual(parsed(meant(said, true)));
      }),
    );
  });
});

it('tells at which text of the request the answer stopped', () => {
  const ended: unknown[] = [];
  const reply = replyTo({ finish: (...end) => void ended.push(end) });
  const choice = { index: 0, message: { content: 'a' }, finish_reason: 'stop', stop_reason: 'END' };
  readWhole(JSON.stringify({ choices: [choice] }), reply);
  readWhole(JSON.stringify({ choices: [{ ...choice, stop_reason: 128_009 }] }), reply);
  expect(ended).toEqual([
    ['stop', 'unknown', 'END'],
    ['stop', 'unknown', undefined],
  ]);
});

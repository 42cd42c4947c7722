/**
 * Nothing is lost that two dialects can both say: requests of each of them, read and written in another, and answers
 * written and read again, wherever their bytes are cut. docs/dialects.md lists what only one can say.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anthropicMessages } from '../src/serving/dialects/anthropic-messages/index.ts';
import type { Ask, Part, Tools } from '../src/serving/dialects/ask.ts';
import type { Json, TextDialect } from '../src/serving/dialects/dialect.ts';
import { openAiChat } from '../src/serving/dialects/openai/chat.ts';
import { asChat } from '../src/serving/dialects/openai/translated.ts';
import { openAiResponses } from '../src/serving/dialects/openai-responses/index.ts';
import { messagesRequest } from '../src/serving/experts/anthropic/request.ts';
import type { FinishReason, Outcome, Reply, Usage } from '../src/serving/reply/reply.ts';

// Conversations that all three can hold

interface Call {
  readonly name: string;
  readonly input: object;
}
interface Exchange {
  readonly user: string;
  readonly picture: string | null;
  readonly said: string;
  readonly calls: readonly Call[];
  readonly results: readonly string[];
}
interface Conversation {
  readonly system: string;
  readonly exchanges: readonly Exchange[];
  readonly last: string;
}

/** Blank text is refused by Anthropic, and half a surrogate pair by everyone. */
const words = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).map((text) => `${text}.`);
const name = fc.stringMatching(/^[a-z][a-zA-Z0-9_-]{0,20}$/);
const input = fc
  .dictionary(
    fc.stringMatching(/^[a-z]{1,6}$/),
    fc.oneof(words, fc.integer(), fc.boolean(), fc.constant(null)),
  )
  .map((value): object => ({ ...value }));
const exchange: fc.Arbitrary<Exchange> = fc
  .record({
    user: words,
    picture: fc.option(fc.constantFrom('data:image/png;base64,AA==', 'https://x.example/a.png')),
    said: words,
    calls: fc.array(fc.record({ name, input }), { maxLength: 3 }),
    result: words,
  })
  .map(({ result, ...rest }) => ({ ...rest, results: rest.calls.map((_, at) => `${result} ${at}`) }));
const conversation: fc.Arbitrary<Conversation> = fc.record({
  system: words,
  exchanges: fc.array(exchange, { maxLength: 4 }),
  last: words,
});

/** What every dialect must read of it. */
function meaning({ system, exchanges, last }: Conversation): object[] {
  const told = exchanges.flatMap(({ user, picture, said, calls, results }, at) => [
    { role: 'user', parts: [text(user), ...(picture === null ? [] : [{ type: 'image', url: picture }])] },
    {
      role: 'assistant',
      parts: [text(said), ...calls.map((call, n) => ({ type: 'tool call', id: idOf(at, n), ...call }))],
    },
    ...results.map((result, n) => ({
      role: 'tool',
      parts: [{ type: 'tool result', id: idOf(at, n), parts: [text(result)] }],
    })),
  ]);
  return merged([{ role: 'system', parts: [text(system)] }, ...told, { role: 'user', parts: [text(last)] }]);
}

const text = (value: string) => ({ type: 'text', text: value });
const idOf = (exchanged: number, call: number) => `call_${exchanged}_${call}`;

function chatBody({ system, exchanges, last }: Conversation): Json {
  const told = exchanges.flatMap(({ user, picture, said, calls, results }, at) => [
    {
      role: 'user',
      content: picture === null ? user : [text(user), { type: 'image_url', image_url: { url: picture } }],
    },
    {
      role: 'assistant',
      content: said,
      ...(calls.length === 0
        ? {}
        : {
            tool_calls: calls.map((call, n) => ({
              id: idOf(at, n),
              type: 'function',
              function: { name: call.name, arguments: JSON.stringify(call.input) },
            })),
          }),
    },
    ...results.map((content, n) => ({ role: 'tool', tool_call_id: idOf(at, n), content })),
  ]);
  return { messages: [{ role: 'system', content: system }, ...told, { role: 'user', content: last }] };
}

function messagesBody({ system, exchanges, last }: Conversation): Json {
  const image = (url: string) =>
    url.startsWith('data:')
      ? { type: 'base64', media_type: 'image/png', data: url.slice(url.indexOf(',') + 1) }
      : { type: 'url', url };
  const told = exchanges.flatMap(({ user, picture, said, calls, results }, at) => [
    {
      role: 'user',
      content: [text(user), ...(picture === null ? [] : [{ type: 'image', source: image(picture) }])],
    },
    {
      role: 'assistant',
      content: [text(said), ...calls.map((call, n) => ({ type: 'tool_use', id: idOf(at, n), ...call }))],
    },
    ...(results.length === 0
      ? []
      : [
          {
            role: 'user',
            content: results.map((content, n) => ({
              type: 'tool_result',
              tool_use_id: idOf(at, n),
              content,
            })),
          },
        ]),
  ]);
  return { system, messages: [...told, { role: 'user', content: last }], max_tokens: 9 };
}

function responsesBody({ system, exchanges, last }: Conversation): Json {
  const told = exchanges.flatMap(({ user, picture, said, calls, results }, at) => [
    {
      role: 'user',
      content: [
        { type: 'input_text', text: user },
        ...(picture === null ? [] : [{ type: 'input_image', image_url: picture }]),
      ],
    },
    { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: said }] },
    ...calls.map((call, n) => ({
      type: 'function_call',
      call_id: idOf(at, n),
      name: call.name,
      arguments: JSON.stringify(call.input),
    })),
    ...results.map((output, n) => ({ type: 'function_call_output', call_id: idOf(at, n), output })),
  ]);
  return { instructions: system, input: [...told, { role: 'user', content: last }] };
}

const DIALECTS: readonly [string, TextDialect, (conversation: Conversation) => Json][] = [
  ['chat completions', openAiChat, chatBody],
  ['Messages', anthropicMessages, messagesBody],
  ['Responses', openAiResponses, responsesBody],
];

function read(dialect: TextDialect, json: Json): Ask {
  const sent = JSON.parse(JSON.stringify(json)) as Json;
  const body = { bytes: Buffer.from(JSON.stringify(json)), json: sent, partial: false };
  return dialect.ask(dialect.facts(sent), body);
}

/** The conversation of an ask without places; results of tools are messages of their own, adjacent texts are one. */
function meant(ask: Ask): object[] {
  const prompt = ask.prompt();
  if (prompt.kind !== 'conversation') throw new Error('no conversation');
  return merged(
    prompt.messages.flatMap(({ role, parts }) => {
      const results = parts.filter(({ type }) => type === 'tool result');
      const others = parts.filter(({ type }) => type !== 'tool result');
      return [
        ...results.map((part) => ({ role: 'tool', parts: [plain(part)] })),
        ...(others.length > 0 ? [{ role, parts: others.map(plain) }] : []),
      ];
    }),
  );
}

function plain(part: Part): object {
  switch (part.type) {
    case 'image':
      return { type: part.type, url: part.url };
    case 'tool call': {
      const { type, id, name: called } = part;
      return { type, id, name: called, input: JSON.parse(part.arguments || '{}') };
    }
    case 'tool result':
      return { type: part.type, id: part.id, parts: joined(part.parts.map(plain)) };
    default:
      return part;
  }
}

interface Meant {
  readonly role: string;
  readonly parts: readonly object[];
}

/** Adjacent messages of a user, or of an assistant, are one to Anthropic. */
function merged(messages: readonly Meant[]): object[] {
  const all: { role: string; parts: object[] }[] = [];
  for (const { role, parts } of messages) {
    const last = all.at(-1);
    if (last?.role === role && role !== 'tool') last.parts.push(...parts);
    else all.push({ role, parts: [...parts] });
  }
  return all.map(({ role, parts }) => ({ role, parts: joined(parts) }));
}

function joined(parts: readonly object[]): object[] {
  const all: object[] = [];
  for (const part of parts) {
    const last = all.at(-1);
    if (last && 'text' in last && 'text' in part) all[all.length - 1] = text(`${last.text}${part.text}`);
    else all.push(part);
  }
  return all;
}

const SETTINGS = { model: 'm', maxTokens: 9, sampling: 'drop' } as const;

describe.each(DIALECTS)('a conversation in %s', (_, dialect, write) => {
  it('means the same as in the others, and so do its translations', () => {
    fc.assert(
      fc.property(conversation, (said) => {
        const ask = read(dialect, write(said));
        expect(meant(ask)).toEqual(meaning(said));
        expect(meant(asChat(ask))).toEqual(meaning(said));
        const { body } = messagesRequest(ask, SETTINGS);
        expect(meant(read(anthropicMessages, body as unknown as Json))).toEqual(meaning(said));
      }),
      { numRuns: 150 },
    );
  });
});

// What else a request asks

const tool = fc.record({
  name,
  description: words,
  parameters: fc.constant({ type: 'object', properties: { a: { type: 'string' } }, required: ['a'] }),
  strict: fc.boolean(),
});
const settings = fc.record({
  tools: fc.uniqueArray(tool, { selector: (one) => one.name, minLength: 1, maxLength: 3 }),
  choice: fc.constantFrom('auto', 'none', 'any', 'one'),
  parallel: fc.boolean(),
  maxTokens: fc.integer({ min: 1, max: 1e6 }),
  temperature: fc.double({ min: 0, max: 1, noNaN: true }),
  topP: fc.double({ min: 0, max: 1, noNaN: true }),
  effort: fc.constantFrom('low', 'medium', 'high'),
  schema: fc.constant({ type: 'object', properties: { b: { type: 'number' } } }),
});
type Settings = typeof settings extends fc.Arbitrary<infer S> ? S : never;

function bodyIn(dialect: TextDialect, all: Settings): Json {
  const { tools, choice, parallel, maxTokens, temperature, topP, effort, schema } = all;
  const one = tools[0]!.name;
  const common = { temperature, top_p: topP };
  if (dialect === openAiChat)
    return {
      ...common,
      messages: [{ role: 'user', content: 'x' }],
      max_completion_tokens: maxTokens,
      reasoning_effort: effort,
      tools: tools.map((own) => ({ type: 'function', function: own })),
      tool_choice: choiceIn({ type: 'function', function: { name: one } }, choice),
      parallel_tool_calls: parallel,
      response_format: { type: 'json_schema', json_schema: { name: 'answer', schema } },
    };
  if (dialect === openAiResponses)
    return {
      ...common,
      input: 'x',
      max_output_tokens: maxTokens,
      reasoning: { effort },
      tools: tools.map((own) => ({ type: 'function', ...own })),
      tool_choice: choiceIn({ type: 'function', name: one }, choice),
      parallel_tool_calls: parallel,
      text: { format: { type: 'json_schema', name: 'answer', schema } },
    };
  return {
    ...common,
    messages: [{ role: 'user', content: 'x' }],
    max_tokens: maxTokens,
    output_config: { effort, format: { type: 'json_schema', schema } },
    tools: tools.map(({ parameters, ...own }) => ({ ...own, input_schema: parameters })),
    tool_choice: {
      type: choice === 'one' ? 'tool' : choice,
      ...(choice === 'one' ? { name: one } : {}),
      ...(parallel ? {} : { disable_parallel_tool_use: true }),
    },
  };
}

function choiceIn(one: object, choice: Settings['choice']): unknown {
  if (choice === 'one') return one;
  return choice === 'any' ? 'required' : choice;
}

function settled(ask: Ask): object {
  const { maxTokens, temperature, topP, effort } = ask.parameters();
  const { list, choice, parallel } = ask.tools();
  const format = ask.format();
  const schema = format.type === 'schema' ? format.schema : null;
  return { tools: list, choice, parallel, maxTokens, temperature, topP, effort, schema };
}

describe.each(DIALECTS)('the settings of a request in %s', (_, dialect) => {
  it('mean the same as in the others, and so do their translations', () => {
    fc.assert(
      fc.property(settings, (all) => {
        const { choice, ...others } = all;
        const chosen: Tools['choice'] =
          choice === 'one' ? { type: 'one', name: all.tools[0]!.name } : { type: choice };
        const ask = read(dialect, bodyIn(dialect, all));
        expect(settled(ask)).toEqual({ ...others, choice: chosen });
        expect(settled(asChat(ask))).toEqual({ ...others, choice: chosen });
        const { body } = messagesRequest(ask, SETTINGS);
        const sent = settled(read(anthropicMessages, body as unknown as Json));
        // Sampling is dropped for its newer models; a choice of none has no say over parallel calls.
        const parallel = choice === 'none' || all.parallel;
        const anthropics = choice === 'auto' && all.parallel ? null : chosen;
        const left = { temperature: undefined, topP: undefined, parallel, choice: anthropics };
        expect(sent).toEqual({ ...others, ...left });
      }),
      { numRuns: 150 },
    );
  });
});

// Answers

type Told =
  | { readonly text: string }
  | { readonly thinking: string }
  | { readonly call: string; readonly name: string; readonly json: string };

const pieces = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 });
const told: fc.Arbitrary<readonly Told[]> = fc.array(
  fc.oneof(
    fc.record({ text: pieces }),
    fc.record({ thinking: pieces }),
    fc.record({
      call: fc.stringMatching(/^call_[a-z]{4}$/),
      name,
      json: input.map((value) => JSON.stringify(value)),
    }),
  ),
  { minLength: 1, maxLength: 5 },
);
const usage: fc.Arbitrary<Usage> = fc
  .record({ cachedTokens: fc.nat(50), more: fc.nat(50), outputTokens: fc.nat(50) })
  .map(({ cachedTokens, more, outputTokens }) => ({
    inputTokens: cachedTokens + more,
    cachedTokens,
    outputTokens,
    reasoningTokens: Math.min(outputTokens, 3),
  }));

/** Cuts anywhere, between the halves of a surrogate pair too. */
function* cut(value: string, sizes: readonly number[]): Generator<string> {
  let at = 0;
  for (let n = 0; at < value.length; n += 1) {
    const size = sizes[n % sizes.length]!;
    yield value.slice(at, at + size);
    at += size;
  }
}

function tell(reply: Reply, all: readonly Told[], sizes: readonly number[]): void {
  reply.begin({ id: 'x-1', created: 1, model: 'm' });
  for (const one of all) {
    if ('text' in one) for (const piece of cut(one.text, sizes)) reply.text(piece);
    else if ('thinking' in one) for (const piece of cut(one.thinking, sizes)) reply.thinking(piece);
    else {
      reply.toolCall(one.call, one.name);
      for (const piece of cut(one.json, sizes)) reply.toolArguments(piece);
    }
  }
}

class Hearing implements Reply {
  readonly all: Told[] = [];
  ended: [unknown, unknown] | null = null;
  begin(): void {}
  text(piece: string): boolean {
    const last = this.all.at(-1);
    if (last && 'text' in last) this.all[this.all.length - 1] = { text: last.text + piece };
    else this.all.push({ text: piece });
    return true;
  }
  thinking(piece: string): boolean {
    const last = this.all.at(-1);
    if (last && 'thinking' in last) this.all[this.all.length - 1] = { thinking: last.thinking + piece };
    else this.all.push({ thinking: piece });
    return true;
  }
  toolCall(call: string, called: string): boolean {
    this.all.push({ call, name: called, json: '' });
    return true;
  }
  toolArguments(piece: string): boolean {
    const last = this.all.at(-1);
    if (last && 'call' in last) this.all[this.all.length - 1] = { ...last, json: last.json + piece };
    return true;
  }
  finish(reason: FinishReason | 'unknown', counted: Usage | 'unknown'): void {
    this.ended = [reason, counted];
  }
  fail(failure: Error): void {
    throw failure;
  }
}

/** The bytes of an answer. */
function written(dialect: TextDialect, stream: boolean, write: (reply: Reply) => void): Buffer {
  const bytes: Uint8Array[] = [];
  const json: Json =
    dialect === openAiResponses
      ? { input: 'x' }
      : { messages: [{ role: 'user', content: 'x' }], max_tokens: 9, thinking: { type: 'adaptive' } };
  const ask = read(dialect, { ...json, stream, stream_options: { include_usage: true } });
  const sink = {
    head: () => {},
    data: (chunk: Uint8Array) => bytes.push(chunk) > 0,
    end: () => {},
    fail: (failure: Error) => {
      throw failure;
    },
  };
  write(dialect.writer(ask, sink));
  return Buffer.concat(bytes);
}

const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 });

describe.each(DIALECTS)('an answer in %s', (_, dialect) => {
  const one = fc.record({ told, usage, sizes, reason: fc.constantFrom<FinishReason>('stop', 'length') });

  it('reads as it was told, wherever its pieces and its bytes are cut', () => {
    fc.assert(
      fc.property(one, ({ told: all, usage: counted, sizes: at, reason }) => {
        const calls = all.some((part) => 'call' in part);
        const ended = calls && reason === 'stop' ? 'tool calls' : reason;
        const bytes = written(dialect, true, (reply) => {
          tell(reply, all, at);
          reply.finish(ended, counted);
        });
        const heard = new Hearing();
        const reader = dialect.reader(heard);
        let from = 0;
        for (let n = 0; from < bytes.length; from += at[n % at.length]!, n += 1)
          for (const room of reader.read(bytes.subarray(from, from + at[n % at.length]!)))
            expect(room).toBe(true);
        expect(reader.finish()).toBe(true);
        const expected = new Hearing();
        tell(expected, all, [1000]);
        expect(heard.all).toEqual(expected.all);
        expect(heard.ended).toEqual([ended, counted]);
      }),
      { numRuns: 150 },
    );
  });

  it('is judged alike, wherever its bytes are cut', () => {
    fc.assert(
      fc.property(one, fc.boolean(), ({ told: all, usage: counted, sizes: at, reason }, stream) => {
        const bytes = written(dialect, stream, (reply) => {
          tell(reply, all, at);
          reply.finish(reason, counted);
        });
        const whole = dialect.scanner(stream);
        const opening = whole.push(bytes);
        const ending = whole.end() as Outcome;
        const parts = dialect.scanner(stream);
        let last: unknown = null;
        let from = 0;
        for (let n = 0; from < bytes.length; from += at[n % at.length]!, n += 1)
          last = parts.push(bytes.subarray(from, from + at[n % at.length]!));
        expect(last).toBe(opening);
        expect(opening).toBe(stream ? 'content' : 'silence');
        expect(parts.end()).toEqual(ending);
        expect(ending.usage).toEqual(counted);
      }),
      { numRuns: 150 },
    );
  });

  it('that is cut short is never taken for whole', () => {
    fc.assert(
      fc.property(told, fc.double({ min: 0, max: 0.9, noNaN: true }), (all, share) => {
        const bytes = written(dialect, true, (reply) => tell(reply, all, [7]));
        const scanner = dialect.scanner(true);
        scanner.push(bytes.subarray(0, Math.floor(bytes.length * share)));
        expect(scanner.end()).toHaveProperty('missing');
        expect(scanner.done).toBe(false);
      }),
    );
  });
});

it('a whole chat completion reads as it was told', () => {
  const one = fc.record({ told, usage });
  const of = (all: readonly Told[]) => ({
    text: all.map((part) => ('text' in part ? part.text : '')).join(''),
    thinking: all.map((part) => ('thinking' in part ? part.thinking : '')).join(''),
    calls: all.filter((part) => 'call' in part),
  });
  fc.assert(
    fc.property(one, ({ told: all, usage: counted }) => {
      const bytes = written(openAiChat, false, (reply) => {
        tell(reply, all, [5]);
        reply.finish('stop', counted);
      });
      const heard = new Hearing();
      expect(openAiChat.whole!(bytes.toString(), heard)).toBe(true);
      expect(of(heard.all)).toEqual(of(all));
      expect(heard.ended).toEqual(['stop', counted]);
    }),
  );
});

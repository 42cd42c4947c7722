/** OpenAI's chunks, cut anywhere, against what the typed reply that wrote them was told. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { askOf } from '../../experts/expert.contract.tools.ts';
import type { Reply } from '../../reply/reply.ts';
import { replyTo } from '../../reply/reply-to.ts';
import { OpenAiReader, readWhole } from './reader.ts';
import { asChat } from './translated.ts';
import { openAiWriter } from './writer.ts';

type Said = { text: string; thinking: string; calls: string[][]; end: unknown[] };

function recorder(): { reply: Reply; said: Said } {
  const said: Said = { text: '', thinking: '', calls: [], end: [] };
  const reply: Reply = {
    begin: () => {},
    text: (piece) => {
      said.text += piece;
      return true;
    },
    thinking: (piece) => {
      said.thinking += piece;
      return true;
    },
    toolCall: (id, name) => said.calls.push([id, name, '']) > 0,
    toolArguments: (piece) => {
      said.calls.at(-1)![2] += piece;
      return true;
    },
    finish: (...end) => void said.end.push(...end.filter((one) => one !== undefined)),
    fail: () => {},
  };
  return { reply, said };
}

function read(bytes: Buffer, cuts: readonly number[] = []): Said & { whole: boolean } {
  const { reply, said } = recorder();
  const reader = new OpenAiReader(reply);
  const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  for (let i = 1; i < at.length; i++) {
    for (const room of reader.read(bytes.subarray(at[i - 1], at[i]))) expect(room).toBe(true);
  }
  return { ...said, whole: reader.finish() };
}

const USAGE = { inputTokens: 3, cachedTokens: 1, outputTokens: 2 };
const messages = [{ role: 'user', content: 'x' }];

function written(tell: (reply: Reply) => void): Buffer {
  const chunks: Buffer[] = [];
  const sink = {
    head: () => {},
    data: (chunk: Uint8Array) => chunks.push(Buffer.from(chunk)) > 0,
    end: () => {},
    fail: () => {},
  };
  const ask = askOf({ messages, stream: true, stream_options: { include_usage: true } });
  const reply = openAiWriter(ask, sink);
  reply.begin({ id: 'i', created: 1, model: 'm' });
  tell(reply);
  reply.finish('tool calls', USAGE);
  return Buffer.concat(chunks);
}

describe('words and calls that some servers write otherwise', () => {
  const thinking = { type: 'thinking', thinking: [{ type: 'text', text: 'Hm.' }] };
  const call = (json: unknown) => ({ id: 'c', type: 'function', function: { name: 'f', arguments: json } });
  it.each<[string, object, Partial<Said>]>([
    ['parts', { content: [thinking, { type: 'text', text: 'Blue.' }] }, { text: 'Blue.', thinking: 'Hm.' }],
    ['a refusal', { content: null, refusal: 'I cannot.' }, { text: 'I cannot.' }],
    ['a refusal among parts', { content: [{ type: 'refusal', refusal: 'No.' }] }, { text: 'No.' }],
    ['arguments that are an object', { tool_calls: [call({ a: 1 })] }, { calls: [['c', 'f', '{"a":1}']] }],
    ['nothing', { content: [] }, { text: '', thinking: '', calls: [] }],
  ])('%s: not lost, whole and streamed', (_, message, said) => {
    const whole = recorder();
    const choice = { index: 0, finish_reason: 'stop' };
    expect(readWhole(JSON.stringify({ choices: [{ ...choice, message }] }), whole.reply)).toBe(true);
    expect(whole.said).toMatchObject(said);
    const chunk = JSON.stringify({ choices: [{ ...choice, delta: message }] });
    expect(read(Buffer.from(`data: ${chunk}\n\ndata: [DONE]\n\n`))).toMatchObject(said);
  });
});

describe('OpenAiReader', () => {
  it('tells what the writer was told, however the bytes are cut', () => {
    const said = fc.string({ unit: 'grapheme', minLength: 1 });
    const call = fc.record({ id: said, name: said, json: fc.array(said) });
    fc.assert(
      fc.property(
        fc.array(said),
        fc.array(said),
        fc.array(call),
        fc.array(fc.nat()),
        (thoughts, texts, calls, cuts) => {
          const bytes = written((reply) => {
            for (const piece of thoughts) reply.thinking(piece);
            for (const piece of texts) reply.text(piece);
            for (const { id, name, json } of calls) {
              reply.toolCall(id, name);
              for (const piece of json) reply.toolArguments(piece);
            }
          });
          expect(read(bytes, cuts)).toEqual({
            thinking: thoughts.join(''),
            text: texts.join(''),
            calls: calls.map(({ id, name, json }) => [id, name, json.join('')]),
            end: ['tool calls', USAGE],
            whole: true,
          });
        },
      ),
    );
  });

  it('does not take a part for the whole, and throws an error', () => {
    const chunk = 'data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}\n\n';
    expect(read(Buffer.from(chunk))).toMatchObject({ text: 'a', whole: false, end: [] });
    expect(() => read(Buffer.from(`${chunk}data: {"error":{"message":"no","code":429}}\n\n`))).toThrow(
      expect.objectContaining({ status: 429, message: 'no' }),
    );
  });

  it('reads the text of a completion', () => {
    const event = (choice: object) => `data: ${JSON.stringify({ choices: [choice] })}\n\n`;
    const bytes = event({ text: 'ab' }) + event({ text: 'c' }) + event({ text: '', finish_reason: 'length' });
    expect(read(Buffer.from(bytes))).toMatchObject({ text: 'abc', end: ['length', 'unknown'], whole: true });
  });

  it('does not pass over an event that is not JSON', () => {
    expect(() => read(Buffer.from('data: {"choices":[{"del\n\n'))).toThrow(SyntaxError);
  });
});

describe('asChat', () => {
  it('says in OpenAI’s words what was asked in them', () => {
    const call = { id: 'c', type: 'function', function: { name: 'f', arguments: '{"x":1}' } };
    const asked = {
      messages: [
        { role: 'system', content: 'short' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'see' },
            { type: 'image_url', image_url: { url: 'https://h/a.png' } },
          ],
        },
        { role: 'assistant', content: null, tool_calls: [call] },
        { role: 'tool', tool_call_id: 'c', content: 'one' },
        { role: 'user', content: 'and?' },
      ],
      max_tokens: 7,
      temperature: 0.5,
      top_p: 0.9,
      top_k: 3,
      seed: 1,
      stop: ['END'],
      tools: [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }],
      tool_choice: 'required',
      parallel_tool_calls: false,
      response_format: { type: 'json_schema', json_schema: { name: 'answer', schema: { type: 'object' } } },
      stream: true,
      stream_options: { include_usage: true },
    };
    expect(JSON.parse(asChat(askOf(asked)).body.toString())).toEqual(asked);
  });

  it('refuses what has no counterpart, by its field', () => {
    const audio = [{ role: 'user', content: [{ type: 'input_audio', input_audio: {} }] }];
    expect(() => asChat(askOf({ messages: audio }))).toThrow(
      expect.objectContaining({ code: 'unsupported_parameter', param: 'messages[0].content[0]' }),
    );
  });
});

it('reads a whole answer into the reply that its stream would give', () => {
  const call = (id: string, name: string) => ({ id, type: 'function', function: { name, arguments: '{}' } });
  const message = { content: 'Hi', reasoning_content: 'Hm', tool_calls: [call('1', 'f'), call('2', 'g')] };
  const details = {
    prompt_tokens_details: { cached_tokens: 2 },
    completion_tokens_details: { reasoning_tokens: 1 },
  };
  const usage = { prompt_tokens: 5, completion_tokens: 3, total_tokens: 8, ...details };
  const told: unknown[][] = [];
  const note = (...call: unknown[]) => told.push(call.filter((one) => one !== undefined)) > 0;
  const reply = replyTo({ text: note, thinking: note, toolCall: note, toolArguments: note, finish: note });
  const answer = { choices: [{ index: 0, message, finish_reason: 'tool_calls' }], usage };
  expect(readWhole(JSON.stringify(answer), reply)).toBe(true);
  expect(told).toEqual([
    ['Hm'],
    ['Hi'],
    ['1', 'f'],
    ['{}'],
    ['2', 'g'],
    ['{}'],
    ['tool calls', { inputTokens: 5, cachedTokens: 2, outputTokens: 3, reasoningTokens: 1 }],
  ]);
  expect(readWhole('{"choices":[]}', reply)).toBe(false);
  expect(() => readWhole('{"error":{"message":"no"}}', reply)).toThrow('no');
});

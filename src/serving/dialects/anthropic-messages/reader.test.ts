/** Streams of the Messages API, cut anywhere, against what a typed reply must be told. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ToldFailure } from '../../reply/failure.ts';
import type { Reply } from '../../reply/reply.ts';
import { MessagesReader } from './reader.ts';

/** A reply that writes down what it is told. */
function recorder(): {
  reply: Reply;
  said: { text: string; thinking: string; calls: string[][]; end: unknown[] };
} {
  const said = { text: '', thinking: '', calls: [] as string[][], end: [] as unknown[] };
  const reply: Reply = {
    text: (piece) => {
      said.text += piece;
      return true;
    },
    toolCall: (id, name) => said.calls.push([id, name, '']) > 0,
    toolArguments: (piece) => {
      said.calls.at(-1)![2] += piece;
      return true;
    },
    begin: () => {},
    thinking: (piece) => {
      said.thinking += piece;
      return true;
    },
    fail: () => {},
    finish: (...end) => void said.end.push(end.filter((one) => one !== undefined)),
  };
  return { reply, said };
}

function read(bytes: Buffer, cuts: readonly number[] = []) {
  const { reply, said } = recorder();
  const reader = new MessagesReader(reply);
  const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  for (let i = 1; i < at.length; i++) {
    for (const room of reader.read(bytes.subarray(at[i - 1], at[i]))) expect(room).toBe(true);
  }
  return { ...said, whole: reader.finish() };
}

const event = (type: string, data: object) =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`;
const start = event('message_start', { message: { usage: { input_tokens: 7, output_tokens: 1 } } });
const stop = (stop_reason: string) =>
  event('message_delta', { delta: { stop_reason, stop_sequence: null }, usage: { output_tokens: 9 } }) +
  event('message_stop', {});
const usage = { inputTokens: 7, outputTokens: 9 };

type Block = { readonly text: string[] } | { readonly name: string; readonly json: string[] };
const blocks = fc.array(
  fc.oneof(
    fc.record({ text: fc.array(fc.string({ unit: 'grapheme' })) }),
    fc.record({ name: fc.string({ minLength: 1 }), json: fc.array(fc.string({ unit: 'binary' })) }),
  ),
  { maxLength: 4 },
);

function written(list: readonly Block[]): string {
  return list
    .map((block, index) => {
      const text = 'text' in block;
      const opened = text
        ? { type: 'text', text: '' }
        : { type: 'tool_use', id: `t${index}`, name: block.name, input: {} };
      const deltas = text
        ? block.text.map((piece) => ({ type: 'text_delta', text: piece }))
        : block.json.map((piece) => ({ type: 'input_json_delta', partial_json: piece }));
      return (
        event('content_block_start', { index, content_block: opened }) +
        event('ping', {}) +
        deltas.map((delta) => event('content_block_delta', { index, delta })).join('') +
        event('content_block_stop', { index })
      );
    })
    .join('');
}

describe('MessagesReader', () => {
  it('says text and calls as they were, however the bytes are cut', () => {
    fc.assert(
      fc.property(blocks, fc.array(fc.nat()), (list, cuts) => {
        const said = read(Buffer.from(start + written(list) + stop('end_turn')), cuts);
        expect(said.whole).toBe(true);
        expect(said.text).toBe(list.flatMap((block) => ('text' in block ? block.text : [])).join(''));
        expect(said.calls).toEqual(
          list.flatMap((block, index) =>
            'text' in block ? [] : [[`t${index}`, block.name, block.json.join('') || '{}']],
          ),
        );
        expect(said.end).toEqual([['stop', usage]]);
      }),
    );
  });

  it.each([
    ['end_turn', 'stop'],
    ['stop_sequence', 'stop'],
    ['max_tokens', 'length'],
    ['model_context_window_exceeded', 'length'],
    ['tool_use', 'tool calls'],
    ['refusal', 'filtered'],
    ['brand_new_reason', 'unknown'],
  ])('%s is told as %s', (reason, told) => {
    expect(read(Buffer.from(start + stop(reason))).end).toEqual([[told, usage]]);
  });

  it('counts what later events add or correct, and cached tokens among the prompt', () => {
    const counted =
      event('message_start', {
        message: { usage: { input_tokens: 4, cache_read_input_tokens: 10, output_tokens: 1 } },
      }) +
      event('message_delta', {
        delta: { stop_reason: 'end_turn' },
        usage: { input_tokens: null, output_tokens: 6, output_tokens_details: { thinking_tokens: 2 } },
      });
    expect(read(Buffer.from(counted)).end).toEqual([
      ['stop', { inputTokens: 14, cachedTokens: 10, outputTokens: 6, reasoningTokens: 2 }],
    ]);
  });

  it('invents neither usage nor an end', () => {
    const silent =
      event('message_start', { message: {} }) +
      event('message_delta', { delta: { stop_reason: 'end_turn' } });
    expect(read(Buffer.from(silent)).end).toEqual([['stop', 'unknown']]);
    expect(read(Buffer.from(start + written([{ text: ['half'] }])))).toMatchObject({ whole: false, end: [] });
  });

  it('tells thoughts, and passes over citations, server tools and whatever the API may add', () => {
    const delta = (more: object) => event('content_block_delta', { index: 0, delta: more });
    const strange =
      start +
      event('content_block_start', { index: 0, content_block: { type: 'thinking', thinking: '' } }) +
      delta({ type: 'thinking_delta', thinking: 'hm' }) +
      delta({ type: 'signature_delta', signature: 'x' }) +
      event('content_block_stop', { index: 0 }) +
      event('content_block_start', {
        index: 1,
        content_block: { type: 'server_tool_use', id: 's', input: {} },
      }) +
      delta({ type: 'input_json_delta', partial_json: '{}' }) +
      event('content_block_stop', { index: 1 }) +
      event('something_new', { x: 1 }) +
      stop('end_turn');
    expect(read(Buffer.from(strange))).toMatchObject({
      text: '',
      thinking: 'hm',
      calls: [],
      end: [['stop', usage]],
    });
  });

  it('throws an error event, with the status its type stands for', () => {
    const failed = (type: string) => event('error', { error: { type, message: 'no' } });
    const thrown = (type: string): unknown => {
      try {
        return read(Buffer.from(start + failed(type)));
      } catch (error) {
        return error;
      }
    };
    expect(thrown('overloaded_error')).toBeInstanceOf(ToldFailure);
    expect(thrown('overloaded_error')).toMatchObject({ status: 529 });
    expect(thrown('rate_limit_error')).toMatchObject({ status: 429 });
    expect(thrown('brand_new_error')).toMatchObject({ status: 500 });
  });
});

/** What the contract suite cannot provoke: pieces cut inside a character, and an end without any text. */
import { describe, expect, it } from 'vitest';
import { askOf, events, textOf } from '../../experts/expert.contract.tools.ts';
import { openAiWriter } from './writer.ts';

function record(stream: boolean, pieces: readonly string[]): { body: string; calls: string[] } {
  const calls: string[] = [];
  const chunks: Buffer[] = [];
  const sink = {
    head: () => void calls.push('head'),
    data: (chunk: Uint8Array) => chunks.push(Buffer.from(chunk)) > 0,
    end: () => void calls.push('end'),
    fail: () => void calls.push('fail'),
  };
  const reply = openAiWriter(askOf({ messages: [{ role: 'user', content: 'x' }], stream }), sink);
  reply.begin({ id: 'i', created: 1, model: 'm' });
  for (const piece of pieces) reply.text(piece);
  reply.finish('stop', 'unknown');
  return { body: Buffer.concat(chunks).toString('utf8'), calls };
}

it('joins halves of a surrogate pair before they reach the wire', () => {
  const { body } = record(true, ['a\ud83d', '\ude00b']);
  expect(events(body).map((chunk) => chunk.choices[0].delta.content)).toEqual(['', 'a', '😀b', undefined]);
  expect(body).not.toContain('\\ud83d');
});

it('replaces a half that stays alone, streamed or not', () => {
  expect(textOf(record(true, ['a', '\ud83d']).body)).toBe('a\uFFFD');
  expect(textOf(record(false, ['a', '\ud83d', 'b']).body)).toBe('a\uFFFDb');
});

it('is a whole reply even without text, and invents no usage', () => {
  const streamed = record(true, []);
  expect(streamed.calls).toEqual(['head', 'end']);
  expect(events(streamed.body)[0].choices[0].delta.role).toBe('assistant');
  expect(JSON.parse(record(false, []).body)).not.toHaveProperty('usage');
});

describe('tool calls', () => {
  const said = (stream: boolean): string => {
    const chunks: Buffer[] = [];
    const sink = {
      head: () => {},
      data: (chunk: Uint8Array) => chunks.push(Buffer.from(chunk)) > 0,
      end: () => {},
      fail: () => {},
    };
    const reply = openAiWriter(askOf({ messages: [{ role: 'user', content: 'x' }], stream }), sink);
    reply.begin({ id: 'i', created: 1, model: 'm' });
    reply.text('so\ud83d');
    reply.toolCall('a', 'f');
    reply.toolArguments('{"x"');
    reply.toolArguments(':1}');
    reply.toolCall('b', 'g');
    reply.finish('tool calls', 'unknown');
    return Buffer.concat(chunks).toString('utf8');
  };
  const call = (id: string, name: string, json: string) => ({
    id,
    type: 'function',
    function: { name, arguments: json },
  });

  it('stand beside the text of a whole reply', () => {
    expect(JSON.parse(said(false)).choices[0]).toMatchObject({
      message: { content: 'so\uFFFD', tool_calls: [call('a', 'f', '{"x":1}'), call('b', 'g', '')] },
      finish_reason: 'tool_calls',
    });
  });

  it('come in order in a stream, after the text before them', () => {
    const deltas = events(said(true)).map((chunk) => chunk.choices[0].delta);
    expect(deltas).toEqual([
      { role: 'assistant', content: '' },
      { content: 'so' },
      { content: '\uFFFD' },
      { tool_calls: [{ index: 0, ...call('a', 'f', '') }] },
      { tool_calls: [{ index: 0, function: { arguments: '{"x"' } }] },
      { tool_calls: [{ index: 0, function: { arguments: ':1}' } }] },
      { tool_calls: [{ index: 1, ...call('b', 'g', '') }] },
      {},
    ]);
  });
});

it('thoughts stand in a field of their own, before the text', () => {
  const said = (stream: boolean): string => {
    const chunks: Buffer[] = [];
    const sink = {
      head: () => {},
      data: (chunk: Uint8Array) => chunks.push(Buffer.from(chunk)) > 0,
      end: () => {},
      fail: () => {},
    };
    const reply = openAiWriter(askOf({ messages: [{ role: 'user', content: 'x' }], stream }), sink);
    reply.begin({ id: 'i', created: 1, model: 'm' });
    reply.thinking('hm\ud83d');
    reply.text('yes');
    reply.finish('stop', 'unknown');
    return Buffer.concat(chunks).toString('utf8');
  };
  expect(JSON.parse(said(false)).choices[0].message).toMatchObject({
    content: 'yes',
    reasoning_content: 'hm\uFFFD',
  });
  expect(events(said(true)).map((chunk) => chunk.choices[0].delta)).toEqual([
    { role: 'assistant', content: '' },
    { reasoning_content: 'hm' },
    { reasoning_content: '\uFFFD' },
    { content: 'yes' },
    {},
  ]);
});

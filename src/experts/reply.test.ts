/** What the contract suite cannot provoke: pieces cut inside a character, and an end without any text. */
import { expect, it } from 'vitest';
import { events, requestOf, textOf } from './expert.contract.tools.ts';
import { openReply } from './reply.ts';

function record(stream: boolean, pieces: readonly string[]): { body: string; calls: string[] } {
  const calls: string[] = [];
  const chunks: Buffer[] = [];
  const sink = {
    head: () => void calls.push('head'),
    data: (chunk: Uint8Array) => chunks.push(Buffer.from(chunk)) > 0,
    end: () => void calls.push('end'),
    fail: () => void calls.push('fail'),
  };
  const request = requestOf({ messages: [{ role: 'user', content: 'x' }], stream });
  const reply = openReply(request, sink, { id: 'i', created: 1, model: 'm' });
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

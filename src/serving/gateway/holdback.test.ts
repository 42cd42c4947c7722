/** What is kept from a client, and for how long, however the bytes were cut. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Holdback, type Judgement } from './holdback.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const event = (delta: object): string =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: null }] })}\n\n`;
const ROLE = event({ role: 'assistant', content: '' });

/** The judgement after the last piece that was still waited for. */
function judge(held: Holdback, pieces: readonly string[]): Judgement {
  let judgement: Judgement = 'wait';
  for (const piece of pieces) if (judgement === 'wait') judgement = held.push(bytes(piece));
  return judgement;
}

describe('a stream', () => {
  it.each([
    ['a role', ROLE],
    ['a role with nulls', event({ role: 'assistant', content: null, tool_calls: null })],
    ['a comment', ': working\n\n'],
    ['half an event', event({ content: 'Hi' }).slice(0, 30)],
    ['comments and a role', `: a\n\n${ROLE}`],
  ])('waits after %s', (_name, text) => {
    expect(new Holdback('stream').push(bytes(text))).toBe('wait');
  });

  it.each([
    ['a token', event({ content: 'Hi' })],
    ['a role with a token', event({ role: 'assistant', content: 'Hi' })],
    ['a tool call', event({ tool_calls: [{ index: 0, function: { name: 'f', arguments: '' } }] })],
    ['a field nobody knows', event({ thinking: 'Hm' })],
    ['the event after the role', ROLE + event({ content: 'H' }).slice(0, 8)],
    ['a text that names an error', event({ content: '{"error":{"message":"no"}}' })],
  ])('passes with %s', (_name, text) => {
    expect(new Holdback('stream').push(bytes(text))).toBe('pass');
  });

  it('is over with an error event before the first token', () => {
    expect(judge(new Holdback('stream'), [ROLE, 'data: {"error":{"message":"no"}}\n\n'])).toEqual({
      wrong: 'answered with an error event',
    });
  });

  it('gives back exactly what came, however it was cut, and holds a bounded part of it', () => {
    const answer = ROLE + event({ content: 'x'.repeat(50) }) + event({ content: 'y' });
    fc.assert(
      fc.property(fc.array(fc.nat(answer.length), { maxLength: 30 }), (cuts) => {
        const held = new Holdback('stream');
        const edges = [0, ...cuts.sort((a, b) => a - b), answer.length];
        const given: Uint8Array[] = [];
        let judgement: Judgement = 'wait';
        edges.slice(1).forEach((edge, index) => {
          const piece = bytes(answer.slice(edges[index]!, edge));
          if (judgement === 'pass') given.push(piece);
          else judgement = held.push(piece);
          if (judgement === 'pass') given.push(...held.take());
        });
        expect(judgement).toBe('pass');
        expect(Buffer.concat(given).toString()).toBe(answer);
      }),
    );
    expect(new Holdback('stream').push(bytes(`: ${'x'.repeat(5000)}`))).toBe('pass');
  });
});

describe('a whole answer', () => {
  it('waits for its end, up to a size', () => {
    const held = new Holdback('whole');
    expect(held.push(bytes('{"choices":'))).toBe('wait');
    expect(held.push(bytes('[]}\n'))).toBe('wait');
    expect(held.end()).toBe('pass');
    expect(new Holdback('whole').push(Buffer.alloc(65 * 1024, 'x'))).toBe('pass');
  });

  it.each([
    ['nothing', '', 'gave an empty answer'],
    ['events', 'data: {"choices":[]}\n\ndata: {"choices":[]}\n\n', 'gave an answer that is not whole'],
    ['half of it', '{"choices":[{"message":{"content":"a', 'gave an answer that is not whole'],
    [
      'half of it up to a brace',
      '{"choices":[{"message":{"content":"a"}',
      'gave an answer that is not whole',
    ],
    ['half of it up to a brace in a text', '{"choices":[{"text":"a\\"}', 'gave an answer that is not whole'],
    ['an error', '{"error": {"message": "no"}}', 'answered with an error under a status of success'],
  ])('is none with %s', (_name, text, wrong) => {
    const held = new Holdback('whole');
    if (text) held.push(bytes(text));
    expect(held.end()).toEqual({ wrong });
  });

  it('that was too long to keep is judged at its end all the same', () => {
    for (const [end, judgement] of [
      ['}"}', 'pass'],
      ['}', { wrong: 'gave an answer that is not whole' }],
    ] as const) {
      const held = new Holdback('whole');
      expect(held.push(bytes(`{"text":"${'x'.repeat(65 * 1024)}`))).toBe('pass');
      held.take();
      held.watch(bytes(end));
      expect(held.end()).toEqual(judgement);
    }
  });
});

it('passes encoded bytes on at once, and judges only that there are some', () => {
  const held = new Holdback('encoded');
  expect(held.push(bytes('\x1f\x8b'))).toBe('pass');
  expect(held.end()).toBe('pass');
  expect(new Holdback('encoded').end()).toEqual({ wrong: 'gave an empty answer' });
});

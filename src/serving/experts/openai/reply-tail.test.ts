import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReplyTail } from './reply-tail.ts';

const USAGE = {
  prompt_tokens: 12,
  completion_tokens: 34,
  total_tokens: 46,
  prompt_tokens_details: { cached_tokens: 3 },
};

function outcome(text: string, cuts: readonly number[] = []) {
  const bytes = Buffer.from(text);
  const tail = new ReplyTail();
  const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  for (let i = 1; i < at.length; i++) tail.push(bytes.subarray(at[i - 1], at[i]));
  return tail.outcome();
}

const found = { usage: { prompt_tokens: 12, completion_tokens: 34, total_tokens: 46 }, finishReason: 'stop' };
const event = (value: unknown) => `data: ${JSON.stringify(value)}\n\n`;
const stream = (content: string) =>
  event({ choices: [{ delta: { content } }], usage: null }) +
  event({ choices: [{ delta: {}, finish_reason: 'stop' }] }) +
  event({ choices: [], usage: USAGE }) +
  'data: [DONE]\n\n';

describe('ReplyTail', () => {
  it('finds usage and finish reason in streams and plain bodies', () => {
    expect(outcome(stream('hi'))).toEqual(found);
    expect(
      outcome(
        JSON.stringify(
          { choices: [{ finish_reason: 'stop' }], usage: USAGE, system_fingerprint: 'x' },
          null,
          2,
        ),
      ),
    ).toEqual(found);
  });

  it('is not fooled by the same words inside an answer, however the bytes are cut', () => {
    const quoting = fc.array(
      fc.constantFrom(
        '"usage":{"prompt_tokens":1,"completion_tokens":1}',
        '"finish_reason":"length"',
        '🦊',
        'x'.repeat(3000),
        '\\',
      ),
    );
    fc.assert(
      fc.property(quoting, fc.array(fc.nat()), (words, cuts) => {
        expect(outcome(stream(words.join('')), cuts)).toEqual(found);
      }),
    );
  });

  it('invariant 10: invents nothing', () => {
    expect(outcome('data: {"choices":[]}\n\ndata: [DONE]\n\n')).toEqual({
      usage: 'unknown',
      finishReason: 'unknown',
    });
    expect(outcome('{"usage":{"prompt_tokens":-1,"completion_tokens":2}}').usage).toBe('unknown');
    expect(outcome('{"usage":{"prompt_tokens":1').usage).toBe('unknown');
    expect(outcome('').usage).toBe('unknown');
  });
});

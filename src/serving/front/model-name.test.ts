import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutAnywhere } from '../../../test/support/http-cases.ts';
import type { AttemptSink } from '../gateway/attempts.ts';
import { UNKNOWN_OUTCOME } from '../reply/reply.ts';
import { renaming } from './model-name.ts';

interface Read {
  text: string;
  headers: Readonly<Record<string, string>>;
}

function through(pieces: readonly Buffer[], asked: string, headers: Record<string, string> = {}): Read {
  const parts: Buffer[] = [];
  const read: Read = { text: '', headers: {} };
  const sink: AttemptSink = {
    served: () => {},
    waiting: () => {},
    head: (_status, heads) => {
      read.headers = heads;
    },
    data: (chunk) => parts.push(Buffer.from(chunk)) > 0,
    end: () => {},
    fail: () => {},
  };
  const renamed = renaming(sink, asked);
  renamed.head(200, headers);
  for (const piece of pieces) renamed.data(piece);
  renamed.end(UNKNOWN_OUTCOME);
  read.text = Buffer.concat(parts).toString();
  return read;
}

const event = (model: string, content: string): string =>
  `data: ${JSON.stringify({ id: 'x', model, choices: [{ delta: { content } }] })}\n\n`;

describe('the name that was asked for', () => {
  it('stands wherever the answer names its model, wherever it is cut', () => {
    const name = fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' });
    fc.assert(
      fc.property(
        name,
        name,
        fc.array(fc.string({ unit: 'grapheme' })),
        cutAnywhere,
        (served, asked, texts, cut) => {
          const write = (model: string) =>
            texts.map((text) => event(model, `${text}"model":"${served}"`)).join('');
          expect(through(cut(Buffer.from(write(served))), asked).text).toBe(write(asked));
        },
      ),
    );
  });

  it('leaves other names alone, and answers without one', () => {
    const text = `${event('a', 'x')}${event('b', 'y')}`;
    expect(through([Buffer.from(text)], 'c').text).toBe(`${event('c', 'x')}${event('b', 'y')}`);
    const long = `{"choices":[],"text":"${'y'.repeat(100_000)}"}`;
    expect(through([Buffer.from(long)], 'c').text).toBe(long);
  });

  it('changes the length of a whole answer, and nothing that it cannot read', () => {
    const body = Buffer.from('{ "model" : "served", "n": 1 }');
    const whole = through([body], 'a name', { 'content-length': String(body.length) });
    expect(whole).toEqual({ text: '{ "model" : "a name", "n": 1 }', headers: {} });
    const coded = { 'content-encoding': 'br', 'content-length': '3' };
    expect(through([Buffer.from('"model":"x"')], 'y', coded)).toEqual({
      text: '"model":"x"',
      headers: coded,
    });
  });
});

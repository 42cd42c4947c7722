import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RouterError } from '../../../core/errors.ts';
import { DIALECTS, readAsk } from '../index.ts';
import { openAiChat } from './chat.ts';
import { openAiCompletions } from './completions.ts';

const chat = (value: unknown) =>
  readAsk(openAiChat, Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)));

function refusal(value: unknown): { code: string; param: string | null } {
  try {
    chat(value);
  } catch (error) {
    if (error instanceof RouterError) return { code: error.code, param: error.param };
  }
  return { code: 'accepted', param: null };
}

const user = { role: 'user', content: 'hi' };

describe('readAsk', () => {
  it('reads model and stream, and asks the router to choose when no model is named', () => {
    expect(chat({ messages: [user] })).toMatchObject({ model: 'auto', stream: false });
    expect(chat({ model: 'code', stream: true, messages: [user] })).toMatchObject({
      model: 'code',
      stream: true,
    });
  });

  it.each([
    ['', 'invalid_json', null],
    ['{', 'invalid_json', null],
    ['[]', 'invalid_body', null],
    ['null', 'invalid_body', null],
    [{}, 'invalid_body', 'messages'],
    [{ messages: 'hi' }, 'invalid_body', 'messages'],
    [{ messages: [] }, 'invalid_body', 'messages'],
    [{ messages: ['hi'] }, 'invalid_body', 'messages[0]'],
    [{ messages: [user, { content: 'x' }] }, 'invalid_body', 'messages[1].role'],
    [{ messages: [{ role: 'user', content: 7 }] }, 'invalid_body', 'messages[0].content'],
    [{ messages: [{ role: 'user', content: ['hi'] }] }, 'invalid_body', 'messages[0].content[0]'],
    [
      { messages: [{ role: 'user', content: [{ type: 'text' }] }] },
      'invalid_body',
      'messages[0].content[0].text',
    ],
    [{ messages: [user], stream: 'yes' }, 'invalid_body', 'stream'],
    [{ messages: [user], model: 3 }, 'invalid_body', 'model'],
  ])('refuses %j with %s at %s', (value, code, param) => {
    expect(refusal(value)).toEqual({ code, param });
  });

  it('takes assistant messages without content and parts it cannot read', () => {
    const messages = [
      user,
      { role: 'assistant', content: null, tool_calls: [] },
      { role: 'user', content: [{ type: 'image_url' }] },
    ];
    expect(refusal({ messages })).toEqual({ code: 'accepted', param: null });
  });

  it('takes one prompt or several, as text or as token ids', () => {
    const completion = (prompt: unknown) =>
      readAsk(openAiCompletions, Buffer.from(JSON.stringify({ prompt })));
    expect(completion('a').dialect).toBe(openAiCompletions);
    expect(completion(['a', 'b']).dialect).toBe(openAiCompletions);
    expect(completion([1, 2]).dialect).toMatchObject({ id: 'openai-completions', writer: null });
    for (const bad of [undefined, null, [], [1, 'a'], 5]) expect(() => completion(bad)).toThrow(RouterError);
  });

  it('tells the two shapes of the dry run apart', () => {
    expect(readAsk(null, Buffer.from('{"prompt":"a"}')).dialect).toBe(openAiCompletions);
    const both = '{"prompt":"a","messages":[{"role":"user"}]}';
    expect(readAsk(null, Buffer.from(both)).dialect).toBe(openAiChat);
    expect(() => readAsk(null, Buffer.from('{}'))).toThrow(/messages/);
  });

  it('answers any JSON with a request or a RouterError, never with another exception', () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom(...DIALECTS), (json, dialect) => {
        try {
          readAsk(dialect, Buffer.from(json));
        } catch (error) {
          expect(error).toBeInstanceOf(RouterError);
        }
      }),
    );
  });
});

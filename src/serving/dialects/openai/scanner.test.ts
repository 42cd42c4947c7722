/** What OpenAI's bytes tell while they pass by, however they were cut. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ToldFailure } from '../../reply/failure.ts';
import type { Ending, Opening } from '../../reply/scanner.ts';
import { openAiScanner } from './scanner.ts';

const USAGE = { prompt_tokens: 12, completion_tokens: 34, total_tokens: 46 };
const COUNTED = { inputTokens: 12, outputTokens: 34 };
const event = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`;
const chunk = (delta: object, finish_reason: string | null = null, index = 0): string =>
  event({ id: 'c', choices: [{ index, delta, finish_reason }] });
const text = (content: string): string => chunk({ content });
const ROLE = chunk({ role: 'assistant', content: '' });
const STOP = chunk({}, 'stop');
const DONE = 'data: [DONE]\n\n';

function scan(stream: boolean, bytes: string, cuts: readonly number[] = []) {
  const all = Buffer.from(bytes);
  const scanner = openAiScanner(stream);
  const at = [0, ...cuts.map((cut) => cut % (all.length + 1)).toSorted((a, b) => a - b), all.length];
  let opening: Opening = 'silence';
  let silent = 0;
  for (let i = 1; i < at.length; i++) {
    if (opening !== 'silence') break;
    opening = scanner.push(all.subarray(at[i - 1], at[i]));
    if (opening === 'silence') silent = at[i]!;
    else scanner.push(all.subarray(at[i]));
  }
  return { opening, silent, ending: scanner.end() };
}
const opening = (bytes: string): Opening => openAiScanner(true).push(Buffer.from(bytes));
const ending = (bytes: string, cuts?: readonly number[]): Ending => scan(true, bytes, cuts).ending;
const whole = (bytes: string): Ending => scan(false, bytes).ending;
const finished = { finishReason: 'stop', usage: 'unknown' };
const cut = { missing: expect.stringMatching(/without a finish reason/) };

describe('the opening of a stream', () => {
  it.each([
    ['nothing', ''],
    ['a role', ROLE],
    ['a role with nulls', chunk({ role: 'assistant', content: null, tool_calls: null })],
    ['a comment', ': working\n\n'],
    ['half an event', text('Hi').slice(0, 30)],
    ['comments and a role', `: a\n\n${ROLE}`],
    ['a chunk without choices', event({ choices: [], prompt_filter_results: [{}] })],
    ['a finish reason that is empty', chunk({ role: 'assistant' }, '')],
    ['a stop and nothing else', ROLE + STOP],
    ['[DONE]', DONE],
    ['what nobody knows', event({ a: 1 }) + event([]) + event('x') + event({})],
    ['half of some JSON', 'data: {"id":"x","choices":[{"index":0,"del\n\n'],
  ])('is silence with %s', (_name, bytes) => {
    expect(opening(bytes)).toBe('silence');
  });

  it.each([
    ['a token', text('Hi')],
    ['a token of a completion', event({ choices: [{ index: 0, text: 'Hi', finish_reason: null }] })],
    ['a role with a token', chunk({ role: 'assistant', content: 'Hi' })],
    ['a tool call', chunk({ tool_calls: [{ index: 0, function: { name: 'f', arguments: '' } }] })],
    ['a thought', chunk({ reasoning_content: 'Hm' })],
    ['an end at a limit', ROLE + chunk({}, 'length')],
    ['the end of an empty completion', event({ choices: [{ index: 0, text: '', finish_reason: 'stop' }] })],
    ['a text that names an error', text('{"error":{"message":"no"}}')],
    ['an error that is null', event({ error: null, choices: [{ index: 0, delta: { content: 'Hi' } }] })],
    ['what is no JSON to the letter', text('a').replace('"index":0', '"x":NaN')],
    ['comments without end', `: ${'x'.repeat(20_000)}`],
  ])('is content with %s', (_name, bytes) => {
    expect(opening(bytes)).toBe('content');
  });

  it.each<[string, string, number, string]>([
    ['first', event({ error: { message: 'no', code: 429 } }), 429, 'no'],
    ['as a text', event({ error: 'no' }), 502, 'no'],
    ['after a comment', `: queued\n\n${event({ error: { message: 'no', code: 400 } })}`, 400, 'no'],
    ['after a role', ROLE + event({ error: { message: 'no', code: 400 } }), 400, 'no'],
    ['beside choices', event({ id: 'g', choices: [], error: { code: 502, message: 'full' } }), 502, 'full'],
    ['flat', event({ object: 'error', message: 'long', type: 'BadRequestError', code: 400 }), 400, 'long'],
    ['as a detail', event({ detail: 'engine loop died' }), 502, 'engine loop died'],
    ['without a name for it', event({ code: 429, message: 'slow down', data: null }), 429, 'slow down'],
    ['by a code in words', event({ code: 'InvalidParameter', message: 'no', request_id: 'r' }), 502, 'no'],
    ['by its status', event({ status: 'error', msg: 'no' }), 502, 'no'],
    ['as one of several', event({ errors: [{ message: 'no', code: 503 }] }), 502, 'no'],
    ['by an event name', `event: error\n${event({ error: { message: 'no' } })}`, 502, 'no'],
    ['across lines', 'data: {"error":\ndata: {"message":"no"}}\n\n', 502, 'no'],
    ['with carriage returns', event({ error: { message: 'no' } }).replaceAll('\n', '\r'), 502, 'no'],
  ])('is an error %s, however it is cut', (_name, bytes, status, message) => {
    expect(opening(bytes)).toMatchObject({ status, message });
    fc.assert(
      fc.property(fc.array(fc.nat()), (cuts) => {
        const seen = scan(true, bytes, cuts);
        expect(seen.opening).toBeInstanceOf(ToldFailure);
        expect(seen.ending).toMatchObject({ status, message });
      }),
      { numRuns: 30 },
    );
  });
});

describe('the end of a stream', () => {
  it.each([
    ['[DONE]', text('a') + DONE, { finishReason: 'unknown', usage: 'unknown' }],
    ['a reason and [DONE]', text('a') + STOP + DONE, finished],
    ['a reason alone', text('a') + STOP, finished],
    ['a reason without its blank line', (text('a') + STOP).trimEnd(), finished],
    ['a reason of its own', text('a') + chunk({}, 'tired'), { ...finished, finishReason: 'unknown' }],
    ["another server's word", text('a') + chunk({}, 'eos_token'), finished],
    [
      'usage beside it',
      text('a') + event({ choices: [{ finish_reason: 'stop' }], usage: USAGE }),
      { ...finished, usage: COUNTED },
    ],
    [
      'usage after it',
      text('a') + STOP + event({ choices: [], usage: USAGE }),
      { ...finished, usage: COUNTED },
    ],
    [
      'usage before it',
      text('a') + event({ choices: [], usage: USAGE }) + DONE,
      { finishReason: 'unknown', usage: COUNTED },
    ],
    [
      'large citations after it',
      text('a') + STOP + event({ choices: [], citations: ['x'.repeat(50_000)] }),
      finished,
    ],
    [
      'a large message beside it',
      text('a') +
        event({
          choices: [{ index: 0, finish_reason: 'stop', delta: {}, message: { content: 'x'.repeat(50_000) } }],
        }),
      finished,
    ],
    [
      'more than can be kept after it',
      text('a') + STOP + event({ choices: [], citations: ['x'.repeat(2_000_000)] }),
      finished,
    ],
    [
      'two choices',
      text('a') + chunk({ content: 'b' }, null, 1) + STOP + chunk({}, 'length', 1),
      { ...finished, finishReason: 'length' },
    ],
    ['CRLF', (text('a') + STOP).replaceAll('\n', '\r\n'), finished],
    ['a byte order mark', `\ufeff${text('a')}${STOP}`, finished],
    [
      'spaces in its JSON',
      'data: {"choices": [{"index": 0, "delta": {"content": "a"}, "finish_reason": null}]}\n\ndata: {"choices": [{"index": 0, "delta": {}, "finish_reason" : "stop"}]}\n\n',
      finished,
    ],
  ])('is whole with %s', (_name, bytes, told) => {
    expect(ending(bytes)).toEqual(told);
    fc.assert(
      fc.property(fc.array(fc.nat()), (cuts) => {
        expect(ending(bytes, cuts)).toEqual(told);
      }),
      { numRuns: 20 },
    );
  });

  it.each([
    ['tokens alone', text('a') + text('b')],
    ['empty reasons', chunk({ content: 'a' }, '') + chunk({ content: 'b' }, '')],
    ['a role alone', ROLE],
    ['one of two choices', text('a') + chunk({ content: 'b' }, null, 1) + STOP],
    [
      'one of two choices that goes on',
      text('a') + chunk({ content: 'b' }, null, 1) + STOP + chunk({ content: 'c' }, null, 1),
    ],
    [
      'half a tool call',
      chunk({ tool_calls: [{ index: 0, id: 't', function: { name: 'f', arguments: '{"a": 10' } }] }, ''),
    ],
    ['a [DONE] within a text', `${text('a')}${text('x\u2028data: [DONE]\u2028')}`],
    ['a reason within a text', text('"finish_reason":"stop"')],
    ['half an event', text('a') + STOP.slice(0, 60)],
    [
      'a whole answer that is no event',
      '{"choices":[{"index":0,"message":{"content":"a"},"finish_reason":"stop"}]}',
    ],
  ])('is missing with %s', (_name, bytes) => {
    expect(ending(bytes)).toEqual(cut);
    fc.assert(
      fc.property(fc.array(fc.nat()), (cuts) => {
        expect(ending(bytes, cuts)).toEqual(cut);
      }),
      { numRuns: 20 },
    );
  });

  it.each([
    ['as the last event', text('a') + event({ error: { message: 'boom', code: 500 } })],
    ['before [DONE]', text('a') + event({ error: { message: 'boom', code: 500 } }) + DONE],
    ['as a bare line', `${text('a')}{"error":"boom"}\n`],
  ])('is an error %s', (_name, bytes) => {
    expect(ending(bytes)).toMatchObject({ message: 'boom' });
  });

  it.each([
    ['[DONE] alone', DONE],
    ['a role and [DONE]', ROLE + DONE],
    ['half of some JSON and [DONE]', `data: {"choices":[{"del\n\n${DONE}`],
    ['another shape and [DONE]', event({}) + DONE],
  ])('is missing with %s', (_name, bytes) => {
    expect(ending(bytes)).toEqual({ missing: 'the stream has no content' });
  });

  it('tells a whole answer that says nothing', () => {
    expect(ending(ROLE + STOP + DONE)).toEqual({ empty: finished });
    expect(ending(STOP + event({ choices: [], usage: USAGE }))).toEqual({
      empty: { ...finished, usage: COUNTED },
    });
  });

  it('is noticed among tokens of any line ends, and of several choices', () => {
    const lines = ['\n', '\r\n', '\r'];
    for (const end of lines) {
      const tokens = [text('a'), text('b'), text('c'), chunk({ content: 'd' }, null, 1), text('e'), STOP];
      const scanner = openAiScanner(true);
      for (const token of tokens) scanner.push(Buffer.from(token.replaceAll('\n', end)));
      expect(scanner.end()).toEqual({ missing: expect.stringContaining('for each of its choices') });
      scanner.push(Buffer.from(chunk({}, 'stop', 1).replaceAll('\n', end)));
      expect(scanner.end()).toEqual(finished);
      expect(scanner.done).toBe(false);
      scanner.push(Buffer.from(DONE.replaceAll('\n', end)));
      expect(scanner.done).toBe(true);
    }
  });

  it('is missing where nothing came', () => {
    expect(ending('')).toEqual({ missing: 'it is empty' });
  });

  it('is not fooled by the same words inside a text, however the bytes are cut', () => {
    const words = fc.array(
      fc.constantFrom(
        '"usage":{"prompt_tokens":1,"completion_tokens":1}',
        '"finish_reason":"length"',
        '"index":1',
        '🦊',
        'x'.repeat(3000),
        '\\',
      ),
    );
    fc.assert(
      fc.property(words, fc.array(fc.nat()), (list, cuts) => {
        const bytes = text('a') + text(list.join('')) + STOP + event({ choices: [], usage: USAGE }) + DONE;
        expect(ending(bytes, cuts)).toEqual({ ...finished, usage: COUNTED });
      }),
    );
  });
});

describe('a whole answer', () => {
  const answer = (more: object = {}) =>
    JSON.stringify(
      { choices: [{ index: 0, message: { content: 'a' }, finish_reason: 'stop' }], ...more },
      null,
      2,
    );

  it.each([
    ['small', answer({ usage: USAGE })],
    ['with usage first', JSON.stringify({ usage: USAGE, ...JSON.parse(answer()) })],
    ['large, with usage last', answer({ x: 'y'.repeat(100_000), usage: USAGE })],
    [
      'large, with usage first',
      JSON.stringify({
        usage: USAGE,
        x: '"usage":{"prompt_tokens":1}'.repeat(5_000),
        ...JSON.parse(answer()),
      }),
    ],
    [
      'with much after its usage',
      answer({ usage: USAGE, prompt_logprobs: Array.from({ length: 20_000 }, () => ({ logprob: -1 })) }),
    ],
  ])('tells its usage and its reason: %s', (_name, json) => {
    expect(whole(json)).toEqual({ finishReason: 'stop', usage: COUNTED });
  });

  it('waits for its end, up to a size', () => {
    const scanner = openAiScanner(false);
    expect(scanner.push(Buffer.from('{"choices":'))).toBe('silence');
    expect(scanner.push(Buffer.from('[]}\n'))).toBe('silence');
    expect(openAiScanner(false).push(Buffer.alloc(65 * 1024, 'x'))).toBe('content');
  });

  it.each([
    ['nothing', '', 'it is empty'],
    ['events', 'data: {"choices":[]}\n\ndata: {"choices":[]}\n\n', 'its JSON is not whole'],
    ['half of it', '{"choices":[{"message":{"content":"a', 'its JSON is not whole'],
    ['half of it up to a brace', '{"choices":[{"message":{"content":"a"}', 'its JSON is not whole'],
    ['half of it up to a brace in a text', '{"choices":[{"text":"a\\"}', 'its JSON is not whole'],
    ['much of it', `{"text":"${'x'.repeat(100_000)}}`, 'its JSON is not whole'],
  ])('is none with %s', (_name, bytes, missing) => {
    expect(whole(bytes)).toEqual({ missing });
  });

  it.each<[string, unknown, number, string]>([
    ["OpenAI's", { error: { message: 'no', code: 429 } }, 429, 'no'],
    ['flat', { object: 'error', message: 'long', code: 400 }, 400, 'long'],
    ['beside empty choices', { id: 'g', choices: [], error: { code: 429, message: 'quota' } }, 429, 'quota'],
    ['a detail', { detail: 'engine loop died' }, 502, 'engine loop died'],
    [
      'a status of its own',
      { base_resp: { status_code: 1008, status_msg: 'poor' }, choices: null },
      502,
      'poor',
    ],
    ['in a list', [{ error: { code: 503, message: 'no' } }], 503, 'no'],
  ])('is an error: %s', (_name, json, status, message) => {
    expect(whole(JSON.stringify(json))).toMatchObject({ status, message });
  });

  it('invariant 10: invents nothing', () => {
    expect(whole(answer({ usage: { prompt_tokens: -1, completion_tokens: 2 } }))).toEqual(finished);
  });

  it('is none without choices, and empty where it stopped before it said anything', () => {
    for (const json of ['{}', '{"choices":[]}', '{"choices":null}', '{"id":"x","choices":["a"]}'])
      expect(whole(json)).toEqual({ missing: 'it has no choices' });
    const said = (message: object, reason = 'stop') =>
      whole(
        JSON.stringify({ choices: [{ message: { role: 'assistant', ...message }, finish_reason: reason }] }),
      );
    expect(said({ content: '' })).toEqual({ empty: finished });
    expect(said({ content: null, refusal: null, tool_calls: [] })).toEqual({ empty: finished });
    expect(said({ content: '' }, 'length')).toMatchObject({ finishReason: 'length' });
    expect(said({ content: '', reasoning_content: 'hm' })).toEqual(finished);
    expect(said({ content: null, refusal: 'no' })).toEqual(finished);
    expect(whole('{"choices":[{"text":"","finish_reason":"stop"}]}')).toEqual(finished);
  });
});

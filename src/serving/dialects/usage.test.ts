import { describe, expect, it } from 'vitest';
import { readUsage as ofMessages } from './anthropic-messages/ending.ts';
import { readUsage as ofOllama } from './ollama/ending.ts';
import { readUsage as ofOpenAi } from './openai/ending.ts';
import { readUsage as ofResponses } from './openai-responses/ending.ts';
import { wholeScanner } from './whole.ts';

/** What each reader makes of these counts; `unknown` where it believes none. */
const READERS: Readonly<Record<string, (input: unknown, output: unknown, cached?: unknown) => unknown>> = {
  openai: (input, output, cached) =>
    ofOpenAi({
      prompt_tokens: input,
      completion_tokens: output,
      prompt_tokens_details: { cached_tokens: cached },
    }) ?? 'unknown',
  'openai-responses': (input, output, cached) =>
    ofResponses({
      input_tokens: input,
      output_tokens: output,
      input_tokens_details: { cached_tokens: cached },
    }),
  'anthropic-messages': (input, output) => ofMessages({ input_tokens: input, output_tokens: output }),
  ollama: (input, output) => ofOllama({ prompt_eval_count: input, eval_count: output }),
};

describe.each(Object.entries(READERS))('token counts in the dialect %s', (name, read) => {
  it('are read', () => {
    expect(read(5, 0)).toMatchObject({ inputTokens: 5, outputTokens: 0 });
  });

  it.each([[-5], [1e300], [2 ** 53], [1.5], ['7'], [Number.NaN], [Number.POSITIVE_INFINITY], [{}]])(
    'are not believed where one is %j',
    (count) => {
      expect(read(5, count)).toBe('unknown');
      expect(read(count, 5)).toBe('unknown');
    },
  );

  it.runIf(name.startsWith('openai'))('say of no more cached tokens than the prompt has', () => {
    expect(read(5, 1, 9)).toMatchObject({ cachedTokens: 5 });
  });
});

it.each([-5, 1e300, 1.5])('token counts of vectors and scores are not believed at %d', (count) => {
  const scanner = wholeScanner('data');
  scanner.push(Buffer.from(JSON.stringify({ data: [], usage: { prompt_tokens: count } })));
  expect(scanner.end()).toMatchObject({ usage: 'unknown' });
});

/** What a load test asks: lengths as drawn, prefixes as traced, corpora as written. */
import { expect, it } from 'vitest';
import { seededRandom } from '../../core/random.ts';
import { zipfShares } from '../../simulating/workload/clusters.ts';
import { fromCorpus, generated, parseCorpus, type RequestOptions, requestOf } from './prompts.ts';

const ask: RequestOptions = {
  path: '/v1/chat/completions',
  model: 'auto',
  key: 'k',
  stream: true,
  exactLength: true,
  headers: { 'x-emulate': 'cut' },
};
const fixed = {
  kind: 'independent',
  prompt: { kind: 'fixed', tokens: 30 },
  output: { kind: 'fixed', tokens: 7 },
} as const;
const textOf = (prompt: { messages: readonly object[] }): string =>
  (prompt.messages[0] as { content: string }).content;

it('writes a request in the way of OpenAI', () => {
  const messages = [{ role: 'user', content: 'Grüße' }];
  const request = requestOf({ messages, maxTokens: 9 }, ask);
  expect(request).toMatchObject({
    method: 'POST',
    path: '/v1/chat/completions',
    headers: { authorization: 'Bearer k', 'x-emulate': 'cut' },
  });
  expect(JSON.parse(String(request.body))).toEqual({
    model: 'auto',
    messages,
    stream: true,
    stream_options: { include_usage: true },
    max_tokens: 9,
    ignore_eos: true,
  });
});

it('makes prompts of the drawn length, the same for the same seed', () => {
  const make = () => generated(fixed, zipfShares(8, 0), null, seededRandom(1));
  const prompt = make()();
  expect(textOf(prompt).trim().split(' ')).toHaveLength(30);
  expect(prompt.maxTokens).toBe(7);
  expect(make()()).toEqual(prompt);
});

it('gives traced requests their lengths, and equal prefixes equal text', () => {
  const prompts = generated(fixed, zipfShares(8, 0), null, seededRandom(1));
  const traced = (prefixIds: readonly number[]) =>
    prompts({ time: 0, promptTokens: 1100, outputTokens: 3, prefixIds });
  const [a, b, c] = [traced([7, 8, 9]), traced([7, 8, 10]), traced([6, 8, 9])].map(textOf) as [
    string,
    string,
    string,
  ];
  const shared = (text: string): string => text.split(' ').slice(0, 1024).join(' ');
  expect(a.trim().split(' ')).toHaveLength(1100);
  expect(shared(a)).toBe(shared(b));
  expect(shared(a)).not.toBe(shared(c));
});

it('reads corpora of every form, in turn', () => {
  const text = '{"messages":[{"role":"user","content":"a"}]}\n\n{"prompt":"b"}\n{"text":"c"}\nplain d\n';
  const prompts = fromCorpus(parseCorpus(text, 'f'), 5, seededRandom(1));
  const asked = Array.from({ length: 4 }, () => textOf(prompts()));
  expect(asked.toSorted()).toEqual(['a', 'b', 'c', 'plain d']);
  expect(() => parseCorpus('\n', 'f')).toThrow('contains no prompt');
  expect(() => parseCorpus('x\n{"prompt":', 'f')).toThrow('f, line 2');
  expect(() => parseCorpus('{"question":"x"}', 'f')).toThrow("neither 'messages'");
});

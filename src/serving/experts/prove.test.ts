import { describe, expect, it } from 'vitest';
import { RouterError } from '../../core/errors.ts';
import { ToldFailure } from '../reply/failure.ts';
import type { AnswerSink, ExpertRequest } from './expert.ts';
import { mayBeMetered, provedByAsking } from './prove.ts';

/** What a small request finds of an expert that does this with it. */
async function found(act: (sink: AnswerSink) => void, signal = new AbortController().signal) {
  const seen: { request: ExpertRequest | null; cancelled: boolean } = { request: null, cancelled: false };
  const health = await provedByAsking(
    {
      generate: (request, sink) => {
        seen.request = request;
        queueMicrotask(() => act(sink));
        return {
          resume: () => {},
          cancel: () => {
            seen.cancelled = true;
          },
        };
      },
    },
    signal,
  );
  return { state: health.state, ...seen };
}
const told = (status: number) =>
  new ToldFailure({ status, message: 'no', type: null, param: null, code: null, raw: null });

describe('a small request', () => {
  it('asks for one token, and is let go at the first sign of an answer', async () => {
    const { state, request, cancelled } = await found((sink) => sink.head(200, {}));
    expect([state, cancelled]).toEqual(['ready', true]);
    expect(request!.ask.parameters().maxTokens).toBe(1);
  });

  it.each([
    ['refused', told(400), 'ready'],
    ['refused for its key', told(401), 'ready'],
    ['too many', told(429), 'ready'],
    ['an error of the server', told(500), 'down'],
    ['nobody there', new RouterError('expert_unreachable', 'gone'), 'down'],
    ['broken off', new RouterError('expert_cut_stream', 'cut'), 'down'],
    ['an empty answer', new RouterError('expert_failed', 'empty'), 'ready'],
  ])('that is %s', async (_what, failure, state) => {
    expect((await found((sink) => sink.fail(failure))).state).toBe(state);
  });

  it('that is not answered in time says that it is down, and is taken back', async () => {
    const late = new AbortController();
    const { state, cancelled } = await found(() => late.abort(), late.signal);
    expect([state, cancelled]).toEqual(['down', true]);
  });
});

it.each([
  ['http://gpu1.example.com:8000', undefined, false],
  ['https://api.openai.com/v1', undefined, true],
  ['https://8.8.8.8', undefined, true],
  ['https://172.32.0.1', undefined, true],
  ['https://[2606:4700::1]', undefined, true],
  ['https://internal.example.com', undefined, true],
  ['https://api.openai.com/v1', 'ca.pem', false],
  ['https://localhost:8443', undefined, false],
  ['https://gpu1', undefined, false],
  ['https://gpu1.lan.', undefined, false],
  ['https://vllm.models.svc', undefined, false],
  ['https://vllm.prod.internal', undefined, false],
  ['https://10.1.2.3', undefined, false],
  ['https://172.20.0.1', undefined, false],
  ['https://100.100.0.1', undefined, false],
  ['https://[::1]:1', undefined, false],
  ['https://[fd00::1]', undefined, false],
  ['https://[fe80::1]', undefined, false],
])('%s with ca %s may be metered: %s', (url, ca, metered) => {
  expect(mayBeMetered(new URL(url), ca)).toBe(metered);
});

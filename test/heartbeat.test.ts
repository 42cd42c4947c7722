/** Invariant 14 in every dialect: a silent stream shows that it lives, before its first token and between tokens. */
import { expect, it } from 'vitest';
import { gateway } from './support/gateway.ts';
import { upstream } from './support/upstream.ts';
import { messageEvents, responseEvents } from './support/wire-rules.ts';

const CHAT = { messages: [{ role: 'user', content: 'Hi' }], max_tokens: 9 };
const chunk = (delta: object, reason: string | null = null): string =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: reason }] })}\n\n`;

it.each([
  ['/v1/chat/completions', CHAT, ': keep-alive\n\n', null],
  ['/v1/responses', { input: 'Hi' }, ': keep-alive\n\n', responseEvents],
  ['/v1/messages', CHAT, 'event: ping\n', messageEvents],
] as const)('invariant 14: a silent stream shows that it lives at %s', async (path, body, sign, rule) => {
  let say = (_piece: string, _last = false): void => {};
  const expert = await upstream((response, { method }) => {
    if (method === 'GET') return void response.writeHead(404).end();
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.flushHeaders();
    say = (piece, last) => void (last ? response.end(piece) : response.write(piece));
  });
  const router = await gateway(
    `heartbeat: 30ms\nexperts: [{ id: one, kind: openai, url: '${expert.url}', quirks: plain }]`,
  );
  const answer = await router.post(path, { model: 'one', stream: true, ...body });
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  let all = '';
  /** Reads until it comes after what has been read. */
  const until = async (wanted: string): Promise<void> => {
    const from = all.length;
    while (!all.slice(from).includes(wanted)) {
      const { value, done } = await reader.read();
      if (done) throw new Error(`the stream ended before ${wanted}: ${all}`);
      all += value;
    }
  };
  await until(sign);
  say(chunk({ content: 'one' }));
  await until('one');
  await until(sign);
  say(`${chunk({ content: ' two' }, 'stop')}data: [DONE]\n\n`, true);
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    all += value;
  }
  expect(all).toContain(' two');
  rule?.(all);
  await router.close();
  await expert.close();
});

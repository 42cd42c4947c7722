/** A server that has told the end of its answer and goes on all the same: the answer is whole, and the server is left. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { gateway, type RunningGateway } from './support/gateway.ts';
import { type Upstream, upstream } from './support/upstream.ts';

const STREAM = `data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n`;

let expert: Upstream;
let router: RunningGateway;

beforeAll(async () => {
  expert = await upstream((response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(STREAM);
    const drip = setInterval(() => response.write(': still here\n\n'), 100);
    response.on('close', () => clearInterval(drip));
  });
  router = await gateway(`experts: [{ id: one, kind: openai, url: '${expert.url}' }]`);
});
afterAll(async () => {
  await router.close();
  await expert.close();
});

it('ends for the client as it was told, soon after', async () => {
  const response = await router.post('/v1/chat/completions', {
    stream: true,
    messages: [{ role: 'user', content: 'x' }],
  });
  const text = await response.text();
  expect(text.startsWith(STREAM)).toBe(true);
  expect(text).not.toContain('error');
  await expert.abandoned;
  expect(await router.metric('expert_router_inflight{expert="one"}')).toBe(0);
});

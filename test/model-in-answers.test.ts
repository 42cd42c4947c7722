/** With `model_in_answers: asked`, answers call their model as the client did, whoever writes them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gateway, type RunningGateway } from './support/gateway.ts';
import { polite, type Upstream, upstream } from './support/upstream.ts';

let expert: Upstream;
let router: RunningGateway;

beforeAll(async () => {
  expert = await upstream(polite);
  router = await gateway(`model_in_answers: asked
aliases: { gpt-4o: served, claude-here: written }
experts:
  - { id: served, kind: openai, url: '${expert.url}', model: org/its-own-name }
  - { id: written, kind: emulated }
`);
});
afterAll(async () => {
  await router.close();
  await expert.close();
});

const namesIn = (text: string): string[] => [
  ...new Set([...text.matchAll(/"model":"([^"]*)"/g)].map(([, name]) => name!)),
];

describe.each(['gpt-4o', 'claude-here'])('an answer to %s', (model) => {
  const messages = [{ role: 'user', content: 'hello' }];

  it.each([true, false])('of chat completions, streamed: %s', async (stream) => {
    const response = await router.post('/v1/chat/completions', { model, messages, stream, max_tokens: 5 });
    const text = await response.text();
    expect(response.status).toBe(200);
    expect(namesIn(text)).toEqual([model]);
    expect(text).toContain(stream ? 'data: [DONE]' : '"finish_reason"');
  });

  it('of Messages', async () => {
    const response = await router.post('/v1/messages', { model, messages, stream: true, max_tokens: 5 });
    const text = await response.text();
    expect(namesIn(text)).toEqual([model]);
    expect(text).toContain('message_stop');
  });
});

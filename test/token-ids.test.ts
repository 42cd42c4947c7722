/** Prompts as token ids: they say nothing to the router, and everything to the model whose tokens they are. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { gateway, type RunningGateway } from './support/gateway.ts';
import { polite, type Upstream, upstream } from './support/upstream.ts';

let server: Upstream;
let router: RunningGateway;
beforeAll(async () => {
  server = await upstream(polite);
  router = await gateway(`
experts:
  - { id: words, kind: emulated, description: 'Poems, stories', fallback: true }
  - { id: real, kind: openai, url: '${server.url}', quirks: vllm, description: Programs }
`);
});
afterAll(async () => {
  await router.close();
  await server.close();
});

const PROMPTS = ['[1, 2,3]', '[[1,2],[3]]'];

it.each(PROMPTS)('%s reaches the expert named, byte for byte', async (prompt) => {
  const body = `{"model":"real","prompt":${prompt},"max_tokens":4}`;
  const response = await router.post('/v1/completions', body);
  expect(response.status, await response.text()).toBe(200);
  expect(server.requests.at(-1)!.body).toBe(body);
});

it.each([...PROMPTS, `[${'7,'.repeat(200_000)}7]`])(
  '%#: goes to an expert that takes it where none is named',
  async (prompt) => {
    const response = await router.post('/v1/completions', `{"prompt":${prompt}}`);
    expect(response.status, await response.text()).toBe(200);
    expect(response.headers.get('x-expert-router-expert')).toBe('real');
    expect(response.headers.get('x-expert-router-reason')).toBe('able');
  },
);

it('is refused, with the reason, for an expert that reads text', async () => {
  const response = await router.post('/v1/completions', { model: 'words', prompt: [1, 2] });
  expect(response.status).toBe(400);
  expect(await response.text()).toMatch(/'words'/);
});

it('takes vectors in place of a text', async () => {
  const response = await router.post('/v1/completions', { model: 'real', prompt_embeds: 'AAAA' });
  expect(response.status).toBe(200);
});

it.each([[[]], [[1.5]], [[-1]], [['a', 1]], [[[1], 'a']], [[[]]], [{}], [7]])(
  'refuses %j',
  async (prompt) => {
    const response = await router.post('/v1/completions', { model: 'real', prompt });
    expect([response.status, await response.json()]).toMatchObject([400, { error: { param: 'prompt' } }]);
  },
);

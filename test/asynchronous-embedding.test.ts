/** A router model whose embedding has to ask elsewhere, behind the whole gateway. */
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import type { AsynchronousEmbedding, Embedded } from '../src/deciding/embedding/embedding.ts';
import type { RoutableText } from '../src/deciding/text/routable.ts';
import { loadRouterModel, type RouterModel } from '../src/router.ts';
import { gateway, type RunningGateway } from './support/gateway.ts';
import { polite, type Upstream, upstream } from './support/upstream.ts';

let running: (RunningGateway | Upstream)[] = [];

afterEach(async () => {
  await Promise.all(running.map((one) => one.close()));
  running = [];
});

type Embed = (text: RoutableText, atOnce: () => Promise<Embedded>) => Promise<Embedded>;

/** The same model, its embedding asked through `embed`. */
function asked(embed: Embed): (model: RouterModel) => RouterModel {
  return (model) => {
    const { embedding } = model;
    const asynchronous: AsynchronousEmbedding = {
      id: 'asked',
      dimensions: embedding.dimensions,
      asynchronous: true,
      embed: (text) => embed(text, async () => embedding.embed(text)),
      sections: () => ({}),
    };
    return { ...model, embedding: asynchronous };
  };
}

async function start(change?: (model: RouterModel) => RouterModel): Promise<RunningGateway> {
  const server = await upstream(polite);
  const router = await gateway(
    `
experts:
  - { id: code, kind: openai, url: '${server.url}', samples: [Write a Python function] }
  - { id: cooking, kind: openai, url: '${server.url}', samples: [Bake bread in the oven, A recipe for soup] }
`,
    change ? { routerModel: change(await loadRouterModel()) } : {},
  );
  running.push(router, server);
  return router;
}

const ask = (content: string) => ({ model: 'auto', messages: [{ role: 'user', content }] });
const PROMPTS = ['Write a Python function that sorts a list', 'How do I bake bread?', ''];

it('decides as the embedding it stands for, in answers and in the dry run', async () => {
  const atOnce = await start();
  const later = await start(asked(async (_text, embed) => pause(5).then(embed)));
  const said = async (router: RunningGateway, prompt: string) => {
    const response = await router.post('/v1/chat/completions', ask(prompt));
    const dry = await router.post('/v1/route', ask(prompt));
    const names = ['expert', 'cluster', 'confidence', 'reason'];
    const { terms: _words, ...decision } = (await dry.json()) as { terms: unknown; trace_id: unknown };
    return {
      status: response.status,
      headers: names.map((name) => response.headers.get(`x-expert-router-${name}`)),
      decision: { ...decision, trace_id: null },
    };
  };
  for (const prompt of PROMPTS) {
    const wanted = await said(atOnce, prompt);
    expect(wanted.status).toBe(200);
    expect(await said(later, prompt)).toEqual(wanted);
  }
});

it('fails the one request whose text could not be embedded, and no other', async () => {
  const router = await start(
    asked(async (text, embed) => {
      if (text.segments.some((segment) => segment.text.includes('unlucky'))) throw new Error('no answer');
      return embed();
    }),
  );
  const [unlucky, lucky] = await Promise.all([
    router.post('/v1/chat/completions', ask('an unlucky prompt')),
    router.post('/v1/chat/completions', ask('How do I bake bread?')),
  ]);
  expect(unlucky.status).toBe(500);
  expect(await unlucky.json()).toMatchObject({ error: { type: 'api_error' } });
  expect(lucky.status).toBe(200);
  expect(router.logged.join('\n')).toContain('no answer');
});

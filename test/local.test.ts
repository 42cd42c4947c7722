/** Prompts that must not leave reach local experts only, by whatever way: choice, retry, hedge, spill, fallback. */
import type { ServerResponse } from 'node:http';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hashKey } from '../src/serving/front/auth.ts';
import { gateway, type RunningGateway } from './support/gateway.ts';
import { polite, type Upstream, upstream } from './support/upstream.ts';

const PROMPTS = [
  'Write a Python function that sorts a list',
  'Solve the integral of x squared',
  'My chest hurts, which medicine helps?',
  'Translate good morning into French',
];
const IDS = ['a', 'b', 'c', 'd'];

/** How a server behaves, by the expert's id in its path. */
let behaviour: Readonly<Record<string, string>> = {};
/** Ids of the experts whose server a prompt reached. */
let reached: string[] = [];

async function answer(response: ServerResponse, request: Parameters<typeof polite>[1]): Promise<void> {
  const id = /^\/(\w)\//.exec(request.path)![1]!;
  reached.push(id);
  switch (behaviour[id]) {
    case 'fails':
      return void response.writeHead(503).end('{}');
    case 'hangs up':
      return void response.destroy();
    case 'is slow':
      await new Promise((resolve) => setTimeout(resolve, 30));
      return polite(response, request);
    default:
      return polite(response, request);
  }
}

const ways = fc.constantFrom('answers', 'fails', 'hangs up', 'is slow');
const scenes = fc.record({
  local: fc.uniqueArray(fc.constantFrom(...IDS), { maxLength: 3 }),
  behaviour: fc.record({ a: ways, b: ways, c: ways, d: ways }),
  policy: fc.constantFrom('spill', 'random', 'nearest', 'least-loaded'),
  by: fc.constantFrom('key', 'header', 'clusters'),
  limit: fc.constantFrom(1, 64),
  requests: fc.array(
    fc.record({
      prompt: fc.constantFrom(...PROMPTS),
      model: fc.constantFrom('auto', 'auto', 'auto', ...IDS),
      stream: fc.boolean(),
    }),
    { minLength: 3, maxLength: 8 },
  ),
});

let server: Upstream;
beforeAll(async () => {
  server = await upstream(answer);
});
afterAll(() => server.close());

const configOf = ({
  local,
  policy,
  by,
  limit,
}: {
  local: string[];
  policy: string;
  by: string;
  limit: number;
}): string => `
policy: ${policy}
hedge: true
local_only_clusters: [${by === 'clusters' ? Array.from({ length: 48 }, (_, at) => at).join(', ') : ''}]
keys:
  - { name: private, hash: '${hashKey('er-private')}', local_only: true }
  - { name: open, hash: '${hashKey('er-open')}' }
experts:
${IDS.map((id) => `  - { id: ${id}, kind: openai, url: '${server.url}/${id}/v1', local: ${local.includes(id)}, max_concurrent: ${limit}, fallback: ${id === 'd'} }`).join('\n')}
`;

const ask = (router: RunningGateway, by: string, request: object): Promise<Response> =>
  router.post('/v1/chat/completions', request, {
    authorization: `Bearer er-${by === 'key' ? 'private' : 'open'}`,
    ...(by === 'header' ? { 'x-expert-router-local-only': 'true' } : {}),
  });

describe('prompts that must not leave', () => {
  it('reach no server of an expert that is not local', async () => {
    await fc.assert(
      fc.asyncProperty(scenes, async (scene) => {
        behaviour = scene.behaviour;
        reached = [];
        const router = await gateway(configOf(scene));
        try {
          const answers = scene.requests.map(async ({ prompt, model, stream }) => {
            const messages = [{ role: 'user', content: prompt }];
            const response = await ask(router, scene.by, { model, stream, messages });
            const text = await response.text().catch(() => '');
            const expert = response.headers.get('x-expert-router-expert');
            if (response.ok) expect(scene.local).toContain(expert);
            if (scene.local.length === 0)
              expect([response.status, text]).toEqual([403, expect.stringContaining('not_local')]);
          });
          await Promise.all(answers);
          expect(scene.local).toEqual(expect.arrayContaining([...new Set(reached)]));
        } finally {
          await router.close();
        }
      }),
      { numRuns: 40, endOnFailure: true },
    );
  }, 60_000);

  it('are refused with the reason where they cannot stay', async () => {
    behaviour = {};
    const scene = { local: ['a'], policy: 'spill', by: 'key', limit: 64 };
    const router = await gateway(configOf(scene));
    const messages = [{ role: 'user', content: PROMPTS[0] }];
    const named = await ask(router, 'key', { model: 'b', messages });
    expect([named.status, ((await named.json()) as { error: object }).error]).toMatchObject([
      403,
      { code: 'not_local', message: expect.stringMatching(/because of its API key, and 'b' is not marked/) },
    ]);
    const free = await ask(router, 'nothing', { model: 'b', messages });
    expect(free.status).toBe(200);
    await free.text();
    const kept = await ask(router, 'header', { model: 'auto', messages });
    expect([kept.status, kept.headers.get('x-expert-router-expert')]).toEqual([200, 'a']);
    await kept.text();
    await router.close();
  });

  it('names in the config must be clusters of the router model', async () => {
    const yaml =
      "local_only_clusters: [nonsense]\nexperts: [{ id: e, kind: openai, url: 'http://127.0.0.1:1' }]";
    await expect(gateway(yaml)).rejects.toThrow(/local_only_clusters names cluster "nonsense"/);
  });
});

/** What is told of each request when it has ended, and what is counted by key. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { requestLine } from '../src/cli/serve/request-line.ts';
import { hashKey } from '../src/serving/front/auth.ts';
import type { RequestNote } from '../src/serving/front/request-note.ts';
import { eventually, gateway, type RunningGateway } from './support/gateway.ts';
import { polite, type Upstream, upstream } from './support/upstream.ts';

let good: Upstream;
let bad: Upstream;
let router: RunningGateway;
let notes: RequestNote[];

beforeEach(async () => {
  good = await upstream(polite);
  bad = await upstream((response) => void response.writeHead(500).end('{}'));
  notes = [];
  router = await gateway(
    `keys:
  - { name: alice, hash: '${hashKey('er-alice')}' }
  - { name: "mallory\\e[2J", hash: '${hashKey('er-mallory')}' }
experts:
  - { id: code, kind: openai, url: '${bad.url}', description: Writes programs }
  - { id: general, kind: openai, url: ['${good.url}', 'http://127.0.0.1:1'] }
`,
    { onRequest: (note) => notes.push(note) },
  );
});

afterEach(async () => {
  await router.close();
  await good.close();
  await bad.close();
});

const ask = (model: string, key: string): Promise<Response> =>
  router.post(
    '/v1/chat/completions',
    { model, messages: [{ role: 'user', content: 'a very secret prompt' }] },
    { authorization: `Bearer er-${key}` },
  );

const noted = async (count: number): Promise<readonly RequestNote[]> => {
  await eventually(`${count} requests are told of`, () => notes.length >= count);
  return notes;
};

describe('a request that has ended', () => {
  it('is told of once, with who asked, who answered and how it went', async () => {
    await (await ask('general', 'alice')).text();
    const [note] = await noted(1);
    expect(note).toMatchObject({
      key: 'alice',
      method: 'POST',
      path: '/v1/chat/completions',
      status: 200,
      whole: true,
    });
    expect(note).toMatchObject({
      expert: 'general',
      tries: expect.any(Number),
      reason: 'named',
      error: null,
    });
    expect(note!.replica).toMatch(/^general\/[12]$/);
    expect(note!.totalMs).toBeGreaterThanOrEqual(note!.firstMs!);
    expect(note!.completionTokens).toEqual(expect.any(Number));
    expect(requestLine(note!)).toMatch(
      /^time=\S+ trace=\w+ method=POST path=\/v1\/chat\/completions key=alice status=200 end=whole expert=general replica=general\/[12] tries=\d reason=named cluster=\d+ prompt_tokens=\d+ completion_tokens=\d+ first_ms=\d+ total_ms=\d+$/,
    );
  });

  it('names the expert that answered, not the one first chosen', async () => {
    let spilled: RequestNote | undefined;
    for (let i = 0; spilled === undefined && i < 20; i++) {
      await (await ask('auto', 'alice')).text();
      spilled = (await noted(i + 1)).find(({ tries, status }) => tries > 1 && status === 200);
    }
    expect(spilled).toMatchObject({ expert: 'general', status: 200 });
  });

  it('is told of when refused: without a key, at no path, and by an expert', async () => {
    await ask('general', 'nobody');
    await fetch(`${router.url}/nowhere?secret=1`);
    await ask('code', 'alice');
    expect(await noted(3)).toMatchObject([
      { key: null, status: 401, error: 'invalid_api_key', expert: null, tries: 0 },
      { path: null, status: 404, error: 'not_found' },
      { key: 'alice', status: 500, error: 'expert_error', expert: 'code' },
    ]);
  });

  it('holds no word of prompt, key or answer, and no escape sequence in its line', async () => {
    await (await ask('general', 'mallory')).text();
    const [note] = await noted(1);
    const line = requestLine(note!);
    expect(JSON.stringify(note)).not.toMatch(/secret|er-mallory/);
    expect(line).toContain('key="mallory\\u001b[2J"');
  });
});

it('requests and tokens are counted by key; unknown keys together', async () => {
  await (await ask('general', 'alice')).text();
  for (const key of ['guess-1', 'guess-2']) await ask('general', key);
  await noted(3);
  expect(await router.metric('expert_router_key_requests_total{key="alice",status="2xx"}')).toBe(1);
  expect(await router.metric('expert_router_key_requests_total{key="",status="4xx"}')).toBe(2);
  expect(
    await router.metric('expert_router_key_tokens_total{key="alice",direction="completion"}'),
  ).toBeGreaterThan(0);
});

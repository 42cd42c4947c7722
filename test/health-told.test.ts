/** Start and log tell what is wrong with an expert: that it is down, refuses the key, or serves another model. */
import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { eventually, gateway, type RunningGateway } from './support/gateway.ts';
import { polite, type Upstream, upstream } from './support/upstream.ts';

const running: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of running.splice(0).reverse()) await one.close();
});

const json = (response: ServerResponse, status: number, value: unknown): void =>
  void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));

/** An engine that lists these models, and answers as the polite one otherwise. */
async function engine(models: readonly string[], status = () => 200): Promise<Upstream> {
  const made = await upstream((response, request) => {
    if (!request.path.endsWith('/models')) return polite(response, request);
    return json(response, status(), { object: 'list', data: models.map((id) => ({ id, object: 'model' })) });
  });
  running.push(made);
  return made;
}

async function start(experts: readonly string[]): Promise<RunningGateway> {
  const router = await gateway(`experts:\n${experts.map((one) => `  - { ${one} }`).join('\n')}\n`, {
    probes: true,
  });
  running.push(router);
  return router;
}

const asked = async (router: RunningGateway, model: string): Promise<number> =>
  (await router.post('/v1/chat/completions', { model, messages: [{ role: 'user', content: 'hi' }] })).status;

describe('the start tells', () => {
  it('of experts that are down, refuse the key, or serve other models than the one named', async () => {
    const [keyless, other, well] = [
      await engine([], () => 401),
      await engine(['a', 'b']),
      await engine(['m']),
    ];
    const router = await start([
      "id: gone, kind: openai, url: 'http://127.0.0.1:1'",
      `id: keyless, kind: openai, url: '${keyless.url}'`,
      `id: other, kind: openai, url: '${other.url}', model: c`,
      `id: nameless, kind: openai, url: '${other.url}'`,
      `id: well, kind: openai, url: '${well.url}', model: m`,
    ]);
    const lines = router.logged.filter((line) => line.startsWith('Expert '));
    expect(lines.toSorted()).toEqual([
      expect.stringMatching(/^Expert 'gone' at http:\/\/127\.0\.0\.1:1 is down: .*ECONNREFUSED.* doctor/),
      expect.stringMatching(/^Expert 'keyless' at \S+ is down: it answers 401: it wants a key\. .*doctor/),
      expect.stringMatching(
        /^Expert 'nameless' at \S+ answers, but the config names no model, and nameless is not served there; it serves a, b\./,
      ),
      expect.stringMatching(/^Expert 'other' at \S+ answers, but c is not served there; it serves a, b\./),
    ]);
  });
});

it('the only model that an engine serves is asked for, where the config names none', async () => {
  const one = await engine(['org/only-one']);
  const router = await start([`id: code, kind: openai, url: '${one.url}'`]);
  expect(await asked(router, 'code')).toBe(200);
  const put = one.requests.findLast(({ method }) => method === 'POST')!;
  expect(JSON.parse(put.body).model).toBe('org/only-one');
  expect(router.logged.filter((line) => line.startsWith('Expert '))).toEqual([]);
});

it('is told of once when it goes and once when it is back', async () => {
  let status = 200;
  const one = await engine(['m'], () => status);
  const router = await start([`id: e, kind: openai, url: '${one.url}', model: m`]);
  const told = (): readonly string[] => router.logged.filter((line) => line.startsWith('Expert '));
  status = 500;
  await eventually('it is told that it is down', () => told().length === 1);
  expect(told()[0]).toMatch(/is down: GET \S*\/models answered 500\./);
  await eventually('it has been asked again', () => one.requests.length > 8);
  status = 200;
  await eventually('it is told that it is back', () => told().length === 2);
  expect(told()[1]).toMatch(/^Expert 'e' at \S+ is well again\.$/);
});

/** An engine that is dead behind a server that lists its models: found by a request for one token, and found again. */
import { createServer } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { bind } from '../src/core/bind.ts';
import { byteTokenizer } from './support/byte-tokenizer.ts';
import { authority, text } from './support/certificates.ts';
import { eventually, gateway, type RunningGateway } from './support/gateway.ts';
import { tritonDouble } from './support/triton-double.ts';
import { polite, type Upstream, upstream } from './support/upstream.ts';

const running: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of running.splice(0).reverse()) await one.close();
});

/** A server whose engine answers while `alive` says so. */
async function engine(alive: () => boolean): Promise<Upstream> {
  const made = await upstream((response, request) => {
    if (request.method === 'GET' || alive()) return polite(response, request);
    return undefined; // hangs
  });
  running.push(made);
  return made;
}

const CLUSTERS = `[${Array.from({ length: 64 }, (_, cluster) => cluster).join(', ')}]`;

async function start(dead: Upstream, good: Upstream, more = ''): Promise<RunningGateway> {
  const router = await gateway(
    `policy: nearest
experts:
  - { id: dead, kind: openai, url: '${dead.url}', clusters: ${CLUSTERS}, header_timeout: 300ms, first_token_timeout: 300ms${more} }
  - { id: good, kind: openai, url: '${good.url}' }
`,
    { probes: true },
  );
  running.push(router);
  return router;
}

const ask = async (router: RunningGateway): Promise<string | null> =>
  (await router.post('/v1/chat/completions', { messages: [{ role: 'user', content: 'hello' }] })).headers.get(
    'x-expert-router-expert',
  );

const posts = ({ requests }: Upstream) => requests.filter(({ method }) => method === 'POST');
const tests = (of: Upstream) => posts(of).filter(({ body }) => body.includes('"max_tokens":1'));

it('is not asked again until it answers', async () => {
  let alive = false;
  const [dead, good] = [await engine(() => alive), await engine(() => true)];
  const router = await start(dead, good);
  expect(await ask(router)).toBe('good');
  await eventually('it is found', () => router.logged.some((line) => line.startsWith("Expert 'dead'")));
  expect(router.logged.find((line) => line.startsWith("Expert 'dead'"))).toContain('is down');
  const before = posts(dead).length - tests(dead).length;
  for (let i = 0; i < 3; i++) expect(await ask(router)).toBe('good');
  expect(posts(dead).length - tests(dead).length).toBe(before);
  expect(tests(good)).toEqual([]);
  alive = true;
  await eventually('it serves again', async () => (await ask(router)) === 'dead');
  expect(router.logged.at(-1)).toContain('is well again');
}, 40_000);

it('is asked by a request that may ask nobody else, which finds it alive before our next small one', async () => {
  let alive = false;
  const [dead, good] = [await engine(() => alive), await engine(() => true)];
  const router = await start(dead, good);
  expect(await ask(router)).toBe('good');
  await eventually('it is found', () => router.logged.some((line) => line.startsWith("Expert 'dead'")));
  alive = true;
  const small = tests(dead).length;
  const named = { model: 'dead', messages: [{ role: 'user', content: 'hello' }] };
  expect((await router.post('/v1/chat/completions', named)).status).toBe(200);
  expect(tests(dead).length).toBe(small);
  expect(await ask(router)).toBe('dead');
});

it('gets no request of ours where the config says so', async () => {
  const [dead, good] = [await engine(() => false), await engine(() => true)];
  const router = await start(dead, good, ', test_request: false');
  expect(await ask(router)).toBe('good');
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  expect(tests(dead)).toEqual([]);
});

describe('whatever its kind', () => {
  const made = authority();
  if (made === null) console.warn('skipped in part: there is no openssl on this machine');
  afterAll(() => made?.remove());

  /** A server over https that tells its health, and nothing else. */
  async function silentTls(): Promise<string> {
    const { cert, key } = made!.issue('expert');
    const server = createServer({ cert: text(cert), key: text(key) }, (request, response) => {
      if (request.method === 'GET') response.end('{"object":"list","data":[]}');
    });
    const url = await bind(server, '127.0.0.1', 0);
    running.push({
      close: async () => {
        server.closeAllConnections();
        server.close();
      },
    });
    return url.replace(/^http:/, 'https:');
  }

  async function silentTriton(): Promise<string> {
    const double = await tritonDouble({ steps: () => ['silence'] });
    running.push(double);
    return double.http;
  }

  const kinds: readonly [string, () => Promise<string>][] = [
    ['anthropic', async () => `kind: anthropic, url: '${(await engine(() => false)).url}'`],
    ['triton', async () => `kind: triton, url: '${await silentTriton()}', tokenizer: ${byteTokenizer()}`],
    ...(made === null
      ? []
      : [
          [
            'openai over https',
            async () => `kind: openai, url: '${await silentTls()}', ca: ${made.ca}`,
          ] as const,
        ]),
  ].map(([name, of]) => [name as string, of as () => Promise<string>]);

  it.each(kinds)('one that hangs is found: %s', async (_kind, of) => {
    const good = await engine(() => true);
    const router = await gateway(
      `policy: nearest
experts:
  - { id: dead, ${await of()}, clusters: ${CLUSTERS}, first_token_timeout: 300ms, header_timeout: 300ms }
  - { id: good, kind: openai, url: '${good.url}' }
`,
      { probes: true },
    );
    running.push(router);
    expect(await ask(router)).toBe('good');
    await eventually('it is found', () =>
      router.logged.some((line) => /^Expert 'dead'.* is down/.test(line)),
    );
  });
});

describe('whole answers that wait when it stops', () => {
  const isTest = (body: string): boolean => body.includes('"max_tokens":1');

  /** An engine that answers what `mode` lets it, of any number at once. */
  async function stopping(mode: () => 'answers' | 'hangs' | 'answers only small ones'): Promise<Upstream> {
    const made = await upstream((response, request) => {
      const now = request.method === 'GET' ? 'answers' : mode();
      if (now === 'answers' || (now === 'answers only small ones' && isTest(request.body)))
        return polite(response, request);
      return undefined;
    });
    running.push(made);
    return made;
  }

  /** A whole answer may take its server's time: only its silence tells. */
  const startWhole = async (dead: Upstream, good: Upstream | null): Promise<RunningGateway> => {
    const experts = [
      `{ id: dead, kind: openai, url: '${dead.url}', clusters: ${CLUSTERS}, first_token_timeout: 800ms }`,
      ...(good ? [`{ id: good, kind: openai, url: '${good.url}' }`] : []),
    ];
    const router = await gateway(
      `policy: nearest\nexperts:\n${experts.map((one) => `  - ${one}\n`).join('')}`,
      { probes: true },
    );
    running.push(router);
    return router;
  };

  const all = (router: RunningGateway, count: number) =>
    Promise.all(Array.from({ length: count }, () => ask(router)));

  it('are answered elsewhere, and those that come go there at once, until it lives again', async () => {
    let hangs = false;
    const [dead, good] = [await stopping(() => (hangs ? 'hangs' : 'answers')), await engine(() => true)];
    const router = await startWhole(dead, good);
    expect(await all(router, 3)).toEqual(['dead', 'dead', 'dead']);
    hangs = true;
    expect(new Set(await all(router, 60))).toEqual(new Set(['good']));
    const asked = posts(dead).length - tests(dead).length;
    expect(new Set(await all(router, 20))).toEqual(new Set(['good']));
    expect(posts(dead).length - tests(dead).length).toBe(asked);
    hangs = false;
    await eventually('it serves again', async () => (await ask(router)) === 'dead');
  }, 40_000);

  it('stay, however long they take, where a small one is answered meanwhile', async () => {
    const [slow, good] = [await stopping(() => 'answers only small ones'), await engine(() => true)];
    const router = await startWhole(slow, good);
    const waiting = all(router, 5);
    await eventually('it is asked whether it lives', () => tests(slow).length > 0);
    expect(await Promise.race([waiting, sleep(1_500).then(() => 'waiting')])).toBe('waiting');
    expect(posts(good)).toEqual([]);
    await running.splice(running.indexOf(router), 1)[0]!.close();
    await waiting.catch(() => {});
  });

  it('stay where nobody else could answer them', async () => {
    const lone = await stopping(() => 'hangs');
    const router = await startWhole(lone, null);
    const waiting = all(router, 5);
    await eventually('it is asked whether it lives', () => tests(lone).length > 1);
    expect(await Promise.race([waiting, Promise.resolve('waiting')])).toBe('waiting');
    await running.splice(running.indexOf(router), 1)[0]!.close();
    await waiting.catch(() => {});
  }, 20_000);
});

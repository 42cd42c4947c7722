/** Where experts are and how they are asked is told to operators alone, and each key does what its roles allow. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bind } from '../src/core/bind.ts';
import { hashKey } from '../src/serving/front/auth.ts';
import { gateway, type RunningGateway } from './support/gateway.ts';
import { polite, upstream } from './support/upstream.ts';

/** Tells everything it was asked with, in a way that the path chooses. */
function tell(request: IncomingMessage, response: ServerResponse): void {
  const { host } = request.headers;
  const known = `asked at http://${host}${request.url} of ${host} with ${JSON.stringify(request.headers)}`;
  const error = JSON.stringify({ error: { message: known, type: known, param: known, code: known } });
  const headers = { 'content-type': 'application/json', 'x-request-id': known };
  const way = /\/(s\d+|fine|cut|garbled)\//.exec(request.url ?? '')?.[1] ?? 's404';
  if (way === 'garbled') request.socket.end(`${known}\r\n\r\n`);
  else if (way === 'cut') {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n', () => response.destroy());
  } else response.writeHead(way === 'fine' ? 200 : Number(way.slice(1)), headers).end(error);
}

const WAYS = ['s400', 's401', 's403', 's404', 's429', 's500', 's503', 'fine', 'cut', 'garbled'];
const server = createServer(tell);
let base: string;

beforeAll(async () => {
  base = await bind(server, '127.0.0.1', 0);
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const hash = (key: string): string => hashKey(key);
const KEYS = `keys:
  - { name: asker, hash: '${hash('er-ask')}', roles: [ask] }
  - { name: observer, hash: '${hash('er-observe')}', roles: [observe] }
  - { name: operator, hash: '${hash('er-operate')}', roles: [operate, observe] }
  - { name: plain, hash: '${hash('er-plain')}' }
`;

const as = (key: string) => ({ headers: { authorization: `Bearer er-${key}` } });
const everything = async (answer: Response | Promise<Response>): Promise<string> => {
  const response = await answer;
  const text = await response.text().catch((error: Error) => error.message);
  return `${response.status} ${JSON.stringify([...response.headers])} ${text}`;
};

/** All that a client can read without the role `operate`. */
async function readable(router: RunningGateway, experts: readonly string[]): Promise<readonly string[]> {
  const { headers } = as('plain');
  const ask = (path: string, body: object): Promise<string> =>
    everything(
      router.post(path, { messages: [{ role: 'user', content: 'hi' }], max_tokens: 5, ...body }, headers),
    );
  const asked: string[] = [];
  for (const model of experts)
    for (const stream of [false, true]) {
      asked.push(await ask('/v1/chat/completions', { model, stream }));
      asked.push(await ask('/v1/messages', { model, stream }));
      asked.push(await ask('/v1/completions', { model, stream, prompt: 'hi', messages: undefined }));
    }
  asked.push(await ask('/v1/chat/completions', { model: 'auto' }), await ask('/v1/route', { model: 'auto' }));
  asked.push(await ask('/v1/chat/completions', { model: 'nobody' }));
  for (const path of ['/v1/models', '/v1/experts', '/metrics', '/ready', '/health', '/nothing'])
    asked.push(await everything(fetch(router.url + path, { headers })));
  return asked;
}

it('an expert’s address, key and secret headers occur in nothing that a client without the role operate reads', async () => {
  const word = fc.string({
    unit: fc.constantFrom(...'abcdefghijkmnpqrstuvwxyz'),
    minLength: 12,
    maxLength: 20,
  });
  await fc.assert(
    fc.asyncProperty(word, word, word, word, async (user, password, key, host) => {
      const experts = [
        ...WAYS.map(
          (way) =>
            `{ id: ${way}, kind: openai, url: '${base}/x/${way}/v1', api_key: ${key}, headers: { x-token: ${password} } }`,
        ),
        ...WAYS.map(
          (way) => `{ id: a-${way}, kind: anthropic, url: '${base}/x/${way}/v1', api_key: ${key} }`,
        ),
        `{ id: away, kind: openai, url: ['http://127.0.0.1:1/${user}', 'http://${host}.invalid:8000'], api_key: ${key} }`,
        `{ id: triton, kind: triton, url: 'grpc://${host}.invalid:8001' }`,
      ];
      const router = await gateway(`${KEYS}experts:\n${experts.map((one) => `  - ${one}`).join('\n')}\n`);
      try {
        const ids = [...WAYS, ...WAYS.map((way) => `a-${way}`), 'away', 'triton'];
        const address = base.slice('http://'.length);
        for (const text of [...(await readable(router, ids)), ...(await readable(router, ['away']))])
          for (const secret of [address, '127.0.0.1:1', user, password, key, host])
            expect(text).not.toContain(secret);
      } finally {
        await router.close();
      }
    }),
    { numRuns: 3, endOnFailure: true },
  );
}, 180_000);

describe('with keys', () => {
  let router: RunningGateway;
  beforeAll(async () => {
    router = await gateway(
      `${KEYS}experts: [{ id: fine, kind: openai, url: ['${base}/x/fine/v1', 'http://127.0.0.1:1'] }]`,
    );
  });
  afterAll(() => router.close());

  const ask = { model: 'auto', messages: [{ role: 'user', content: 'hi' }] };
  const statusOf = async (method: string, path: string, key: string): Promise<number> =>
    (await (method === 'GET' ? fetch(router.url + path, as(key)) : router.post(path, ask, as(key).headers)))
      .status;

  it.each([
    ['POST', '/v1/route', { ask: 200, observe: 403, operate: 403, plain: 200, unknown: 401 }],
    ['GET', '/v1/models', { ask: 200, observe: 403, operate: 403, plain: 200, unknown: 401 }],
    ['GET', '/v1/experts', { ask: 403, observe: 200, operate: 200, plain: 200, unknown: 401 }],
    ['GET', '/metrics', { ask: 403, observe: 200, operate: 200, plain: 200, unknown: 401 }],
  ])('%s %s is for the keys with its role', async (method, path, expected) => {
    for (const [key, status] of Object.entries(expected))
      expect([key, await statusOf(method, path, key)]).toEqual([key, status]);
  });

  it('a key without the role is told which one it lacks', async () => {
    const { error } = (await (await fetch(`${router.url}/metrics`, as('ask'))).json()) as {
      error: { code: string; message: string };
    };
    expect(error).toMatchObject({ code: 'role_missing', message: expect.stringContaining("'observe'") });
  });

  it('an operator alone sees where replicas are; others know them by their place in the config', async () => {
    const replicas = async (key: string): Promise<string[]> => {
      const { data } = (await (await fetch(`${router.url}/v1/experts`, as(key))).json()) as {
        data: { replicas: { name: string }[] }[];
      };
      return data[0]!.replicas.map(({ name }) => name);
    };
    expect(await replicas('operate')).toEqual([`${base}/x/fine/v1`, 'http://127.0.0.1:1']);
    expect(await replicas('observe')).toEqual(['fine/1', 'fine/2']);
  });

  it('/ready says ready or not, and nothing else', async () => {
    const response = await fetch(`${router.url}/ready`);
    expect([response.status, await response.json()]).toEqual([200, { ready: true }]);
  });
});

describe('headers of clients', () => {
  const sent = {
    authorization: 'Bearer mine',
    cookie: 'a=b',
    baggage: 'tenant=7',
    'x-session-id': 's1',
    'x-other': 'o',
    'x-request-id': 'r1',
  };
  const heardWith = async (setting: string): Promise<object> => {
    const expert = await upstream(polite);
    const router = await gateway(`${setting}\nexperts: [{ id: e, kind: openai, url: '${expert.url}' }]`);
    await router.post(
      '/v1/chat/completions',
      { model: 'e', messages: [{ role: 'user', content: 'hi' }] },
      sent,
    );
    await router.close();
    await expert.close();
    return expert.requests.at(-1)!.headers;
  };

  it('reach experts by an allow-list, to which the config adds; baggage is not on it', async () => {
    const usual = await heardWith('');
    expect(usual).toMatchObject({ 'x-request-id': 'r1' });
    for (const name of ['authorization', 'cookie', 'baggage', 'x-session-id', 'x-other'])
      expect(usual).not.toHaveProperty(name);
    const more = await heardWith('forward_headers: [baggage, x-session-id]');
    expect(more).toMatchObject({ baggage: 'tenant=7', 'x-session-id': 's1' });
    for (const name of ['authorization', 'cookie', 'x-other']) expect(more).not.toHaveProperty(name);
  });

  it.each([
    'authorization',
    'cookie',
    'x-api-key',
    'host',
    'content-length',
    'transfer-encoding',
    'X-Upper',
    'a b',
  ])('cannot be made to include %s', async (name) => {
    await expect(heardWith(`forward_headers: ['${name}']`)).rejects.toThrow(/forward_headers\[0\]/);
  });
});

/** How requests may come: keys, other spellings of addresses, compressed bodies, methods, and pages of other origins. */
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { parseConfig } from '../src/serving/config/load.ts';
import { hashKey } from '../src/serving/front/auth.ts';
import { gateway, type RunningGateway } from './support/gateway.ts';
import { polite, type Upstream, upstream } from './support/upstream.ts';

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

const KEYS = `keys: [{ name: a, hash: '${hashKey('er-a')}' }]\n`;
const EXPERTS = 'experts: [{ id: one, kind: emulated }, { id: two, kind: emulated }]\n';

async function start(more = '', experts = EXPERTS): Promise<RunningGateway> {
  const running = await gateway(more + experts);
  opened.push(running);
  return running;
}

async function behind(answer = polite, more = ''): Promise<{ router: RunningGateway; expert: Upstream }> {
  const expert = await upstream(answer);
  opened.push(expert);
  return {
    expert,
    router: await start(more, `experts: [{ id: one, kind: openai, url: '${expert.url}' }]\n`),
  };
}

const CHAT = { messages: [{ role: 'user', content: 'hello' }] };

describe('keys', () => {
  it('count although a placeholder comes beside them', async () => {
    const router = await start(KEYS);
    const asked = { model: 'auto', messages: [{ role: 'user', content: 'hi' }] };
    for (const [key, status] of [
      ['er-a', 200],
      ['er-b', 401],
    ] as const) {
      const headers = { authorization: 'Bearer placeholder', 'x-api-key': key };
      expect((await router.post('/v1/chat/completions', asked, headers)).status).toBe(status);
    }
  });

  it.each(['authorization', 'x-api-key', 'api-key'])('come in %s', async (name) => {
    const { router, expert } = await behind(polite, KEYS);
    const value = name === 'authorization' ? 'Bearer er-a' : 'er-a';
    expect((await router.post('/v1/chat/completions', CHAT, { [name]: value })).status).toBe(200);
    expect((await router.post('/v1/chat/completions', CHAT, { [name]: `${value}x` })).status).toBe(401);
    expect(JSON.stringify(expert.requests.at(-1)!.headers)).not.toContain('er-a');
  });
});

/** A Zstandard frame of one raw block (RFC 8878), which every program can write. */
function zstd(text: string): Buffer {
  const bytes = Buffer.from(text);
  const size = Buffer.alloc(4);
  size.writeUInt32LE(bytes.length);
  const block = Buffer.alloc(3);
  block.writeUIntLE((bytes.length << 3) | 1, 0, 3);
  return Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0b1010_0000]), size, block, bytes]);
}

/** One of run blocks, 128 KB of zeros each in four bytes. */
function zstdBomb(blocks: number): Buffer {
  const run = Buffer.alloc(4);
  run.writeUIntLE((131_072 << 3) | 2, 0, 3);
  return Buffer.concat([
    Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, (17 - 10) << 3]),
    ...Array<Buffer>(blocks).fill(run),
    Buffer.from([1, 0, 0]),
  ]);
}

describe('bodies', () => {
  it.each([
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['GZIP', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
    ['zstd', zstd],
    ['identity', (text: string) => Buffer.from(text)],
  ])('in %s reach the expert inflated', async (coding, pack) => {
    const { router, expert } = await behind();
    const text = JSON.stringify({ ...CHAT, user: 'ü'.repeat(3000) });
    const answer = await router.post('/v1/chat/completions', pack(text), { 'content-encoding': coding });
    expect(answer.status).toBe(200);
    expect(JSON.parse(expert.requests.at(-1)!.body)).toMatchObject(JSON.parse(text));
    expect(expert.requests.at(-1)!.headers['content-encoding']).toBeUndefined();
  });

  it.each([
    ['gzip', gzipSync(Buffer.alloc(3_000_000, 0x20))],
    ['br', brotliCompressSync(Buffer.alloc(3_000_000, 0x20))],
    ['zstd', zstdBomb(24)],
  ])('in %s are bounded by what they inflate to', async (coding, bomb) => {
    const router = await start('max_body_mb: 1\n');
    expect(bomb.length).toBeLessThan(4_000);
    const answer = await router.post('/v1/chat/completions', bomb, { 'content-encoding': coding });
    expect(answer.status).toBe(413);
    expect(await answer.text()).toMatch(/1 MB once inflated/);
  });

  it.each([
    ['gzip', Buffer.from('{"messages":[]}'), 400, /is no gzip/],
    ['gzip', gzipSync('{"messages":[]}').subarray(0, 12), 400, /is no gzip/],
    ['br', Buffer.from('{"messages":[]}'), 400, /is no br/],
    ['zstd', Buffer.from('{"messages":[]}'), 400, /is no zstd/],
    ['zstd', zstd('{"messages":[]}').subarray(0, 15), 400, /cut short/],
    [
      'zstd',
      Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, (30 - 10) << 3, 1, 0, 0]),
      400,
      /window is larger than 8 MB/,
    ],
    ['compress', Buffer.from('x'), 415, /gzip, deflate, br, zstd/],
    ['gzip, br', Buffer.from('x'), 415, /gzip, deflate, br, zstd/],
  ])('in %s that are none are refused', async (coding, body, status, reason) => {
    const router = await start();
    const answer = await router.post('/v1/chat/completions', body, { 'content-encoding': coding });
    expect(await answer.text()).toMatch(reason);
    expect(answer.status).toBe(status);
  });

  it('may begin with a byte order mark', async () => {
    const { router, expert } = await behind();
    const marked = `\ufeff${JSON.stringify({ model: 'one', ...CHAT })}`;
    for (const [body, headers] of [
      [marked, {}],
      [gzipSync(marked), { 'content-encoding': 'gzip' }],
    ] as const) {
      expect((await router.post('/v1/chat/completions', body, headers)).status).toBe(200);
      expect(JSON.parse(expert.requests.at(-1)!.body)).toMatchObject(CHAT);
    }
  });
});

describe('addresses', () => {
  it.each([
    '/chat/completions',
    '/openai/v1/chat/completions',
    '/openai/deployments/two/chat/completions?api-version=2024-10-21',
  ])('%s is understood', async (path) => {
    const router = await start();
    const answer = await router.post(path, { ...CHAT, model: 'two' });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-expert-router-expert')).toBe('two');
  });

  it('of a deployment outrank the model in the body', async () => {
    const router = await start('aliases: { "gpt-4o mini": two }\n'.replace('"gpt-4o mini"', 'gpt-4o'));
    const chat = await router.post('/openai/deployments/gpt-4o/chat/completions', { ...CHAT, model: 'one' });
    expect(chat.headers.get('x-expert-router-expert')).toBe('two');
    const vectors = await router.post('/openai/deployments/tw%6F/embeddings', { input: 'x' });
    expect(vectors.headers.get('x-expert-router-expert')).toBe('two');
    expect((await router.post('/openai/deployments/none/chat/completions', CHAT)).status).toBe(404);
  });

  it('of a deployment lead to sound and pictures as well', async () => {
    const { router, expert } = await behind();
    for (const path of ['audio/speech', 'images/generations']) {
      const answer = await router.post(`/openai/deployments/one/${path}?api-version=1`, { input: 'x' });
      expect([answer.status, answer.headers.get('x-expert-router-expert')]).toEqual([200, 'one']);
      expect(expert.requests.at(-1)!.path).toContain(`/v1/${path}`);
    }
  });

  it('of the models are short too', async () => {
    const router = await start();
    const models = await (await fetch(`${router.url}/models`)).json();
    expect(models).toEqual(await (await fetch(`${router.url}/v1/models`)).json());
    expect(await (await fetch(`${router.url}/models/two`)).json()).toMatchObject({ id: 'two' });
  });
});

describe('methods', () => {
  it('are told by OPTIONS, without a key', async () => {
    const router = await start(KEYS);
    const options = await fetch(`${router.url}/v1/models`, { method: 'OPTIONS' });
    expect([options.status, options.headers.get('allow')]).toEqual([204, 'GET, HEAD, OPTIONS']);
    expect((await fetch(`${router.url}/nowhere`, { method: 'OPTIONS' })).status).toBe(404);
  });

  it('that a path does not take get 405 with those that it does', async () => {
    const router = await start();
    for (const method of ['GET', 'HEAD', 'PUT', 'DELETE']) {
      const answer = await fetch(`${router.url}/v1/chat/completions`, { method });
      expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST, OPTIONS']);
    }
  });

  it('HEAD is GET without its body', async () => {
    const router = await start();
    const get = await fetch(`${router.url}/v1/models`);
    const length = String(Buffer.byteLength(await get.text()));
    const head = await fetch(`${router.url}/v1/models`, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, length, '']);
  });
});

describe('pages of other origins', () => {
  const PAGE = { origin: 'https://chat.example.com' };
  const LISTED = 'allowed_origins: [https://chat.example.com]\n';

  const preflight = (router: RunningGateway, headers: Record<string, string> = PAGE): Promise<Response> =>
    fetch(`${router.url}/v1/chat/completions`, {
      method: 'OPTIONS',
      headers: {
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type,x-stainless-os',
        ...headers,
      },
    });

  it.each([
    ['with', KEYS],
    ['without', ''],
  ])('may ask and read if they are listed, %s keys', async (_, keys) => {
    const router = await start(LISTED + keys);
    const before = await preflight(router);
    expect(before.status).toBe(204);
    expect(before.headers.get('access-control-allow-origin')).toBe(PAGE.origin);
    expect(before.headers.get('access-control-allow-methods')).toContain('POST');
    expect(before.headers.get('access-control-allow-headers')).toBe(
      'authorization,content-type,x-stainless-os',
    );
    const headers = { ...PAGE, ...(keys ? { authorization: 'Bearer er-a' } : {}) };
    const answer = await router.post('/v1/chat/completions', CHAT, headers);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('access-control-allow-origin')).toBe(PAGE.origin);
    expect(answer.headers.get('access-control-expose-headers')).toContain('x-expert-router-expert');
    expect(answer.headers.get('vary')).toBe('origin');
    // Errors can be read as well.
    const wrong = await router.post('/v1/chat/completions', {}, headers);
    expect([wrong.status, wrong.headers.get('access-control-allow-origin')]).toEqual([400, PAGE.origin]);
  });

  it('get no leave if they are not', async () => {
    for (const [more, status] of [
      [LISTED + KEYS, 204],
      [KEYS, 204],
      [LISTED, 403],
    ] as const) {
      const router = await start(more);
      const refused = await preflight(router, { origin: 'https://evil.example' });
      expect(refused.status).toBe(status);
      const names = [...refused.headers.keys()].filter((name) => name.startsWith('access-control'));
      expect(names).toEqual([]);
    }
  });

  it('may be any where there are keys, and only there', async () => {
    const any = "allowed_origins: ['*']\n";
    const answer = await preflight(await start(any + KEYS));
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    expect(() => parseConfig(any + EXPERTS, 'x.yaml', {})).toThrow(/set keys, or list the origins/);
  });
});

describe('every answer', () => {
  it('has a request id: the expert’s, else ours', async () => {
    const { router } = await behind((response, request) => {
      if (request.body.includes('mine')) response.setHeader('x-request-id', 'req-7');
      return polite(response, request);
    });
    const ours = await router.post('/v1/chat/completions', CHAT);
    expect(ours.headers.get('x-request-id')).toBe(ours.headers.get('x-expert-router-trace-id'));
    const theirs = await router.post('/v1/chat/completions', { ...CHAT, user: 'mine' });
    expect(theirs.headers.get('x-request-id')).toBe('req-7');
    expect((await fetch(`${router.url}/nowhere`)).headers.get('x-request-id')).toMatch(/^\w+$/);
  });

  it('is described in /openapi.json, path by path', async () => {
    const router = await start(KEYS);
    const answer = await fetch(`${router.url}/openapi.json`);
    const { openapi, paths } = (await answer.json()) as { openapi: string; paths: Record<string, object> };
    expect(openapi).toMatch(/^3\.1/);
    expect(Object.keys(paths)).toEqual(
      expect.arrayContaining(['/v1/chat/completions', '/v1/embeddings', '/v2/rerank']),
    );
    expect(paths['/v1/models/{id}']).toMatchObject({ get: { parameters: [{ name: 'id', in: 'path' }] } });
    for (const [path, methods] of Object.entries(paths)) {
      for (const method of Object.keys(methods)) {
        const there = await fetch(router.url + path.replace('{id}', 'one'), { method });
        expect([200, 401, 503]).toContain(there.status);
      }
    }
  });
});

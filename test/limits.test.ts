/** Keys with limits as a client meets them: what is admitted, what is refused and how, and what is left. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { hashKey } from '../src/serving/front/auth.ts';
import { gateway, type RunningGateway } from './support/gateway.ts';
import { redisProgram, startRedis } from './support/redis.ts';
import { upstream } from './support/upstream.ts';

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

const EXPERTS = 'experts: [{ id: one, kind: emulated }, { id: two, kind: emulated, fallback: true }]';

async function serving(keys: string, more = ''): Promise<RunningGateway> {
  const router = await gateway(`${EXPERTS}\n${more}\nkeys:\n${keys}`);
  opened.push(router);
  return router;
}

function key(name: string, fields: string): string {
  return `  - { name: ${name}, hash: '${hashKey(name)}', ${fields} }\n`;
}

function ask(router: RunningGateway, name: string, body: object = {}, path = '/v1/chat/completions') {
  const question = { messages: [{ role: 'user', content: 'Say yes.' }], max_tokens: 5, ...body };
  return router.post(path, question, { authorization: `Bearer ${name}` });
}

async function errorOf(answer: Response): Promise<{ code: string; message: string; type: string }> {
  return ((await answer.json()) as { error: { code: string; message: string; type: string } }).error;
}

describe('a key with limits', () => {
  it('is told what is left, and refused with the time to wait for', async () => {
    const router = await serving(key('a', 'limits: { requests_per_minute: 2, tokens_per_minute: 5000 }'));
    const first = await ask(router, 'a');
    expect(first.status).toBe(200);
    expect(first.headers.get('x-ratelimit-limit-requests')).toBe('2');
    expect(first.headers.get('x-ratelimit-remaining-requests')).toBe('1');
    expect(Number(first.headers.get('x-ratelimit-remaining-tokens'))).toBeLessThan(5000);
    await ask(router, 'a');
    const refused = await ask(router, 'a');
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(28);
    expect(await errorOf(refused)).toMatchObject({ code: 'rate_limit_exceeded', type: 'rate_limit_error' });
  });

  it('hears it in the words of the Messages API where it speaks that', async () => {
    const router = await serving(key('a', 'limits: { requests_per_minute: 1 }'));
    const first = await ask(router, 'a', { model: 'auto' }, '/v1/messages');
    expect(first.headers.get('anthropic-ratelimit-requests-remaining')).toBe('0');
    const refused = await ask(router, 'a', { model: 'auto' }, '/v1/messages');
    expect(refused.status).toBe(429);
    expect(await errorOf(refused)).toMatchObject({ type: 'rate_limit_error' });
  });

  it('shares what its team may take', async () => {
    const team = 'teams: [{ name: t, limits: { requests_per_minute: 3 } }]';
    const router = await serving(
      key('a', 'team: t') + key('b', 'team: t, limits: { requests_per_minute: 2 }'),
      team,
    );
    const statuses = [];
    for (const name of ['b', 'b', 'b', 'a', 'a']) statuses.push((await ask(router, name)).status);
    expect(statuses).toEqual([200, 200, 429, 200, 429]);
  });

  it('with a budget pays the price of its expert, and none that has no price serves it', async () => {
    const router = await gateway(`experts:
  - { id: one, kind: emulated, price: { input: 1000, output: 1000 } }
  - { id: two, kind: emulated, fallback: true }
keys:
${key('a', 'limits: { usd_per_day: 0.1 }')}`);
    opened.push(router);
    const answers = [];
    for (let n = 0; n < 20; n += 1) answers.push(await ask(router, 'a'));
    const paid = answers.filter(({ status }) => status === 200);
    expect(new Set(paid.map(({ headers }) => headers.get('x-expert-router-expert')))).toEqual(
      new Set(['one']),
    );
    // A tenth of a cent a token: a hundred tokens in all, of which each request takes some ten.
    expect(paid.length).toBeGreaterThan(2);
    expect(paid.length).toBeLessThan(20);
    expect(answers.at(-1)!.status).toBe(429);
    expect(await errorOf(answers.at(-1)!)).toMatchObject({ code: 'insufficient_quota' });
    expect((await ask(router, 'a', { model: 'two' })).status).toBe(403);
  });

  it('whose budget runs out in mid-stream gets that answer whole, pays for all of it, and is refused the next', async () => {
    // Two cents a token, a dollar: 50 tokens, of which the stream is expected to take fewer than it does.
    const stream = [...Array(200).keys()]
      .map((n) => `data: {"choices":[{"index":0,"delta":{"content":"w${n} "}}]}\n\n`)
      .join('');
    const end =
      'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":200}}\n\ndata: [DONE]\n\n';
    const server = await upstream((response, request) => {
      if (request.method === 'GET') return void response.end('{"object":"list","data":[]}');
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end(stream + end);
    });
    opened.push(server);
    const router =
      await gateway(`experts: [{ id: one, kind: openai, model: m, url: '${server.url}', price: { input: 0, output: 20000 } }]
keys:
${key('a', 'limits: { usd_per_day: 1 }')}`);
    opened.push(router);
    const long = await ask(router, 'a', { stream: true, max_tokens: 40 });
    expect(long.status).toBe(200);
    const text = await long.text();
    expect(text).toContain('w199 ');
    expect(text).toContain('[DONE]');
    expect(text).not.toContain('error');
    await expect.poll(async () => (await ask(router, 'a', { max_tokens: 1 })).status).toBe(429);
    const refused = await ask(router, 'a', { max_tokens: 1 });
    expect(await errorOf(refused)).toMatchObject({ code: 'insufficient_quota' });
    expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(86_400);
  });

  it.each([{ n: 128, max_tokens: 100 }, { max_tokens: 100_000 }])(
    'is refused what alone is more than a minute has: %j',
    async (body) => {
      const router = await serving(key('a', 'limits: { tokens_per_minute: 300 }'));
      const refused = await ask(router, 'a', body);
      expect(refused.status).toBe(429);
      expect((await errorOf(refused)).message).toContain('alone');
    },
  );

  it.each([-5, 0, 1e99, 'many', null])('gains nothing by max_tokens %j', async (max_tokens) => {
    const router = await serving(key('a', 'limits: { tokens_per_minute: 2000 }'));
    const answer = await ask(router, 'a', { max_tokens });
    if (answer.status === 429) return;
    const left = Number(
      (await ask(router, 'a', { max_tokens: 1 })).headers.get('x-ratelimit-remaining-tokens'),
    );
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThan(1995);
  });

  it('holds its slot until its answer ends or its client leaves', async () => {
    const router = await gateway(
      `experts: [{ id: slow, kind: emulated, tokens_per_second: 5 }]\nkeys:\n${key('a', 'limits: { concurrent: 1 }')}`,
    );
    opened.push(router);
    const leaving = new AbortController();
    const streaming = await fetch(`${router.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: 'Bearer a', 'content-type': 'application/json' },
      body: JSON.stringify({ stream: true, messages: [{ role: 'user', content: 'Say a lot.' }] }),
      signal: leaving.signal,
    });
    await streaming.body!.getReader().read();
    expect((await ask(router, 'a')).status).toBe(429);
    leaving.abort();
    await expect
      .poll(async () => (await ask(router, 'a', { max_tokens: 1 })).status, { timeout: 5000 })
      .toBe(200);
  });

  it('finds its counts again after a restart', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'limits-'));
    const start = () => serving(key('a', 'limits: { requests_per_minute: 1 }'), `limits: { dir: '${dir}' }`);
    expect((await ask(await start(), 'a')).status).toBe(200);
    await opened.pop()!.close();
    expect((await ask(await start(), 'a')).status).toBe(429);
    rmSync(dir, { recursive: true });
  });
});

describe('a key', () => {
  it('may have a second secret while it is replaced, and an end', async () => {
    const router = await serving(
      key('a', `next_hash: '${hashKey('b')}'`) + key('old', "expires: '2020-01-01'"),
    );
    expect((await ask(router, 'a')).status).toBe(200);
    expect((await ask(router, 'b')).status).toBe(200);
    const expired = await ask(router, 'old');
    expect(expired.status).toBe(401);
    expect((await errorOf(expired)).message).toContain('expired at 2020-01-01');
  });

  it('changes its secret under load: no request is turned away for it, and all count as one key’s', async () => {
    const limits = 'limits: { requests_per_minute: 30 }';
    const yaml = (secret: string, next: string) =>
      `${EXPERTS}\nkeys:\n  - { name: k, hash: '${hashKey(secret)}', ${next}${limits} }\n`;
    const router = await gateway(yaml('first', ''));
    opened.push(router);
    const statuses: number[] = [];
    const began = performance.now();
    const asking = async (secret: string, times: number): Promise<void> => {
      for (let n = 0; n < times; n += 1) statuses.push((await ask(router, secret)).status);
    };
    const old = [asking('first', 8), asking('first', 8)];
    await router.reload(yaml('first', `next_hash: '${hashKey('second')}', `));
    const both = [...old, asking('second', 8)];
    await Promise.all(both);
    const young = [asking('second', 8), asking('second', 8)];
    await router.reload(yaml('second', ''));
    await Promise.all(young);
    expect((await ask(router, 'first')).status).toBe(401);
    const refilled = Math.floor(((performance.now() - began) / 60_000) * 30);
    const admitted = statuses.filter((status) => status === 200).length;
    expect(statuses.filter((status) => status !== 200 && status !== 429)).toEqual([]);
    expect(admitted).toBeGreaterThanOrEqual(30);
    expect(admitted).toBeLessThanOrEqual(30 + refilled);
  });

  it('may be for some experts and models alone', async () => {
    const router = await serving(
      key('a', 'experts: [two], models: [auto, two, one]') + key('b', 'models: [one]'),
    );
    expect((await ask(router, 'a')).headers.get('x-expert-router-expert')).toBe('two');
    expect((await ask(router, 'a', { model: 'one' })).status).toBe(403);
    expect((await ask(router, 'b', { model: 'two' })).status).toBe(403);
    expect((await ask(router, 'b', { model: 'one' })).status).toBe(200);
  });

  it('may ask for no decision that it could not follow, dry or about experts', async () => {
    const router = await serving(
      key('a', 'experts: [two], models: [auto, two, one]') +
        key('b', 'models: [one]') +
        key('c', '') +
        key('d', 'experts: [one]'),
    );
    const dry = (name: string, body: object = {}) => ask(router, name, body, '/v1/route');
    expect(await (await dry('c')).json()).toMatchObject({ expert: 'two' });
    expect(await (await dry('d')).json()).toMatchObject({ expert: 'one', reason: 'able' });
    for (const [name, model] of [
      ['a', 'one'],
      ['b', 'two'],
      ['b', 'auto'],
    ] as const) {
      const refused = await dry(name, { model });
      expect([refused.status, (await errorOf(refused)).code]).toEqual([403, 'model_not_allowed']);
    }
    expect((await dry('b', { model: 'one' })).status).toBe(200);
    const choose = (name: string, ...choices: string[]) =>
      router.post(
        '/v1/decisions',
        { input: 'Say yes.', questions: [{ type: 'choice', choices }] },
        { authorization: `Bearer ${name}` },
      );
    expect((await choose('a', 'two')).status).toBe(200);
    for (const refused of [await choose('a', 'one', 'two'), await choose('b', 'one')])
      expect([refused.status, (await errorOf(refused)).code]).toEqual([403, 'model_not_allowed']);
    expect((await choose('c', 'one', 'two')).status).toBe(200);
  });

  it('with a budget uses no expert without a price', async () => {
    const router = await serving(key('a', 'limits: { usd_per_day: 1 }'));
    const refused = await ask(router, 'a');
    expect(refused.status).toBe(403);
    expect((await errorOf(refused)).message).toContain('no price');
    expect(router.logged.join('\n')).toContain("'one' has no price");
  });
});

const program = redisProgram();

describe.skipIf(program === null)(
  'two gateways on one Redis (skipped where redis-server is not installed)',
  () => {
    it('admit exactly what one would', { timeout: 30_000 }, async () => {
      const redis = await startRedis(program!);
      opened.push(redis);
      const start = () =>
        serving(
          key('a', 'limits: { requests_per_minute: 20 }'),
          `limits: { redis: '${redis.url}', deadline: 5s }`,
        );
      const both = [await start(), await start()];
      const began = performance.now();
      const answers = await Promise.all(
        Array.from({ length: 100 }, (_, index) => ask(both[index % 2]!, 'a')),
      );
      const refilled = Math.floor(((performance.now() - began) / 60_000) * 20);
      const admitted = answers.filter(({ status }) => status === 200).length;
      expect(admitted).toBeGreaterThanOrEqual(20);
      expect(admitted).toBeLessThanOrEqual(20 + refilled);
    });

    it('whose clocks differ by a day and a half count by that of Redis alone', {
      timeout: 30_000,
    }, async () => {
      const redis = await startRedis(program!);
      opened.push(redis);
      const start = async (ahead: number) => {
        const clock = { epoch: () => Date.now() + ahead, monotonic: () => performance.now() };
        const keys = key('a', 'limits: { requests_per_minute: 6, usd_per_day: 1 }');
        const router = await gateway(
          `experts: [{ id: one, kind: emulated, price: { input: 1, output: 1 } }]
limits: { redis: '${redis.url}', deadline: 5s }
keys:
${keys}`,
          { clock },
        );
        opened.push(router);
        return router;
      };
      const hour = 3_600_000;
      const [behind, ahead] = [await start(-18 * hour), await start(18 * hour)];
      const statuses: number[] = [];
      const began = performance.now();
      for (let n = 0; n < 12; n += 1) statuses.push((await ask(n % 2 ? ahead : behind, 'a')).status);
      const refilled = Math.floor(((performance.now() - began) / 60_000) * 6);
      const admitted = statuses.filter((status) => status === 200).length;
      expect(admitted).toBeGreaterThanOrEqual(6);
      expect(admitted).toBeLessThanOrEqual(6 + refilled);
      const answer = await ask(behind, 'a');
      // Not the wait of somebody whose clock is eighteen hours behind.
      if (answer.status === 429) expect(Number(answer.headers.get('retry-after'))).toBeLessThanOrEqual(60);
    });

    it('refuse while it is away, or count in their share where that is allowed', {
      timeout: 30_000,
    }, async () => {
      const redis = await startRedis(program!);
      const limits = (more: string) => `limits: { redis: '${redis.url}', deadline: 200ms${more} }`;
      const careful = await serving(key('a', 'limits: { requests_per_minute: 4 }'), limits(''));
      const lenient = await serving(
        key('a', 'limits: { requests_per_minute: 4 }'),
        limits(', when_away: allow, replicas: 2'),
      );
      await redis.close();
      const refused = await ask(careful, 'a');
      expect(refused.status).toBe(503);
      expect(await errorOf(refused)).toMatchObject({ code: 'limits_unavailable' });
      const statuses = [];
      for (let index = 0; index < 3; index += 1) statuses.push((await ask(lenient, 'a')).status);
      expect(statuses).toEqual([200, 200, 429]);
    });
  },
);

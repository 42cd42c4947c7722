/** Gateways that share a Redis tell each other what they have found out; none of them depends on it. */
import { Client, credentials } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import type { ExpertBody } from '../src/cli/experts/table.ts';
import { createGateway } from '../src/index.ts';
import { hashKey } from '../src/serving/front/auth.ts';
import { RedisChannel } from '../src/serving/hints/redis-channel.ts';
import { externalScalerService } from '../src/serving/scaler/server.ts';
import { eventually, gateway, type RunningGateway } from './support/gateway.ts';
import { redisProgram, startRedis } from './support/redis.ts';
import { polite, type Upstream, upstream } from './support/upstream.ts';
import { wireTo } from './support/wire.ts';

const program = redisProgram();
const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

async function keep<T extends { close(): Promise<void> }>(one: Promise<T>): Promise<T> {
  const kept = await one;
  opened.push(kept);
  return kept;
}

interface Body {
  readonly data: readonly ExpertBody[];
  readonly config: string;
  readonly gateways: readonly { readonly same: boolean }[];
}
const experts = async ({ url }: RunningGateway): Promise<Body> =>
  (await (await fetch(`${url}/v1/experts`)).json()) as Body;
/** A gateway that KEDA asks too. */
async function scaled(yaml: string) {
  const one = await createGateway(yaml, { probes: false, log: () => {} });
  const url = await one.listen({ host: '127.0.0.1', port: 0 });
  const client = new Client(await one.listenScaler({ port: 0 }), credentials.createInsecure());
  const { path, requestSerialize, responseDeserialize } = externalScalerService().GetMetrics!;
  return {
    ask: async () => {
      const messages = [{ role: 'user', content: 'Hi' }];
      const body = JSON.stringify({ model: 'e', messages });
      await (await fetch(`${url}/v1/chat/completions`, { method: 'POST', body })).text();
    },
    metric: (metric: string) =>
      new Promise<number>((resolve, reject) => {
        const scaledObjectRef = { scalerMetadata: { expert: 'e', metric } };
        client.makeUnaryRequest(
          path,
          requestSerialize,
          responseDeserialize,
          { scaledObjectRef, metricName: metric },
          (error: Error | null, answer?: { metricValues: readonly { metricValueFloat?: number }[] }) =>
            error ? reject(error) : resolve(answer!.metricValues[0]!.metricValueFloat ?? 0),
        );
      }),
    close: async () => {
      client.close();
      await one.close({ graceMs: 0 });
    },
  };
}
const peersOf = async (one: RunningGateway) => (await experts(one)).gateways.map(({ same }) => same);
const ask = ({ post }: RunningGateway, headers = {}, content = 'How do I sort a list in Python?') =>
  post('/v1/chat/completions', { messages: [{ role: 'user', content }] }, headers);

describe.skipIf(program === null)('gateways on one Redis', () => {
  it('see each other, and whether they serve the same', async () => {
    const redis = await keep(startRedis(program!));
    const yaml = (id: string) =>
      `experts: [{ id: ${id}, kind: emulated }]\nlimits: { redis: '${redis.url}' }`;
    const first = await keep(gateway(yaml('one')));
    const second = await keep(gateway(yaml('one')));
    await eventually(
      'both see the other',
      async () => (await peersOf(first)).length + (await peersOf(second)).length === 2,
    );
    expect([await peersOf(first), await peersOf(second)]).toEqual([[true], [true]]);
    expect((await experts(first)).config).toBe((await experts(second)).config);
    await second.reload(yaml('two'));
    await eventually('the first sees a mixed fleet', async () => (await peersOf(first))[0] === false);
    await eventually('it is logged', () =>
      first.logged.includes('Of the gateways that share hints, 1 serve another config or router model.'),
    );
    expect(await first.metric('expert_router_gateways{same="false"}')).toBe(1);
    await second.reload(yaml('one'));
    await eventually('it is whole again', async () => (await peersOf(first))[0] === true);
  });

  it('tell KEDA the same, whichever of them it asks', async () => {
    const redis = await keep(startRedis(program!));
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const server = await keep(
      upstream(async (response, request) => {
        if (request.method !== 'GET') await held;
        return polite(response, request);
      }),
    );
    const yaml = `limits: { redis: '${redis.url}' }
experts: [{ id: e, kind: openai, model: m, url: '${server.url}', max_concurrent: 2 }]`;
    const [first, second] = [await keep(scaled(yaml)), await keep(scaled(yaml))];
    expect([await first.metric('requests'), await second.metric('requests')]).toEqual([0, 0]);
    const answers = [first.ask(), first.ask(), first.ask(), second.ask()];
    await eventually('both count all four', async () =>
      [await first.metric('requests'), await second.metric('requests')].every((value) => value === 4),
    );
    const work = await first.metric('work');
    expect(work).toBeGreaterThan(0);
    expect(await second.metric('work')).toBeCloseTo(work, 5);
    await eventually('one waits, and both say so', async () => (await second.metric('wait')) > 0);
    release();
    await Promise.all(answers);
    await eventually('none is left', async () =>
      [await first.metric('requests'), await second.metric('requests')].every((value) => value === 0),
    );
  });

  it('know where a session lives that another gateway has answered', async () => {
    const redis = await keep(startRedis(program!));
    const yaml = `limits: { redis: '${redis.url}' }
experts:
  - { id: code, kind: emulated, description: Writes and explains programs }
  - { id: cook, kind: emulated, description: Cooking recipes }`;
    const first = await keep(gateway(yaml));
    const second = await keep(gateway(yaml));
    await eventually(
      'both are there',
      async () => (await peersOf(first)).length + (await peersOf(second)).length === 2,
    );
    const session = { 'x-session-id': 'mine' };
    const where = async (one: RunningGateway, content: string) => {
      const answer = await ask(one, session, content);
      await answer.text();
      return answer.headers.get('x-expert-router-expert');
    };
    expect(await where(first, 'How do I fry an egg?')).toBe('cook');
    await eventually('the second knows it too', async () => {
      const messages = [{ role: 'user', content: 'yes' }];
      const decision = await (await second.post('/v1/route', { messages }, session)).json();
      return (decision as { expert: string }).expert === 'cook';
    });
    expect(await where(second, 'yes')).toBe('cook');
  });

  it('are told of an open breaker: one failure more is enough, a working server is not left', async () => {
    const redis = await keep(startRedis(program!));
    const broken = await keep(
      upstream((response, request) => {
        if (request.method === 'GET') return void response.end('{"object":"list","data":[]}');
        response.writeHead(500).end('{"error":{"message":"broken"}}');
      }),
    );
    const well = await keep(upstream(polite));
    const yaml = `limits: { redis: '${redis.url}' }
experts: [{ id: e, kind: openai, model: m, url: '${broken.url}' }, { id: f, kind: openai, model: m, url: '${well.url}', fallback: true }]`;
    const first = await keep(gateway(yaml));
    const second = await keep(gateway(yaml));
    await eventually(
      'both are there',
      async () => (await peersOf(first)).length + (await peersOf(second)).length === 2,
    );
    const asked = (server: Upstream) => server.requests.filter(({ method }) => method === 'POST').length;
    const breaker = async (one: RunningGateway) => (await experts(one)).data[0]!.replicas[0]!.breaker;
    const named = (one: RunningGateway) =>
      one.post('/v1/chat/completions', { model: 'e', messages: [{ role: 'user', content: 'Hi' }] });
    await eventually('the first leaves it alone', async () => {
      await (await named(first)).text();
      return (await breaker(first)) === 'open';
    });
    const before = asked(broken);
    expect(before).toBeGreaterThan(1);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(await breaker(second)).toBe('closed');
    await (await named(second)).text();
    expect(await breaker(second)).toBe('open');
  });

  it('hear each other again where the way to Redis was lost without a word', {
    timeout: 25_000,
  }, async () => {
    const redis = await keep(startRedis(program!));
    const cable = await wireTo(redis.url.slice('redis://'.length));
    opened.push({ close: async () => cable.cut() });
    const heard: string[] = [];
    const [far, near] = [`redis://${cable.address}`, redis.url].map((url) => new RedisChannel(url, () => {}));
    for (const one of [far!, near!]) opened.push({ close: async () => one.close() });
    far!.onMessage = (text) => void heard.push(text);
    const telling = setInterval(
      () => [far!, near!].map((one, at) => one.publish(`${at} ${Date.now()}`)),
      200,
    );
    try {
      await eventually('both are heard', () => new Set(heard.map((text) => text[0])).size === 2);
      cable.swallow();
      const lost = Date.now();
      await expect
        .poll(() => heard.filter((text) => Number(text.slice(2)) > lost + 1000).map((text) => text[0]), {
          timeout: 20_000,
        })
        .toContain('1');
    } finally {
      clearInterval(telling);
    }
  });

  it('answer as fast while Redis does not answer at all', async () => {
    const redis = await keep(startRedis(program!));
    const one = await keep(
      gateway(`experts: [{ id: one, kind: emulated }]\nlimits: { redis: '${redis.url}' }
keys: [{ name: a, hash: '${hashKey('a')}' }]`),
    );
    redis.process.kill('SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    const answers = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const answer = await ask(one, { authorization: 'Bearer a' });
        await answer.text();
        return answer.status;
      }),
    );
    redis.process.kill('SIGCONT');
    expect(answers).toEqual(Array(20).fill(200));
  });
});

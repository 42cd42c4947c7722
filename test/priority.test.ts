/** Who is let in first: what a key grants counts, what a request claims does not. */
import { afterEach, expect, it } from 'vitest';
import { hashKey } from '../src/serving/front/auth.ts';
import { eventually, gateway, type RunningGateway } from './support/gateway.ts';
import { polite, type Upstream, upstream } from './support/upstream.ts';

const running: (RunningGateway | Upstream)[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.close()));
});

/** The order in which an expert with one slot is asked, by callers that waited for it all together. */
async function orderOf(asks: readonly [key: string, priority?: number][]): Promise<string[]> {
  const answers: (() => void)[] = [];
  const order: string[] = [];
  const expert = await upstream((response, request) => {
    if (request.method === 'GET') return polite(response, request);
    order.push((JSON.parse(request.body) as { user: string }).user);
    answers.push(() => void polite(response, request));
  });
  const keys = ['plain', 'granted'].map(
    (name) => `  - { name: ${name}, hash: '${hashKey(name)}'${name === 'granted' ? ', priority: 5' : ''} }\n`,
  );
  const router = await gateway(
    `keys:\n${keys.join('')}experts: [{ id: one, kind: openai, url: '${expert.url}', max_concurrent: 1 }]`,
  );
  running.push(router, expert);
  const send = (user: string, key: string, priority?: number) =>
    router.post(
      '/v1/chat/completions',
      { user, messages: [{ role: 'user', content: 'hello' }] },
      {
        authorization: `Bearer ${key}`,
        ...(priority === undefined ? {} : { 'x-expert-router-priority': String(priority) }),
      },
    );
  const all = [send('first', 'plain')];
  await eventually('the slot is taken', () => order.length === 1);
  for (const [at, [key, priority]] of asks.entries()) {
    all.push(send(`${at}`, key, priority));
    await eventually(
      'it waits',
      async () => (await router.metric('expert_router_queued{expert="one"}')) === at + 1,
    );
  }
  for (let at = 0; at <= asks.length; at++) {
    await eventually('the next is asked', () => answers.length > at);
    answers[at]!();
  }
  await Promise.all(all);
  return order.slice(1);
}

it('a claim of priority moves nobody up', async () => {
  expect(await orderOf([['plain'], ['plain', 10], ['plain', 99]])).toEqual(['0', '1', '2']);
});

it('a key that grants it goes first, unless its request asks for less', async () => {
  expect(await orderOf([['plain'], ['granted', -3], ['granted', 10], ['granted']])).toEqual([
    '2',
    '3',
    '0',
    '1',
  ]);
});

/** A conversation that is answered elsewhere than where it is cached: counted, an event, and a sentence of its story. */
import { afterEach, expect, it } from 'vitest';
import type { History, Row } from '../src/serving/board/wire.ts';
import { hashKey } from '../src/serving/front/auth.ts';
import { eventually, gateway, type RunningGateway } from './support/gateway.ts';
import { type Answer, type Upstream, upstream } from './support/upstream.ts';

const HEADERS = { authorization: 'Bearer mine' };
/** Reads 1,000 tokens, of which so many are cached. */
const engine =
  (cached: number): Answer =>
  (response, { method }) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    if (method === 'GET') return void response.end('{"object":"list","data":[]}');
    const usage = {
      prompt_tokens: 1_000,
      completion_tokens: 3,
      total_tokens: 1_003,
      prompt_tokens_details: { cached_tokens: cached },
    };
    const choices = [{ index: 0, message: { role: 'assistant', content: 'Yes.' }, finish_reason: 'stop' }];
    response.end(
      JSON.stringify({ id: 'c', object: 'chat.completion', created: 1, model: 'm', choices, usage }),
    );
  };

let router: RunningGateway;
const experts: Upstream[] = [];
afterEach(async () => {
  await router.close();
  await Promise.all(experts.splice(0).map((expert) => expert.close()));
});

const get = async <T>(path: string): Promise<T> =>
  (await (await fetch(router.url + path, { headers: HEADERS })).json()) as T;

async function events(): Promise<History['events']> {
  const response = await fetch(`${router.url}/ui/api/stream`, { headers: HEADERS });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let held = '';
  while (!/^data: .*\n\n/m.test(held)) held += (await reader.read()).value;
  await reader.cancel();
  return (JSON.parse(/^data: (.*)$/m.exec(held)![1]!) as History).events;
}

it('a move is told with what it cost in cached tokens', { timeout: 20_000 }, async () => {
  experts.push(await upstream(engine(900)), await upstream(engine(64)));
  router = await gateway(`keys: [{ name: me, hash: '${hashKey('mine')}', roles: [ask, observe, operate] }]
experts:
  - { id: code, kind: openai, url: '${experts[0]!.url}', description: Writes and debugs programs }
  - { id: other, kind: openai, url: '${experts[1]!.url}', fallback: true }
`);
  const said: object[] = [];
  const ask = async (content: string): Promise<string> => {
    said.push({ role: 'user', content });
    const answer = await router.post('/v1/chat/completions', { messages: said }, HEADERS);
    await answer.text();
    said.push({ role: 'assistant', content: 'Yes.' });
    return answer.headers.get('x-expert-router-expert')!;
  };
  expect(await ask('Why does my Python loop never end?')).toBe('code');
  expect(await ask('And with a while loop?')).toBe('code');
  await router.post('/v1/experts/code/drain', {}, HEADERS);
  expect(await ask('Show me the fixed function.')).toBe('other');
  expect(await router.metric('expert_router_moves_total{from="code",to="other"}')).toBe(1);
  expect(await router.metric('expert_router_moved_tokens_total{expert="other"}')).toBe(936);
  const rows = await get<readonly Row[]>('/ui/api/requests');
  expect(rows.map(({ livedAt, expert }) => [livedAt, expert])).toEqual([
    ['code', 'other'],
    ['code', 'code'],
    [null, 'code'],
  ]);
  await eventually('it is an event', async () =>
    (await events()).some(
      ({ kind, moved }) =>
        kind === 'moved' && moved?.from === 'code' && moved.to === 'other' && moved.reread === 936,
    ),
  );
});

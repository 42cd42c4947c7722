import { afterEach, describe, expect, it } from 'vitest';
import { parseConfig } from '../src/serving/config/load.ts';
import { gateway, type RunningGateway } from './support/gateway.ts';
import { polite, upstream } from './support/upstream.ts';

const EXPERTS = `experts:
  - { id: code, kind: emulated, description: Writes and explains programs }
  - { id: org/Model-7B:latest, kind: emulated, description: 'Mathematics, equations, probability' }
  - { id: general, kind: emulated, fallback: true }
`;
const ALIASES = `aliases:
  gpt-4o: general
  'gpt-4*': auto
  'claude-*': code
  pair: [org/Model-7B:latest, general]
  auto/turns: { experts: [code, general], policy: round-robin }
`;

let running: RunningGateway | null = null;
afterEach(() => running?.close());

const start = async (): Promise<RunningGateway> => {
  running = await gateway(EXPERTS + ALIASES);
  return running;
};

async function answeredBy(
  router: RunningGateway,
  model: string,
  content = 'Fix this Python function',
): Promise<string> {
  const response = await router.post('/v1/chat/completions', {
    model,
    messages: [{ role: 'user', content }],
  });
  expect(response.status, await response.text()).toBe(200);
  return response.headers.get('x-expert-router-expert')!;
}

describe('an expert', () => {
  it('is also named by its model, where no other serves it', async () => {
    const expert = await upstream(polite);
    running = await gateway(`experts:
  - { id: coder, kind: openai, url: '${expert.url}', model: Qwen/Qwen2.5-Coder-7B, description: programs }
  - { id: one, kind: openai, url: '${expert.url}', model: llama3.2:1b }
  - { id: two, kind: openai, url: '${expert.url}', model: llama3.2:1b, fallback: true }
`);
    expect(await answeredBy(running, 'Qwen/Qwen2.5-Coder-7B', 'What is the capital of France?')).toBe(
      'coder',
    );
    const messages = [{ role: 'user', content: 'x' }];
    expect((await running.post('/v1/chat/completions', { model: 'llama3.2:1b', messages })).status).toBe(404);
    await expert.close();
  });
});

describe('aliases', () => {
  it('stand for an expert, or for auto; patterns too', async () => {
    const router = await start();
    expect(await answeredBy(router, 'gpt-4o')).toBe('general');
    expect(await answeredBy(router, 'claude-sonnet-9')).toBe('code');
    expect(await answeredBy(router, 'gpt-4.1-mini')).toBe(await answeredBy(router, 'auto'));
    expect(await answeredBy(router, 'org/Model-7B:latest')).toBe('org/Model-7B:latest');
  });

  it('choose among their own experts only, by a policy of their own', async () => {
    const router = await start();
    expect(await answeredBy(router, 'pair')).not.toBe('code');
    const turns = [];
    for (let i = 0; i < 4; i++) turns.push(await answeredBy(router, 'auto/turns', 'What is 2 + 2?'));
    expect(turns.filter((expert) => expert === 'code')).toHaveLength(2);
    expect(turns.filter((expert) => expert === 'general')).toHaveLength(2);
  });

  it('are models that clients see, patterns excepted', async () => {
    const router = await start();
    const { data } = (await (await fetch(`${router.url}/v1/models`)).json()) as { data: { id: string }[] };
    expect(data.map(({ id }) => id)).toEqual([
      'auto',
      'code',
      'org/Model-7B:latest',
      'general',
      'gpt-4o',
      'pair',
      'auto/turns',
    ]);
    for (const path of ['org/Model-7B:latest', 'org%2FModel-7B%3Alatest', 'auto/turns', 'gpt-4.1'])
      expect((await fetch(`${router.url}/v1/models/${path}`)).status, path).toBe(200);
    expect((await fetch(`${router.url}/v1/models/%E0%A4%A`)).status).toBe(404);
  });

  it('suggest a name whatever its case', async () => {
    const router = await start();
    const response = await router.post('/v1/chat/completions', {
      model: 'GENERAL',
      messages: [{ role: 'user', content: 'x' }],
    });
    expect(response.status).toBe(404);
    expect(await response.text()).toContain("did you mean 'general'?");
  });

  it.each([
    [
      'gpt: generall',
      /config:\d+:\d+: aliases\.gpt: no expert is called 'generall'; did you mean 'general'\?/,
    ],
    ['gpt: other\n  other: gpt', /aliases\.gpt: 'other' is an alias itself; name what it stands for/],
    ['pair: [code, none]', /aliases\.pair: no expert is called 'none'/],
    ['pair: []', /aliases\.pair: .*at least one expert/],
    ['auto: code', /aliases\.auto: another name/],
    ['code: general', /aliases\.code: an expert has this name/],
    ['a b: general', /aliases\.a b: /],
    ['x: { policy: nerest }', /aliases\.x\.policy: .*did you mean 'nearest'\?/],
  ])('%s is refused with its place', (alias, message) => {
    expect(() => parseConfig(`${EXPERTS}aliases:\n  ${alias}\n`, 'config', {})).toThrow(message);
  });
});

describe('side requests', () => {
  const ASKED = { role: 'user', content: 'Why does my Python loop never end?' };
  const TITLE = `### Task:\nGenerate a concise title.\n<chat_history>\nUSER: ${ASKED.content}\nASSISTANT: It waits.\n</chat_history>`;
  const asked = async (messages: unknown, model = 'auto'): Promise<string> => {
    const answer = await running!.post('/v1/chat/completions', { model, messages, user: 'me' });
    expect(answer.status, await answer.text()).toBe(200);
    return `${answer.headers.get('x-expert-router-expert')}, ${answer.headers.get('x-expert-router-reason')}`;
  };

  it("go where the person's words go, or to the expert of the setting, and move no conversation", async () => {
    running = await gateway(EXPERTS);
    expect(await asked([{ role: 'user', content: TITLE }])).toBe('code, nearest-cluster');
    await running.close();
    running = await gateway(`side_requests: general\n${EXPERTS}`);
    expect(await asked([ASKED])).toBe('code, nearest-cluster');
    expect(await asked([{ role: 'user', content: TITLE }])).toBe('general, side-request');
    const summary = 'You are a title generator. You output only a title.';
    expect(await asked([{ role: 'system', content: summary }, ASKED])).toBe('general, side-request');
    expect(await asked([{ role: 'user', content: TITLE }], 'code')).toBe('code, named');
    const later = [ASKED, { role: 'assistant', content: 'It waits.' }, { role: 'user', content: 'yes' }];
    expect(await asked(later)).toMatch(/^code, /);
  });

  it('need an expert that exists', () => {
    expect(() => parseConfig(`side_requests: generall\n${EXPERTS}`, 'experts.yaml', {})).toThrow(
      /side_requests.*no expert is called 'generall'; did you mean 'general'/s,
    );
  });
});

describe('names of clusters', () => {
  const named = (names: string) => gateway(`cluster_names: ${names}\nlocal_only_clusters: []\n${EXPERTS}`);

  it('are those of the config, where it has some', async () => {
    running = await gateway(EXPERTS);
    const asked = { messages: [{ role: 'user', content: 'Why does my Python loop never end?' }] };
    const route = async () => (await running!.post('/v1/route', asked)).json();
    const { cluster } = (await route()) as { cluster: number };
    await running.close();
    running = await named(`{ ${cluster}: Loops and lists }`);
    expect(await route()).toMatchObject({
      cluster,
      cluster_name: 'Loops and lists',
      explanation: expect.stringContaining('Loops and lists'),
    });
  });

  it('belong to clusters that there are, and are no two alike', async () => {
    running = null;
    await expect(named('{ 640: Loops }')).rejects.toThrow(/cluster_names names cluster 640.*0 … 63/);
    await expect(named('{ 1: Loops, 2: Loops }')).rejects.toThrow(/two clusters would be called 'Loops'/);
  });
});

/** Requests go to experts that can answer them: those with room, and whose model takes what they hold. */
import { afterEach, describe, expect, it } from 'vitest';
import { gateway, type RunningGateway } from './support/gateway.ts';
import { upstream } from './support/upstream.ts';

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

async function start(experts: string, how: object = {}): Promise<RunningGateway> {
  const running = await gateway(`experts:\n${experts}`, how);
  opened.push(running);
  return running;
}

const EXPERTS = `  - { id: small, kind: emulated, context: 1000, modalities: [text], description: Stories, fallback: true }
  - { id: large, kind: emulated, context: 20000, modalities: [text, image], description: Writes programs }
`;
const story = (words: number, more: object = {}) => ({
  messages: [{ role: 'user', content: `Tell a story. ${'sea '.repeat(words)}` }],
  ...more,
});
const PICTURE = { type: 'image_url', image_url: { url: `data:image/png;base64,${'A'.repeat(100_000)}` } };
const picture = { messages: [{ role: 'user', content: [{ type: 'text', text: 'Tell a story.' }, PICTURE] }] };
const by = (response: Response) => response.headers.get('x-expert-router-expert');

describe('a prompt', () => {
  it('goes where it fits, and the dry run says who was left out and why', async () => {
    const router = await start(EXPERTS);
    expect(by(await router.post('/v1/chat/completions', story(10)))).toBe('small');
    for (const body of [story(2_000), story(10, { max_tokens: 5_000 })]) {
      const answer = await router.post('/v1/chat/completions', body);
      expect([by(answer), answer.headers.get('x-expert-router-reason')]).toEqual(['large', 'able']);
      expect(await (await router.post('/v1/route', body)).json()).toMatchObject({
        expert: 'large',
        left_out: [{ expert: 'small', why: expect.stringMatching(/do not fit its context of 1000/) }],
      });
    }
  });

  it('that fits nowhere goes where there is most room, and to the expert it names whatever the room', async () => {
    const router = await start(EXPERTS);
    expect(by(await router.post('/v1/chat/completions', story(50_000)))).toBe('large');
    expect(by(await router.post('/v1/chat/completions', story(2_000, { model: 'small' })))).toBe('small');
  });

  it('goes by the context that the engine tells', async () => {
    const engine = await upstream((response, { method }) => {
      const list = { object: 'list', data: [{ id: 'm', object: 'model', max_model_len: 1000 }] };
      response.writeHead(method === 'GET' ? 200 : 500, { 'content-type': 'application/json' });
      response.end(JSON.stringify(list));
    });
    opened.push(engine);
    const told = `  - { id: told, kind: openai, url: '${engine.url}', quirks: plain, description: Stories, fallback: true }
  - { id: other, kind: emulated, description: Writes programs }\n`;
    const router = await start(told, { probes: true });
    const route = async (body: object) =>
      (await (await router.post('/v1/route', body)).json()) as { expert: string };
    expect((await route(story(10))).expert).toBe('told');
    expect((await route(story(2_000))).expert).toBe('other');
  });

  it.each([
    ['llama.cpp', '/props', { default_generation_settings: { n_ctx: 1000 } }],
    [
      'ollama',
      '/api/ps',
      {
        models: [
          { model: 'x', context_length: 9 },
          { model: 'm:latest', context_length: 1000 },
        ],
      },
    ],
  ])('goes by what %s tells at %s', async (quirks, page, told) => {
    const engine = await upstream((response, { path }) => {
      const list = { object: 'list', data: [{ id: 'm', object: 'model' }] };
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(path === page ? told : list));
    });
    opened.push(engine);
    const router = await start(
      `  - { id: told, kind: openai, url: '${engine.url}', model: m, quirks: ${quirks}, description: Stories, fallback: true }
  - { id: other, kind: emulated, description: Writes programs }\n`,
      { probes: true },
    );
    const body = await (await router.post('/v1/route', story(2_000))).json();
    expect(body).toMatchObject({
      expert: 'other',
      left_out: [{ why: expect.stringContaining('context of 1000') }],
    });
  });
});

describe('a picture', () => {
  it('goes to an expert that takes pictures, and its bytes are no tokens', async () => {
    const router = await start(EXPERTS);
    const route = await (await router.post('/v1/route', picture)).json();
    expect(route).toMatchObject({
      expert: 'large',
      left_out: [{ expert: 'small', why: 'it takes no image' }],
    });
  });

  it('that a tool showed goes there too', async () => {
    const router = await start(EXPERTS);
    const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AA==' } };
    const messages = [
      { role: 'user', content: 'What does the picture show?' },
      { role: 'assistant', content: [{ type: 'tool_use', id: 'c1', name: 'Read', input: {} }] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'c1', content: [image] }] },
    ];
    const tools = [{ name: 'Read', input_schema: { type: 'object' } }];
    const route = await (
      await router.post('/v1/route', { max_tokens: 9, system: 'Be kind.', messages, tools })
    ).json();
    expect(route).toMatchObject({ left_out: [{ expert: 'small', why: 'it takes no image' }] });
  });

  it('and one that is too long go by the former names of the fields too, where the config has no others', async () => {
    const former = EXPERTS.replaceAll('context:', 'context_window:').replaceAll('modalities:', 'takes:');
    const router = await start(former);
    expect((await routed(router, picture)).left_out).toMatchObject([{ why: 'it takes no image' }]);
    expect((await routed(router, story(6_000))).left_out).toMatchObject([
      { why: expect.stringMatching(/its context of 1000/) },
    ]);
    const both = await start(former.replaceAll('takes: [text]', 'takes: [text], modalities: [text, image]'));
    expect((await routed(both, picture)).left_out).toBeUndefined();
  });

  it('is refused where nobody takes it, and by the expert named', async () => {
    const router = await start(EXPERTS);
    const named = await router.post('/v1/chat/completions', { ...picture, model: 'small' });
    expect(named.status).toBe(400);
    expect(await named.text()).toMatch(/'small' cannot answer this: it takes no image/);
    const blind = await start('  - { id: one, kind: emulated, modalities: [text] }\n');
    expect((await blind.post('/v1/chat/completions', picture)).status).toBe(400);
  });
});

describe('a request that demands something of its answer', () => {
  const ONE = `  - { id: plain, kind: emulated, description: Stories, fallback: true }
`;
  const logprobs = story(3, { logprobs: true });

  it('goes to an expert that offers it, and the dry run says why the other was left out', async () => {
    const engine = await upstream((response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(
        '{"object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"x"},"finish_reason":"stop"}]}',
      );
    });
    opened.push(engine);
    const router = await start(`${ONE}  - { id: server, kind: openai, url: '${engine.url}' }
`);
    expect(by(await router.post('/v1/chat/completions', story(3)))).toBe('plain');
    const answer = await router.post('/v1/chat/completions', logprobs);
    expect([by(answer), answer.headers.get('x-expert-router-reason')]).toEqual(['server', 'able']);
    expect(await (await router.post('/v1/route', logprobs)).json()).toMatchObject({
      expert: 'server',
      left_out: [{ expert: 'plain', why: expect.stringMatching(/'logprobs': token probabilities/) }],
    });
    const schema = {
      type: 'json_schema',
      json_schema: { name: 'a', schema: { type: 'object', properties: {} } },
    };
    expect(by(await router.post('/v1/chat/completions', story(3, { response_format: schema })))).toBe(
      'plain',
    );
  });

  it('that nobody offers is refused with the name of the field', async () => {
    const router = await start(ONE);
    const answer = await router.post('/v1/chat/completions', logprobs);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({
      error: { param: 'logprobs', code: 'unsupported_parameter' },
    });
  });

  it('goes to the expert that it names, whatever that offers', async () => {
    const router = await start(`${ONE}  - { id: other, kind: emulated, description: Programs }
`);
    const answer = await router.post('/v1/chat/completions', { ...logprobs, model: 'other' });
    expect([answer.status, by(answer)]).toEqual([400, 'other']);
  });
});

/** Answers chat completions, and at these paths what is given. */
async function engine(pages: Readonly<Record<string, object>> = {}) {
  const message = { role: 'assistant', content: 'x' };
  const answer = { object: 'chat.completion', choices: [{ index: 0, message, finish_reason: 'stop' }] };
  const list = { object: 'list', data: [{ id: 'm', object: 'model' }] };
  const server = await upstream((response, { path }) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(pages[path] ?? (path.endsWith('/models') ? list : answer)));
  });
  opened.push(server);
  return server;
}

interface Route {
  readonly expert: string;
  readonly left_out?: readonly { readonly expert: string; readonly why: string }[];
}
const routed = async (router: RunningGateway, body: object) =>
  (await (await router.post('/v1/route', body)).json()) as Route;

const FUNCTION = { name: 'f', parameters: { type: 'object' } };
const WISHES: readonly [what: string, wish: object][] = [
  ['tools', { ...story(3), tools: [{ type: 'function', function: FUNCTION }] }],
  ['tools', { ...story(3), max_tokens: 9, tools: [{ name: 'f', input_schema: { type: 'object' } }] }],
  ['tools', { input: 'Tell a story.', tools: [{ type: 'function', ...FUNCTION }] }],
  ['structured_output', { ...story(3), response_format: { type: 'json_object' } }],
  ['structured_output', { input: 'Tell a story.', text: { format: { type: 'json_object' } } }],
  ['thinking', { ...story(3), reasoning_effort: 'high' }],
  ['thinking', { input: 'Tell a story.', reasoning: { effort: 'low' } }],
  ['thinking', { ...story(3), system: 'Be kind.', thinking: { type: 'adaptive' } }],
];

describe('a request that wishes what a model may lack', () => {
  it.each(WISHES)('goes past an expert that is declared to lack it: %s %j', async (trait, body) => {
    const { url } = await engine();
    const router = await start(
      `  - { id: lacking, kind: openai, url: '${url}', ${trait}: false, description: Stories, fallback: true }
  - { id: other, kind: emulated, description: Writes programs }\n`,
    );
    expect((await routed(router, story(3))).expert).toBe('lacking');
    expect(await routed(router, body)).toMatchObject({
      expert: 'other',
      left_out: [
        { expert: 'lacking', why: expect.stringMatching(/its model (calls no|cannot be|does not)/) },
      ],
    });
  });

  it('goes to an expert that lacks it where none has it', async () => {
    const { url } = await engine();
    const router = await start(`  - { id: one, kind: openai, url: '${url}', tools: false }\n`);
    const answer = await router.post('/v1/chat/completions', WISHES[0]![1]);
    expect([answer.status, by(answer)]).toEqual([200, 'one']);
  });

  const OLLAMA = { '/api/show': { capabilities: ['completion', 'vision'] } };
  const BLIND = { '/props': { modalities: { vision: false, audio: false } } };
  it.each([
    ['ollama', OLLAMA, WISHES[0]![1], 'calls no tools'],
    ['ollama', OLLAMA, WISHES[5]![1], 'does not think'],
    ['llama.cpp', BLIND, picture, 'takes no image'],
  ])('goes by what %s tells: %j', async (quirks, pages, body, why) => {
    const { url } = await engine(pages);
    const told = (more: string) =>
      `  - { id: told, kind: openai, url: '${url}', model: m, quirks: ${quirks}, description: Stories, fallback: true${more} }
  - { id: other, kind: emulated, modalities: [text, image], description: Writes programs }\n`;
    const router = await start(told(''), { probes: true });
    expect(await routed(router, body)).toMatchObject({
      expert: 'other',
      left_out: [{ expert: 'told', why: expect.stringContaining(why) }],
    });
    // What the config says goes before it.
    const declared = await start(told(', modalities: [text, image], tools: true, thinking: true'), {
      probes: true,
    });
    expect(await routed(declared, body)).toMatchObject({ expert: 'told' });
  });
});

describe('a body of very many values', () => {
  const many = (more: object) => ({ ...story(3), junk: Array.from({ length: 40_000 }, () => 1), ...more });

  it('goes to an expert that takes its bytes, and what it wants is seen', async () => {
    const { url } = await engine();
    const router = await start(
      `  - { id: reads, kind: emulated, description: Stories, fallback: true }
  - { id: toolless, kind: openai, url: '${url}', tools: false, description: Programs }
  - { id: passes, kind: openai, url: '${url}', description: Programs and mathematics }\n`,
    );
    const plain = await routed(router, many({}));
    expect(plain.left_out).toEqual([{ expert: 'reads', why: expect.stringMatching(/at most 32768/) }]);
    const tools = await routed(router, many({ tools: [{ type: 'function', function: FUNCTION }] }));
    expect(tools).toMatchObject({ expert: 'passes' });
    expect(tools.left_out?.map(({ expert }) => expert)).toEqual(['reads', 'toolless']);
    const blind = await start(
      `  - { id: blind, kind: openai, url: '${url}', modalities: [text], description: Stories, fallback: true }
  - { id: seeing, kind: openai, url: '${url}', context: 200000, description: Programs }\n`,
    );
    expect(await routed(blind, many(picture))).toMatchObject({
      expert: 'seeing',
      left_out: [{ expert: 'blind', why: 'it takes no image' }],
    });
    const jsonless = await start(
      `  - { id: free, kind: openai, url: '${url}', structured_output: false, description: Stories, fallback: true }
  - { id: held, kind: openai, url: '${url}', description: Programs }\n`,
    );
    expect((await routed(jsonless, many({}))).expert).toBe('free');
    expect(await routed(jsonless, many({ response_format: { type: 'json_object' } }))).toMatchObject({
      expert: 'held',
      left_out: [{ expert: 'free', why: "'response_format': its model cannot be held to JSON" }],
    });
  });
});

describe('dialects that the config declares', () => {
  it('are spoken whatever is known of the engine, and no others', async () => {
    const server = await engine({ '/v1/messages': { type: 'message', role: 'assistant', content: [] } });
    const expert = (id: string, how: string) =>
      `  - { id: ${id}, kind: openai, url: '${server.url}', model: m, ${how} }\n`;
    const router = await start(
      expert('more', 'quirks: plain, dialects: [anthropic-messages]') +
        expert('less', 'quirks: vllm, dialects: []'),
    );
    for (const [model, path] of [
      ['more', '/v1/messages'],
      ['less', '/v1/chat/completions'],
    ]) {
      await router.post('/v1/messages', { ...story(3), model, max_tokens: 9 });
      expect(server.requests.at(-1)!.path).toBe(path);
    }
  });
});

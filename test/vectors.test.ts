/** Embeddings and rerank through the whole gateway: who is asked, what passes, and what is refused. */
import { afterEach, describe, expect, it } from 'vitest';
import { gateway, type RunningGateway } from './support/gateway.ts';
import { upstream } from './support/upstream.ts';

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

async function start(yaml: string): Promise<RunningGateway> {
  const running = await gateway(yaml);
  opened.push(running);
  return running;
}

const MIXED = `experts:
  - { id: writer, kind: emulated, capabilities: [chat], description: Writes stories }
  - { id: small, kind: emulated, capabilities: [embeddings] }
  - { id: large, kind: emulated, capabilities: [embeddings, rerank] }
aliases: { text-embedding-3-small: large, either: [small, large] }
`;
const by = (response: Response) => response.headers.get('x-expert-router-expert');

interface Embeddings {
  data: { index: number; embedding: number[] | string }[];
  usage: { prompt_tokens: number; total_tokens: number };
}

describe('embeddings', () => {
  it('come from the expert named, from an alias, and without a name always from the first that has them', async () => {
    const router = await start(MIXED);
    const ask = async (model?: string) =>
      by(await router.post('/v1/embeddings', { model, input: 'Hello there' }));
    expect(await ask('large')).toBe('large');
    expect(await ask('text-embedding-3-small')).toBe('large');
    expect(['small', 'large']).toContain(await ask('either'));
    for (let i = 0; i < 4; i++) expect(await ask(i % 2 ? 'auto' : undefined)).toBe('small');
  });

  it('are the same in floats and in base64, for texts, lists of texts and tokens', async () => {
    const router = await start(MIXED);
    const ask = async (body: object): Promise<Embeddings> => {
      const response = await router.post('/v1/embeddings', { model: 'small', ...body });
      expect(response.status).toBe(200);
      return (await response.json()) as Embeddings;
    };
    const floats = await ask({ input: ['red cars', 'red'], dimensions: 16 });
    const packed = await ask({ input: ['red cars', 'red'], dimensions: 16, encoding_format: 'base64' });
    expect(floats.data.map(({ index }) => index)).toEqual([0, 1]);
    expect(floats.usage).toEqual({ prompt_tokens: 3, total_tokens: 3 });
    for (const [at, { embedding }] of packed.data.entries()) {
      const bytes = Uint8Array.from(Buffer.from(embedding as string, 'base64'));
      expect([...new Float32Array(bytes.buffer)]).toEqual(floats.data[at]!.embedding);
    }
    expect((await ask({ input: [1, 2, 3] })).data).toHaveLength(1);
    expect((await ask({ input: [[1, 2], [3]] })).data).toHaveLength(2);
  });

  it('of an expert elsewhere pass byte for byte, its own model name apart, and are counted', async () => {
    const vector = Array.from({ length: 9000 }, (_, at) => Math.sin(at));
    const body = JSON.stringify({
      object: 'list',
      data: [{ object: 'embedding', index: 0, embedding: vector }],
      usage: { prompt_tokens: 3, total_tokens: 3 },
    });
    expect(body.length).toBeGreaterThan(100_000);
    const server = await upstream((response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(body);
    });
    opened.push(server);
    const router = await start(`experts:
      - { id: writer, kind: emulated, capabilities: [chat] }
      - { id: bge, kind: openai, url: '${server.url}', model: BAAI/bge-m3, capabilities: [embeddings] }`);
    const answer = await router.post('/v1/embeddings', {
      input: [[5, 6]],
      encoding_format: 'float',
      user: 'u',
    });
    expect(await answer.text()).toBe(body);
    expect(by(answer)).toBe('bge');
    const [request] = server.requests;
    expect(request!.path).toBe('/v1/embeddings');
    expect(JSON.parse(request!.body)).toEqual({
      input: [[5, 6]],
      encoding_format: 'float',
      user: 'u',
      model: 'BAAI/bge-m3',
    });
    expect(await router.metric('expert_router_inflight{expert="bge"}')).toBe(0);
    expect(await router.metric('expert_router_prompt_tokens_total{expert="bge"}')).toBe(3);
  });

  it('are refused with the cure where nobody has them, and by an expert that has none', async () => {
    const nobody = await start('experts: [{ id: writer, kind: emulated, capabilities: [chat] }]');
    const refused = await nobody.post('/v1/embeddings', { input: 'x' });
    expect(refused.status).toBe(404);
    expect(await refused.text()).toMatch(/capabilities: \[chat, embeddings\]/);
    const router = await start(MIXED);
    expect(await (await router.post('/v1/embeddings', { model: 'writer', input: 'x' })).text()).toMatch(
      /These do: small, large/,
    );
    expect((await router.post('/v1/embeddings', { model: 'nothing', input: 'x' })).status).toBe(404);
    for (const input of [undefined, null, [], 7, '', ['a', 3]])
      expect(await (await router.post('/v1/embeddings', { input })).json()).toMatchObject({
        error: { type: 'invalid_request_error', param: expect.stringMatching(/^input/) },
      });
  });
});

describe('rerank', () => {
  it('is served at its three paths: best first, cut at top_n', async () => {
    const router = await start(MIXED);
    const documents = ['Ships at sea', { text: 'the red car is fast' }, 'a car'];
    for (const path of ['/rerank', '/v1/rerank', '/v2/rerank']) {
      const response = await router.post(path, {
        query: 'red car',
        documents,
        top_n: 2,
        return_documents: true,
      });
      expect(by(response)).toBe('large');
      const { results } = (await response.json()) as {
        results: { index: number; relevance_score: number }[];
      };
      expect(results).toHaveLength(2);
      expect(results.map(({ index }) => index)).not.toContain(0);
      expect(results[0]!.relevance_score).toBeGreaterThanOrEqual(results[1]!.relevance_score);
    }
    const wrong = await router.post('/rerank', { query: 'x', documents: 'y' });
    expect(await wrong.json()).toMatchObject({ error: { param: 'documents' } });
  });

  it('goes to the next expert of a choice when one fails, and to no other when one is named', async () => {
    const router = await start(`experts:
      - { id: broken, kind: emulated, capabilities: [rerank], misbehaviour: '503' }
      - { id: whole, kind: emulated, capabilities: [rerank] }
aliases: { both: { experts: [broken, whole], policy: round-robin } }`);
    const body = { query: 'a', documents: ['a', 'b'] };
    for (let i = 0; i < 2; i++)
      expect(by(await router.post('/rerank', { ...body, model: 'both' }))).toBe('whole');
    expect((await router.post('/rerank', { ...body, model: 'broken' })).status).toBe(503);
  });
});

describe('experts without text', () => {
  it('serve no cluster, and get no request for text', async () => {
    const router = await start(MIXED);
    const undescribed = await start(MIXED.replace(', description: Writes stories', ''));
    for (const content of [
      'Write a story',
      'What is 2 + 2?',
      'Fix this Python function',
      'Wie geht es dir?',
    ]) {
      const body = { messages: [{ role: 'user', content }] };
      const chat = await router.post('/v1/chat/completions', body);
      expect(by(chat)).toBe('writer');
      expect(chat.headers.get('x-expert-router-reason')).not.toBe('able');
      expect(by(await undescribed.post('/v1/chat/completions', body))).toBe('writer');
    }
    const named = await router.post('/v1/chat/completions', {
      model: 'small',
      messages: [{ role: 'user', content: 'x' }],
    });
    expect(named.status).toBe(400);
    expect(await named.text()).toMatch(/'small' does not answer/);
  });
});

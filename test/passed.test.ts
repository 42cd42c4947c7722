/** What is passed to an expert unread: JSON and forms, at addresses that no dialect knows. */
import { afterEach, describe, expect, it } from 'vitest';
import { gateway, type RunningGateway } from './support/gateway.ts';
import { type Answer, type Upstream, upstream } from './support/upstream.ts';

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

const sound: Answer = (response) => {
  response.writeHead(200, { 'content-type': 'audio/mpeg' }).end(Buffer.from([0xff, 0xfb, 0, 1]));
};

async function start(
  answer: Answer = sound,
  more = '',
): Promise<{ router: RunningGateway; expert: Upstream }> {
  const expert = await upstream(answer);
  const router = await gateway(`experts:
  - { id: writer, kind: emulated }
  - { id: sound, kind: openai, url: '${expert.url}', model: org/Sound-1, quirks: plain }
${more}
aliases: { tts-1: sound }`);
  opened.push(expert, router);
  return { router, expert };
}

describe('JSON', () => {
  it('passes with the server’s own model, every other byte as it was; the answer in its bytes', async () => {
    const { router, expert } = await start();
    const sent = '{ "input":"Hi", "model" : "tts-1","big":12345678901234567890 }';
    const answer = await router.post('/v1/audio/speech?x=1', sent);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-expert-router-expert')).toBe('sound');
    expect(answer.headers.get('content-type')).toBe('audio/mpeg');
    expect([...new Uint8Array(await answer.arrayBuffer())]).toEqual([0xff, 0xfb, 0, 1]);
    const { path, body } = expert.requests[0]!;
    expect(path).toBe('/v1/audio/speech?x=1');
    expect(body).toBe(sent.replace('"tts-1"', '"org/Sound-1"'));
    expect(await router.metric('expert_router_inflight{expert="sound"}')).toBe(0);
  });

  it('goes beside the base where its address has no /v1, and to the only expert that can where none is named', async () => {
    const { router, expert } = await start((response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"tokens":[1]}');
    });
    expect(await (await router.post('/tokenize', { prompt: 'x' })).json()).toEqual({ tokens: [1] });
    expect(expert.requests[0]!.path).toBe('/tokenize');
    expect(JSON.parse(expert.requests[0]!.body)).toEqual({ prompt: 'x', model: 'org/Sound-1' });
  });

  it('reaches a server that makes conversations shorter, whose address looks like that of a stored response', async () => {
    const { router, expert } = await start();
    expect((await router.post('/v1/responses/compact', { model: 'sound', input: [] })).status).toBe(200);
    expect(expert.requests[0]!.path).toBe('/v1/responses/compact');
    expect((await router.post('/v1/responses/compact', { model: 'writer', input: [] })).status).toBe(400);
  });

  it('needs a name where several could answer, by the model or by the header', async () => {
    const { router } = await start(sound, "  - { id: other, kind: openai, url: 'http://127.0.0.1:9' }");
    const unnamed = await router.post('/v1/moderations', { input: 'x' });
    expect(unnamed.status).toBe(400);
    expect(await unnamed.json()).toMatchObject({
      error: { param: 'model', message: expect.stringMatching(/sound, other/) },
    });
    const forced = await router.post(
      '/v1/moderations',
      { input: 'x' },
      { 'x-expert-router-expert': 'sound' },
    );
    expect(forced.status).toBe(200);
    const cannot = await router.post('/v1/moderations', { model: 'writer', input: 'x' });
    expect(cannot.status).toBe(400);
  });

  it('keeps a stream as it comes, and an error as it was told', async () => {
    const { router } = await start((response, { path }) => {
      if (path === '/v1/fim/completions')
        response
          .writeHead(200, { 'content-type': 'text/event-stream' })
          .end('data: {"a":1}\n\ndata: [DONE]\n\n');
      else
        response
          .writeHead(404, { 'content-type': 'application/json' })
          .end('{"error":{"message":"No pictures."}}');
    });
    const stream = await router.post('/v1/fim/completions', { model: 'sound', stream: true });
    expect(await stream.text()).toBe('data: {"a":1}\n\ndata: [DONE]\n\n');
    const refused = await router.post('/v1/images/generations', { model: 'sound' });
    expect([refused.status, await refused.text()]).toEqual([404, '{"error":{"message":"No pictures."}}']);
  });

  it('is refused where it is none', async () => {
    const { router, expert } = await start();
    expect((await router.post('/v1/audio/speech', '[1]')).status).toBe(400);
    expect((await router.post('/v1/audio/speech', { model: 7 })).status).toBe(400);
    const text = await router.post('/v1/audio/speech', 'x', { 'content-type': 'text/plain' });
    expect(text.status).toBe(415);
    expect((await router.post('/v1/nothing/like/it', {})).status).toBe(404);
    expect(expert.requests).toEqual([]);
  });
});

describe('forms', () => {
  const form = (): FormData => {
    const data = new FormData();
    data.append('file', new Blob([Buffer.alloc(400_000, 7)]), 'a model.wav');
    data.append('model', 'tts-1');
    data.append('language', 'de');
    return data;
  };

  it('pass with their files, and the server’s own model in their field', async () => {
    const { router, expert } = await start();
    const answer = await fetch(`${router.url}/v1/audio/transcriptions`, { method: 'POST', body: form() });
    expect(answer.status).toBe(200);
    const [{ headers, body }] = expert.requests as [Upstream['requests'][0]];
    const passed = await new Response(body, {
      headers: { 'content-type': headers['content-type']! },
    }).formData();
    expect(passed.get('model')).toBe('org/Sound-1');
    expect(passed.get('language')).toBe('de');
    expect((passed.get('file') as File).size).toBe(400_000);
  });

  it('are bounded, and refused without a boundary', async () => {
    const { router, expert } = await start(sound, '');
    const bare = await router.post('/v1/audio/transcriptions', 'x', {
      'content-type': 'multipart/form-data',
    });
    expect(bare.status).toBe(400);
    const large = new FormData();
    large.append('file', new Blob([Buffer.alloc(34_000_000)]), 'x');
    const refused = await fetch(`${router.url}/v1/audio/transcriptions`, { method: 'POST', body: large });
    expect(refused.status).toBe(413);
    expect(expert.requests).toEqual([]);
  });
});

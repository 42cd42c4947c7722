/** The worst requests, from socket to expert: what is refused and how, what passes, and who parses it. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { LIMITS } from '../src/core/bounds.ts';
import { gateway, type RunningGateway } from './support/gateway.ts';
import { type Upstream, upstream } from './support/upstream.ts';

const MB = 1024 * 1024;
const MESSAGES = '"messages":[{"role":"user","content":"Write a Python function"}]';

let expert: Upstream;
let router: RunningGateway;

beforeAll(async () => {
  expert = await upstream(
    (response) =>
      void response
        .writeHead(200, { 'content-type': 'application/json' })
        .end('{"choices":[{"index":0,"message":{"role":"assistant","content":"a"},"finish_reason":"stop"}]}'),
  );
  router = await gateway(`
experts:
  - { id: code, kind: openai, url: '${expert.url}', model: served, quirks: vllm, samples: [Write a Python function] }
  - { id: general, kind: emulated, fallback: true }
`);
});

afterAll(async () => {
  await router.close();
  await expert.close();
});

beforeEach(() => {
  expert.requests.length = 0;
});

async function refusal(
  body: string,
  headers = {},
): Promise<{ status: number; code: string; message: string }> {
  const response = await router.post('/v1/chat/completions', body, headers);
  const { error } = (await response.json()) as { error: { code: string; message: string } };
  return { status: response.status, code: error.code, message: error.message };
}

/** Lengths of the texts that were parsed on this thread while something ran, longest last. */
async function parsedHere<T>(run: () => Promise<T>): Promise<{ result: T; longest: number }> {
  const parse = vi.spyOn(JSON, 'parse');
  const result = await run();
  const longest = Math.max(0, ...parse.mock.calls.map(([text]) => String(text).length));
  parse.mockRestore();
  return { result, longest };
}

describe('what is refused', () => {
  it.each([
    [
      'nesting',
      `{${MESSAGES},"x":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
      400,
      'deeper than 512 levels',
    ],
    ['brackets that never close', '['.repeat(4 * MB), 400, 'deeper than 512 levels'],
    ['ten million objects', `{${MESSAGES},"x":[${'{},'.repeat(10_000_000)}0]}`, 413, 'more than 2000000'],
    [
      'a hundred thousand duplicates',
      `{${MESSAGES},${'"model":0,'.repeat(100_000)}"a":0}`,
      400,
      'more than 4096',
    ],
  ])('%s, unparsed', async (_name, body, status, message) => {
    const { result, longest } = await parsedHere(() => refusal(body));
    expect(result).toMatchObject({ status, message: expect.stringContaining(message) });
    expect(longest).toBeLessThan(1_000); // the error that this test reads
    expect(expert.requests).toEqual([]);
  });

  it('a form of a million parts', async () => {
    const response = await router.post('/v1/audio/transcriptions', '--a'.repeat(4_000_000), {
      'content-type': 'multipart/form-data; boundary=a',
    });
    expect(response.status).toBe(400);
    expect(await response.text()).toContain('The form has more than 1000 parts.');
  });

  it('a model name of a megabyte, repeated in part', async () => {
    const { status, message } = await refusal(`{${MESSAGES},"model":"${'a'.repeat(MB)}"}`);
    expect(status).toBe(404);
    expect(message).toMatch(/^There is no model 'a{99}…'\. Known: auto, code, general\.$/);
  });

  it('a name in a header, a path and broken JSON, repeated in part', async () => {
    const forced = { 'x-expert-router-expert': 'b'.repeat(10_000) };
    expect((await refusal(`{${MESSAGES}}`, forced)).message.length).toBeLessThan(200);
    const lost = await router.post(`/v1/${'c'.repeat(10_000)}`, {});
    expect((await lost.text()).length).toBeLessThan(600);
    expect((await refusal(`{"${'d'.repeat(10_000)}" 1}`)).message.length).toBeLessThan(200);
  });

  it('more or longer stop texts than are searched for', async () => {
    const stops = (stop: unknown) =>
      refusal(JSON.stringify({ model: 'general', messages: [{ role: 'user', content: 'a' }], stop }));
    for (const stop of [Array(LIMITS.stops + 1).fill('x'), 'x'.repeat(LIMITS.stopUnits + 1)])
      expect(await stops(stop)).toMatchObject({
        status: 400,
        message: expect.stringContaining("'stop' may hold 32"),
      });
  });
});

describe('what is parsed beside the event loop', () => {
  it('is a long body, which reaches the expert as it was sent', async () => {
    const image = 'iVBORw0KGgo'.repeat((20 * MB) / 11);
    const content = `[{"type":"text","text":"Write a Python function"},{"type":"image_url","image_url":{"url":"data:image/png;base64,${image}"}}]`;
    const body = `{ "seed":12345678901234567890 ,"seed":1, "messages":[{"role":"user","content":${content}}] , "model" : "code"}`;
    const { result, longest } = await parsedHere(() => router.post('/v1/chat/completions', body));
    expect(result.status).toBe(200);
    expect(longest).toBeLessThan(10_000);
    expect(expert.requests[0]!.body === body.replace('"code"}', '"served"}')).toBe(true);
  });

  it('is a body of many values, routed as any other', async () => {
    const body = `{${MESSAGES},"x":[${'{},'.repeat(LIMITS.loopTokens)}"\\ud83d"]}`;
    const { result, longest } = await parsedHere(() => router.post('/v1/chat/completions', body));
    expect(result.headers.get('x-expert-router-expert')).toBe('code');
    expect(result.headers.get('x-expert-router-reason')).toBe('nearest-cluster');
    expect(longest).toBeLessThan(10_000);
    const sent = `{"model":"served",${body.slice(1)}`.replace('\\ud83d', '\\ufffd');
    expect(expert.requests[0]!.body === sent).toBe(true);
  });

  it('is decided as on the loop, whatever is long about it', async () => {
    const text = 'Write a Python function that reverses a linked list.';
    const decided = async (more: object): Promise<unknown> => {
      const ask = { messages: [{ role: 'user', content: text }], ...more };
      const response = await router.post('/v1/route', ask);
      const {
        trace_id: _,
        left_out: _out,
        ranking,
        ...decision
      } = (await response.json()) as {
        trace_id: string;
        left_out: unknown;
        ranking: { expert: string; cost: unknown }[];
      };
      expect(decision).toMatchObject({ expert: 'code', reason: 'nearest-cluster' });
      // What the prompt would cost to read is estimated from the size of the whole body, and who would have to read many
      // values is left out.
      const own = ranking.filter(({ expert: id }) => id === 'code');
      return { ...decision, ranking: own.map(({ cost: _, ...ranked }) => ranked) };
    };
    const values = Array.from({ length: LIMITS.loopTokens }, () => 0);
    expect(await decided({ x: values })).toEqual(await decided({}));
    expect(await decided({ x: 'x'.repeat(LIMITS.loopBytes) })).toEqual(await decided({}));
  });

  it('is refused as on the loop', async () => {
    const long = `"x":"${'x'.repeat(LIMITS.loopBytes)}"`;
    expect(await refusal(`{${long}`)).toMatchObject({ status: 400, code: 'invalid_json' });
    expect(await refusal(`{${long},"messages":[]}`)).toMatchObject({ status: 400, code: 'invalid_body' });
  });

  it('is refused by an expert that would have to read its many values, and read where they are few', async () => {
    const many = JSON.stringify(Array.from({ length: LIMITS.loopTokens }, () => 0));
    expect(await refusal(`{"model":"general",${MESSAGES},"x":${many}}`)).toMatchObject({
      status: 413,
      message: expect.stringContaining('at most 32768 brackets, commas and colons'),
    });
    const long = `{"model":"general",${MESSAGES},"x":"${'x'.repeat(LIMITS.loopBytes)}"}`;
    expect((await router.post('/v1/chat/completions', long)).status).toBe(200);
  });
});

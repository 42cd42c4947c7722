/** A server that ignores `stream: true` and answers with one JSON body: the client gets the stream that it asked for. */
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gateway, type RunningGateway } from './support/gateway.ts';
import { type Upstream, upstream } from './support/upstream.ts';

const USAGE = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };
const CALLS = [{ id: 'c1', type: 'function', function: { name: 'look', arguments: '{"at":"fox"}' } }];
const MESSAGES = [{ role: 'user' as const, content: 'x' }];

let body = '';
let cut = false;
let expert: Upstream;
let router: RunningGateway;

beforeAll(async () => {
  expert = await upstream((response) => {
    const bytes = Buffer.from(body);
    const half = bytes.length >> 1;
    response.writeHead(200, {
      'content-type': 'application/json',
      'content-length': bytes.length + (cut ? 10 : 0),
    });
    response.write(bytes.subarray(0, half));
    setTimeout(() => {
      if (cut) response.destroy();
      else response.end(bytes.subarray(half));
    }, 100);
  });
  router = await gateway(
    `experts: [{ id: one, kind: openai, quirks: plain, test_request: false, url: '${expert.url}' }]\nheartbeat: 20ms`,
  );
});

afterAll(async () => {
  await router.close();
  await expert.close();
});

function answerWith(message: object, more: object = {}): void {
  cut = false;
  const choices = [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: 'stop' }];
  body = JSON.stringify({
    id: 'x',
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices,
    usage: USAGE,
    ...more,
  });
}

const ask = (more: object = {}): Promise<Response> =>
  router.post('/v1/chat/completions', { stream: true, messages: MESSAGES, ...more });

describe('a whole answer to a request for a stream', () => {
  it('is read by the official client as a stream, with usage and signs of life', async () => {
    answerWith({ content: 'The 🦊 jumps.', reasoning_content: 'Hm.' });
    const client = new OpenAI({ baseURL: `${router.url}/v1`, apiKey: 'none', maxRetries: 0 });
    const stream = await client.chat.completions.create({
      model: 'one',
      stream: true,
      stream_options: { include_usage: true },
      messages: MESSAGES,
    });
    let text = '';
    let last: unknown;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? '';
      last = chunk.usage ?? last;
    }
    expect(text).toBe('The 🦊 jumps.');
    expect(last).toMatchObject(USAGE);
  });

  it('keeps tool calls', async () => {
    answerWith({ content: null, tool_calls: CALLS });
    const response = await ask();
    expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
    const text = await response.text();
    expect(text).toContain('"name":"look"');
    expect(text).toContain(JSON.stringify('{"at":"fox"}'));
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
  });

  it('is a stream for text completions too', async () => {
    cut = false;
    body = JSON.stringify({ id: 'x', choices: [{ index: 0, text: 'and so', finish_reason: 'length' }] });
    const text = await (await router.post('/v1/completions', { stream: true, prompt: 'x' })).text();
    expect(text).toContain('"text":"and so"');
    expect(text).toContain('"finish_reason":"length"');
  });

  it('passes as it is where a stream of ours could not say it all, or where it is too long to hold', async () => {
    const slow = await gateway(
      `experts: [{ id: one, kind: openai, quirks: plain, test_request: false, url: '${expert.url}' }]`,
    );
    const post = async (more: object): Promise<string> =>
      (await slow.post('/v1/chat/completions', { stream: true, messages: MESSAGES, ...more })).text();
    answerWith({ content: 'a' });
    expect(await post({ n: 2 })).toBe(body);
    expect(await post({ logprobs: true })).toBe(body);
    answerWith({ content: 'a'.repeat(9 * 1024 * 1024) });
    expect((await post({})) === body).toBe(true);
    await slow.close();
  });

  it('is a whole one for a client that asked for no stream', async () => {
    answerWith({ content: 'a' });
    expect(await (await ask({ stream: false })).text()).toBe(body);
  });

  it('that breaks off is a failure, not half a stream', async () => {
    answerWith({ content: 'a'.repeat(1000) });
    cut = true;
    const text = await (await ask()).text();
    expect(text).toContain('"error"');
    expect(text).not.toContain('"content"');
  });
});

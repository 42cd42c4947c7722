/** OpenAI's own client against a real server process: what it can do with OpenAI, it can do with the router. */

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import OpenAI, { APIError, AuthenticationError, NotFoundError } from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newKey } from '../src/serving/front/auth.ts';
import { type RouterProcess, routerProcess } from './support/process.ts';
import { polite, type Upstream, upstream } from './support/upstream.ts';

const { key, hash } = newKey();
let expert: Upstream;
let router: RouterProcess;
let client: OpenAI;

beforeAll(async () => {
  expert = await upstream((response, request) => {
    if (!request.body.includes('die')) return polite(response, request);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('data: {"choices":[{"index":0,"delta":{"content":"half"}}]}\n\n', () =>
      response.destroy(),
    );
  });
  const config = join(mkdtempSync(join(tmpdir(), 'expert-router-')), 'config.yaml');
  writeFileSync(
    config,
    `
keys: [{ name: test, hash: '${hash}' }]
experts:
  - { id: code, kind: openai, url: '${expert.url}', samples: [Write a Python function] }
  - { id: general, kind: openai, url: '${expert.url}', fallback: true }
`,
  );
  router = await routerProcess(['--config', config]);
  client = new OpenAI({ baseURL: `${router.url}/v1`, apiKey: key, maxRetries: 0 });
});

afterAll(async () => {
  await router?.stop();
  await expert?.close();
});

const messages = [{ role: 'user' as const, content: 'Write a Python function that adds two numbers' }];

describe("OpenAI's client", () => {
  it('gets an answer, and can read who gave it', async () => {
    const { data, response } = await client.chat.completions
      .create({ model: 'auto', messages })
      .withResponse();
    expect(data.choices[0]!.message.content).toBe('I am code.');
    expect(data.usage?.total_tokens).toBe(8);
    expect(response.headers.get('x-expert-router-expert')).toBe('code');
  });

  it('streams', async () => {
    const stream = await client.chat.completions.create({ model: 'auto', messages, stream: true });
    let text = '';
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
    expect(text).toBe('I am code.');
  });

  it('throws its own errors for ours', async () => {
    await expect(client.chat.completions.create({ model: 'nobody', messages })).rejects.toThrow(
      NotFoundError,
    );
    const stranger = new OpenAI({ baseURL: `${router.url}/v1`, apiKey: 'er-wrong', maxRetries: 0 });
    await expect(stranger.models.list()).rejects.toThrow(AuthenticationError);
  });

  it('notices an expert that dies mid-stream', async () => {
    const stream = await client.chat.completions.create({
      model: 'code',
      messages: [{ role: 'user', content: 'die' }],
      stream: true,
    });
    const read = async (): Promise<void> => {
      for await (const _chunk of stream);
    };
    await expect(read()).rejects.toThrow(APIError);
  });

  it('lists the models', async () => {
    const models = await client.models.list();
    expect(models.data.map((model) => model.id)).toEqual(['auto', 'code', 'general']);
  });
});

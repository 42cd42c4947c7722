/** The kind `openai` against llama.cpp's own server with a small real model. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { HttpClient } from '../../src/http/client.ts';
import type { ChatBody } from '../../src/serving/dialects/openai/bodies.ts';
import { llamaServer as llamaFacts } from '../../src/serving/engines/llama-server.ts';
import { probe } from '../../src/serving/engines/probe.ts';
import { readLoad } from '../../src/serving/engines/scrape.ts';
import { events, listen, requestOf, textOf } from '../../src/serving/experts/expert.contract.tools.ts';
import { describeExpert } from '../../src/serving/experts/expert.contract.ts';
import { cacheFolder } from '../../src/serving/weights/cache-folder.ts';
import { fetchWeights } from '../../src/serving/weights/fetch.ts';
import { DEFAULT_REFERENCE } from '../../src/serving/weights/reference.ts';
import { eventually, gateway } from '../support/gateway.ts';
import { describeWith } from './component.ts';
import { type EngineProcess, engineProcess } from './engine-process.ts';
import { doctorAt, loadAt, openaiAt } from './openai-at.ts';

const SLOTS = 2;

/** The model the product itself starts with, fetched as the product does. */
function model(): Promise<string> {
  return fetchWeights(DEFAULT_REFERENCE, {
    cacheFolder: cacheFolder(process.env, process.platform, homedir()),
    environment: process.env,
    signal: new AbortController().signal,
    log: () => {},
  });
}

async function llamaServer(folder: string, more: readonly string[] = ['--metrics']): Promise<EngineProcess> {
  const weights = await model();
  const setting = ['--no-webui', '--parallel', `${SLOTS}`, '--ctx-size', `${SLOTS * 1024}`, '--threads', '2'];
  return engineProcess({
    program: join(folder, 'bin', 'llama-server-vulkan'),
    args: (port) => ['--model', weights, '--host', '127.0.0.1', '--port', `${port}`, ...setting, ...more],
    ready: '/health',
  });
}

describeWith(['llama-cpp'], "llama.cpp's server", (folder) => {
  let server: EngineProcess;
  beforeAll(async () => {
    server = await llamaServer(folder!);
  }, 300_000);
  afterAll(() => server?.kill());
  const running = async () => (await loadAt(server.url, 'llama.cpp')).running ?? 0;

  describeExpert('openai at llama-server', () => openaiAt(server.url), {
    maxTokens: 24,
    inUse: running,
    checksParameters: false,
  });

  const story = (more: object = {}) =>
    requestOf({
      messages: [{ role: 'user', content: 'Tell a long story.' }],
      max_tokens: 400,
      ignore_eos: true,
      stream: true,
      ...more,
    } as ChatBody);

  it('is recognised, with its version, its model and where its metrics are', async () => {
    const found = await probe(new URL(server.url), { within: 5_000 });
    expect(found).toMatchObject({ kind: 'engine', engine: { name: 'llama.cpp' }, apis: ['openai'] });
    expect(found).toMatchObject({ version: expect.stringMatching(/^b\d+-/) });
    expect(found.kind === 'engine' && found.models[0]).toMatch(/SmolLM2/);
  });

  it('tells its context, of one slot, and that its model takes text alone and no tools', async () => {
    const expert = await openaiAt(server.url);
    expect(expert.context).toBe(1024);
    expect(expert.traits).toEqual({ takes: ['text'], tools: false, thinking: false });
    await expert.close();
    const router = await gateway(
      `experts:
  - { id: llama, kind: openai, url: '${server.url}', quirks: llama.cpp, description: Stories, fallback: true }
  - { id: seeing, kind: emulated, description: Programs }\n`,
      { probes: true },
    );
    const leftOut = async (content: unknown) => {
      const told = await router.post('/v1/route', { messages: [{ role: 'user', content }] });
      return ((await told.json()) as { left_out?: unknown }).left_out;
    };
    const picture = { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } };
    await eventually('it has told', async () => (await leftOut([picture])) !== undefined);
    expect(await leftOut([picture])).toEqual([{ expert: 'llama', why: 'it takes no image' }]);
    const long = 'Tell a story of the sea. '.repeat(300);
    expect(await leftOut(long)).toEqual([
      { expert: 'llama', why: expect.stringMatching(/its context of 1024/) },
    ]);
    expect(await leftOut('Tell a story.')).toBeUndefined();
    await router.close();
  });

  it('passes the doctor: engine, quirks, answers, streaming, cancelling and metrics', async () => {
    const found = await doctorAt(server.url);
    expect(found.engine?.detail).toMatch(/^llama\.cpp, b\d+-\w+, quirks llama\.cpp$/);
    for (const name of ['reachable', 'engine', 'model', 'answer', 'usage', 'streaming', 'cancel', 'metrics'])
      expect(found[name]).toMatchObject({ name, finding: 'ok' });
  });

  it('tells what runs and what waits, and that both end when the readers leave', async () => {
    const expert = await openaiAt(server.url);
    const tellers = Array.from({ length: SLOTS + 3 }, () => listen(expert, story()));
    await eventually('all slots are taken and three wait', async () => {
      const { running, waiting } = await loadAt(server.url, 'llama.cpp');
      return running === SLOTS && waiting === 3;
    });
    for (const { generation } of tellers) generation.cancel();
    await eventually('nothing runs or waits', async () => {
      const { running, waiting } = await loadAt(server.url, 'llama.cpp');
      return running === 0 && waiting === 0;
    });
    await expert.close();
  });

  it('stops at either name of the limit, and reports usage as asked', async () => {
    const expert = await openaiAt(server.url);
    const usage = { stream_options: { include_usage: true } };
    for (const limit of ['max_tokens', 'max_completion_tokens']) {
      const { body, outcome } = await listen(expert, story({ max_tokens: undefined, [limit]: 5, ...usage }))
        .done;
      expect(events(body).at(-1).usage.completion_tokens).toBe(5);
      expect(outcome).toMatchObject({ finishReason: 'length', usage: { outputTokens: 5 } });
    }
    await expert.close();
  });

  it('writes its errors in OpenAI’s form, and they pass unchanged', async () => {
    const expert = await openaiAt(server.url);
    const bad = { messages: [{ role: 'user', content: 'x' }], tools: 7 };
    const direct = await fetch(`${server.url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ ...bad, model: 'e' }),
    });
    const { status, body } = await listen(expert, requestOf(bad as unknown as ChatBody)).done;
    expect(status).toBe(direct.status);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(JSON.parse(body).error).toEqual(((await direct.json()) as { error: unknown }).error);
    const long = { messages: [{ role: 'user', content: 'word '.repeat(3000) }] };
    const refused = await listen(expert, requestOf(long)).done;
    expect(refused.status).toBe(400);
    expect(JSON.parse(refused.body).error.message).toMatch(/context/);
    await expert.close();
  });

  it('answers the same through the gateway for the same seed', async () => {
    const router = await gateway(`experts: [{ id: llama, kind: openai, url: '${server.url}' }]`);
    const asked = {
      messages: [{ role: 'user', content: 'Name three colours.' }],
      seed: 7,
      temperature: 0.8,
      max_tokens: 16,
    };
    const whole = await (await router.post('/v1/chat/completions', asked)).text();
    const streamed = await (await router.post('/v1/chat/completions', { ...asked, stream: true })).text();
    expect(textOf(streamed)).toBe(textOf(whole));
    await router.close();
  });
});

describeWith(['llama-cpp'], "llama.cpp's server, killed in mid-answer", (folder) => {
  it('is told as an answer that broke off, and the expert is ready again with the next server', async () => {
    const server = await llamaServer(folder!);
    const router = await gateway(`experts: [{ id: llama, kind: openai, url: '${server.url}' }]`);
    const asked = {
      messages: [{ role: 'user', content: 'Tell a long story.' }],
      max_tokens: 900,
      ignore_eos: true,
    };
    const response = await router.post('/v1/chat/completions', { ...asked, stream: true });
    const reader = response.body!.getReader();
    let text = Buffer.from((await reader.read()).value!).toString();
    await server.kill();
    for (let part = await reader.read(); !part.done; part = await reader.read())
      text += Buffer.from(part.value).toString();
    expect(text).toContain('"code":"expert_cut_stream"');
    expect(text).not.toContain('[DONE]');
    const late = await router.post('/v1/chat/completions', asked);
    expect([502, 503]).toContain(late.status);
    await router.close();
  }, 300_000);
});

describeWith(['llama-cpp'], "llama.cpp's server without --metrics", (folder) => {
  it('has no load to read, and the reading says so', async () => {
    const server = await llamaServer(folder!, []);
    const address = new URL(`${server.url}/metrics`);
    const client = new HttpClient(address, { connect: 5_000, head: 5_000, idle: 5_000 });
    const reading = readLoad(
      { client, address, engine: llamaFacts, model: null },
      AbortSignal.timeout(5_000),
    );
    await expect(reading).rejects.toMatchObject({
      failure: { kind: 'status' },
      message: expect.stringContaining('501'),
    });
    client.close();
    await server.kill();
  }, 300_000);
});

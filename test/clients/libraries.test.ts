/** Libraries for Node that are no SDK of an API's maker, against a router with an emulated expert. */
import { createRequire } from 'node:module';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { gateway, type RunningGateway } from '../support/gateway.ts';
import { describeClient, installed, worked } from './client.ts';

let router: RunningGateway;
beforeAll(async () => {
  router = await gateway('experts: [{ id: emulated, kind: emulated }]');
});
afterAll(() => router.close());

/** A package of the environment, which this repository does not have. */
// biome-ignore lint/suspicious/noExplicitAny: its types are not installed here
const load = (name: string): any => createRequire(installed('node', 'package.json'))(name);
const versionOf = (name: string): string =>
  load(installed('node', 'node_modules', name, 'package.json')).version;

const CALL = 'call get_weather {"city": "Zürich 🏔"}';
const Plan = z.object({ steps: z.array(z.string()), done: z.boolean() });

const VERCEL = { client: 'vercel-ai', name: "Vercel's AI SDK" };
describeClient(VERCEL, () => {
  const openAi = () => load('@ai-sdk/openai').createOpenAI({ baseURL: `${router.url}/v1`, apiKey: 'none' });
  const anthropic = () =>
    load('@ai-sdk/anthropic').createAnthropic({ baseURL: `${router.url}/v1`, apiKey: 'none' });

  it.each([
    ['@ai-sdk/openai, with Responses', () => openAi()('emulated')],
    ['@ai-sdk/openai, with chat completions', () => openAi().chat('emulated')],
    ['@ai-sdk/anthropic', () => anthropic()('emulated')],
  ])('%s', async (what, model) => {
    const { generateText, streamText, Output, stepCountIs, tool } = load('ai');
    const asked = { model: model(), maxRetries: 0, maxOutputTokens: 99 };
    const whole = await generateText({ ...asked, prompt: 'Hi' });
    expect(whole.text).toContain('emulated answer');
    expect(whole.usage.outputTokens).toBeGreaterThan(5);
    const stream = streamText({ ...asked, prompt: 'Hi' });
    const pieces: string[] = [];
    for await (const piece of stream.textStream) pieces.push(piece);
    expect([pieces.length > 5, pieces.join('')]).toEqual([true, whole.text]);
    const parsed = await generateText({ ...asked, prompt: 'Hi', output: Output.object({ schema: Plan }) });
    expect(parsed.output).toEqual({ steps: ['emulated'], done: true });
    const seen: unknown[] = [];
    const weather = tool({
      description: 'The weather somewhere.',
      inputSchema: z.object({ city: z.string() }),
      execute: async (input: object) => {
        seen.push(input);
        return 'sun';
      },
    });
    const looped = streamText({
      ...{ ...asked, prompt: CALL, tools: { get_weather: weather }, stopWhen: stepCountIs(3) },
    });
    expect(await looped.text).toContain('sun');
    expect(seen).toEqual([{ city: 'Zürich 🏔' }]);
    worked(VERCEL, versionOf('ai'), `${what}: whole, streamed, output by a schema, a tool loop`);
  });

  it('embeds', async () => {
    const { embed, embedMany } = load('ai');
    const model = openAi().embedding('emulated');
    const { embeddings } = await embedMany({ model, values: ['one', 'two'] });
    expect((await embed({ model, value: 'one' })).embedding).toEqual(embeddings[0]);
    worked(VERCEL, versionOf('ai'), 'vectors');
  });
});

const OLLAMA = { client: 'ollama-node', name: "Ollama's library for Node" };
describeClient(OLLAMA, () => {
  const client = () => new (load('ollama').Ollama)({ host: router.url });
  const messages = [{ role: 'user', content: 'Hi' }];
  const model = 'emulated';

  it('chats, loads and embeds', async () => {
    const noted = (what: string) => worked(OLLAMA, versionOf('ollama'), what);
    const said = (await client().chat({ model, messages })).message.content;
    expect(said).toContain('emulated answer');
    let streamed = '';
    for await (const part of await client().chat({ model, messages, stream: true }))
      streamed += part.message.content;
    expect(streamed).toBe(said);
    expect((await client().generate({ model, prompt: 'Hi' })).response).toBe(said);
    noted('chats and prompts, whole and streamed');
    const parameters = { type: 'object', properties: { city: { type: 'string' } } };
    const tools = [{ type: 'function', function: { name: 'get_weather', description: 'w', parameters } }];
    const asked = [{ role: 'user', content: CALL }];
    const { message } = await client().chat({ model, messages: asked, tools });
    expect(message.tool_calls[0].function.arguments).toEqual({ city: 'Zürich 🏔' });
    const result = { role: 'tool', tool_name: 'get_weather', content: 'sun' };
    const last = await client().chat({ model, messages: [...asked, message, result], tools });
    expect(last.message.content).toContain('reads: sun');
    noted('a tool loop');
    const loaded = await client().generate({ model, prompt: '', keep_alive: '5m' });
    expect([loaded.done_reason, loaded.response]).toEqual(['load', '']);
    expect((await client().chat({ model, messages: [], keep_alive: 0 })).done_reason).toBe('unload');
    noted('loading and unloading');
    const { embeddings } = await client().embed({ model, input: ['one', 'two'] });
    expect((await client().embeddings({ model, prompt: 'one' })).embedding).toEqual(embeddings[0]);
    expect((await client().list()).models.map((one: { name: string }) => one.name)).toContain(
      'emulated:latest',
    );
    expect((await client().show({ model })).capabilities).toContain('completion');
    await expect(client().chat({ model: 'nobody', messages })).rejects.toThrow(/nobody/);
    noted('vectors, lists of models, errors');
  });
});

/** An emulated server as a well-behaved one: answers, lengths, chance, connections that leave. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../../../test/support/gateway.ts';
import { planOf } from '../../serving/experts/emulated/misbehaviour.ts';
import { type EmulatedServers, startEmulatedServers } from './servers.ts';
import { type SimpleCosts, simpleEngine } from './simple-pacer.ts';

const COSTS: SimpleCosts = {
  firstTokenMs: 0,
  prefillPerSecond: 1e6,
  perTokenMs: { alone: 2, full: 2 },
  maxBatch: 4,
  kvTokens: 500,
};
let servers: EmulatedServers;
const options = {
  experts: 2,
  host: '127.0.0.1',
  port: 0,
  outputTokens: 40,
  seed: 1,
  created: 0,
  mishaps: [],
  engine: simpleEngine(COSTS),
};

beforeAll(async () => {
  servers = await startEmulatedServers(options);
});
afterAll(() => servers.close());

const ask = (body: object, { server = 0, from = servers } = {}): Promise<Response> =>
  fetch(`http://127.0.0.1:${from.servers[server]!.port}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ messages: [{ role: 'user', content: 'one two three' }], ...body }),
  });
const json = async (body: object) => (await ask(body)).json() as Promise<Record<string, never>>;

it('answers the same to the same prompt, of the length asked for', async () => {
  const full = await json({});
  expect(full).toMatchObject({
    choices: [{ finish_reason: 'stop' }],
    usage: { prompt_tokens: 3, completion_tokens: 40, total_tokens: 43 },
  });
  expect((await json({})).choices).toEqual(full.choices);
  expect(await json({ max_tokens: 7 })).toMatchObject({
    choices: [{ finish_reason: 'length' }],
    usage: { completion_tokens: 7 },
  });
  expect(await json({ max_tokens: 90, ignore_eos: true })).toMatchObject({
    usage: { completion_tokens: 90 },
  });
});

it('refuses what a real server refuses, in its words', async () => {
  const long = await ask({ max_tokens: 600, ignore_eos: true });
  expect(long.status).toBe(400);
  expect(await long.json()).toMatchObject({ error: { code: 'context_length_exceeded' } });
  expect(await json({ messages: [] })).toMatchObject({ error: { param: 'messages' } });
});

it('lists its model, is healthy, and has nothing elsewhere', async () => {
  const at = `http://127.0.0.1:${servers.servers[1]!.port}`;
  expect(await (await fetch(`${at}/v1/models`)).json()).toMatchObject({ data: [{ id: 'expert-2' }] });
  expect((await fetch(`${at}/health`)).status).toBe(200);
  expect((await fetch(`${at}/nowhere`)).status).toBe(404);
  expect((await fetch(`${at}/v1/completions`)).status).toBe(405);
});

it('abandons an answer whose client disconnects', async () => {
  const abort = new AbortController();
  const { port, stats } = servers.servers[0]!;
  const before = stats.abandoned;
  const answer = await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({
      messages: [{ role: 'user', content: 'x' }],
      stream: true,
      max_tokens: 400,
      ignore_eos: true,
    }),
    signal: abort.signal,
  });
  await answer.body!.getReader().read();
  abort.abort();
  await eventually('abandoned', () => stats.abandoned === before + 1);
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  expect(metrics).toMatch(/vllm:num_requests_running\{[^}]*\} 0\n/);
});

it('pauses for a slow reader without losing tokens', async () => {
  const engine = simpleEngine({ ...COSTS, perTokenMs: { alone: 0.05, full: 0.05 }, kvTokens: 1e6 });
  const own = await startEmulatedServers({ ...options, engine, experts: 1, outputTokens: 60_000 });
  const answer = await ask({ stream: true }, { from: own });
  const { stats } = own.servers[0]!;
  let seen = -1;
  // Until the pipe is full and the server has stopped writing into it.
  await eventually('the server holds back', async () => {
    const before = seen;
    seen = stats.tokens;
    await new Promise((resolve) => setTimeout(resolve, 100));
    return seen > 0 && seen === before;
  });
  expect(stats.tokens).toBeLessThan(60_000);
  const text = await answer.text();
  expect(text.match(/"content":"[^"]/g)).toHaveLength(60_000);
  expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
  await own.close();
});

it('misbehaves at random, reproducibly for a seed', async () => {
  const statuses = async () => {
    const own = await startEmulatedServers({ ...options, mishaps: [{ plan: planOf('503'), share: 0.5 }] });
    const seen: number[] = [];
    for (let i = 0; i < 20; i += 1) seen.push((await ask({ max_tokens: 1 }, { from: own })).status);
    await own.close();
    return seen;
  };
  const seen = await statuses();
  expect(new Set(seen)).toEqual(new Set([200, 503]));
  expect(await statuses()).toEqual(seen);
});

it('says which port is taken', async () => {
  const { port } = servers.servers[0]!;
  await expect(startEmulatedServers({ ...options, port, experts: 1 })).rejects.toThrow(
    `Port ${port} on 127.0.0.1 is taken`,
  );
});

it('calls the tool that the prompt names, and writes JSON by a schema, streamed and whole', async () => {
  const parameters = { type: 'object', properties: { city: { enum: ['Bern'] } }, required: ['city'] };
  const tools = [{ type: 'function', function: { name: 'weather', parameters } }];
  const messages = [{ role: 'user', content: 'call weather and call weather {"city": "Chur"}' }];
  const call = (json: string) => ({ type: 'function', function: { name: 'weather', arguments: json } });
  const calls = [call('{"city":"Bern"}'), call('{"city": "Chur"}')];
  expect((await json({ messages, tools })).choices).toMatchObject([
    { message: { content: null, tool_calls: calls }, finish_reason: 'tool_calls' },
  ]);
  const events = (await (await ask({ messages, tools, stream: true })).text()).split('\n\n').slice(0, -2);
  const told: { function: { name: string; arguments: string } }[] = [];
  for (const event of events) {
    for (const { index, function: piece } of JSON.parse(event.slice(6)).choices[0].delta.tool_calls ?? []) {
      told[index] ??= { function: { name: piece.name, arguments: '' } };
      told[index].function.arguments += piece.arguments;
    }
  }
  expect(told).toMatchObject(calls.map(({ function: called }) => ({ function: called })));
  const format = { type: 'json_schema', json_schema: { name: 'a', schema: parameters } };
  const written: unknown = (await json({ response_format: format })).choices;
  expect(written).toMatchObject([{ message: { content: '{"city":"Bern"}' }, finish_reason: 'stop' }]);
});

/** Calls of tools in the forms that only chat completions have: functions of the older form, and tools that take any text. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { gateway, type RunningGateway } from './support/gateway.ts';

// biome-ignore lint/suspicious/noExplicitAny: answers of any shape
type Any = any;

let router: RunningGateway;
beforeAll(async () => {
  router = await gateway('experts: [{ id: emulated, kind: emulated }]');
});
afterAll(() => router?.close());

const WEATHER = {
  name: 'get_weather',
  parameters: { type: 'object', properties: { city: { type: 'string' } } },
};
const SHELL = { type: 'custom', custom: { name: 'shell', description: 'Runs a line.' } };
const asks = (content: string) => [{ role: 'user', content }];

async function choiceOf(body: object): Promise<Any> {
  return ((await (await router.post('/v1/chat/completions', body)).json()) as Any).choices[0];
}

/** The pieces of a streamed answer's calls, put together as clients do. */
async function streamed(body: object): Promise<Any> {
  const said = await (await router.post('/v1/chat/completions', { ...body, stream: true })).text();
  const chunks = [...said.matchAll(/^data: (\{.*)$/gm)].map(
    ([, json]) => (JSON.parse(json!) as Any).choices[0],
  );
  const older = chunks.map(({ delta }) => delta.function_call).filter((piece) => piece !== undefined);
  const calls = chunks.flatMap(({ delta }) => delta.tool_calls ?? []);
  return {
    ...(older.length > 0
      ? { function_call: { name: older[0].name, arguments: older.map((one) => one.arguments).join('') } }
      : {}),
    ...(calls.length > 0 ? { tool_calls: calls } : {}),
    finish_reason: chunks.at(-1).finish_reason,
  };
}

it('functions of the older form are called, and answer, as its clients expect', async () => {
  const call = { name: 'get_weather', arguments: '{"city": "Bern"}' };
  const body = { functions: [WEATHER], messages: asks('call get_weather {"city": "Bern"}') };
  const choice = await choiceOf(body);
  expect(choice).toMatchObject({
    message: { content: null, function_call: call },
    finish_reason: 'function_call',
  });
  expect(choice.message).not.toHaveProperty('tool_calls');
  expect(await streamed(body)).toEqual({ function_call: call, finish_reason: 'function_call' });
  const result = { role: 'function', name: 'get_weather', content: 'sunny spells' };
  const next = await choiceOf({ ...body, messages: [...body.messages, choice.message, result] });
  expect(next).toMatchObject({
    message: { content: expect.stringContaining('sunny spells') },
    finish_reason: 'stop',
  });
  const chosen = await choiceOf({ ...body, messages: asks('Hi'), function_call: { name: 'get_weather' } });
  expect(chosen.message.function_call.name).toBe('get_weather');
  const none = await choiceOf({ ...body, function_call: 'none' });
  expect(none.message).not.toHaveProperty('function_call');
});

it('a tool that takes any text is called by it, whole and streamed, and answers', async () => {
  const body = { tools: [SHELL], messages: asks('call shell {"input": "ls -l\\n\\"a\\""}') };
  const custom = { name: 'shell', input: 'ls -l\n"a"' };
  const choice = await choiceOf(body);
  expect(choice.message.tool_calls).toEqual([{ id: expect.any(String), type: 'custom', custom }]);
  expect((await streamed(body)).tool_calls).toEqual([
    { index: 0, id: expect.any(String), type: 'custom', custom },
  ]);
  const result = { role: 'tool', tool_call_id: choice.message.tool_calls[0].id, content: 'one file' };
  const next = await choiceOf({ ...body, messages: [...body.messages, choice.message, result] });
  expect(next.message.content).toContain('one file');
});

it('only tools that are allowed are offered', async () => {
  const tools = [SHELL, { type: 'function', function: WEATHER }];
  const allowed = { mode: 'required', tools: [{ type: 'function', function: { name: 'get_weather' } }] };
  const tool_choice = { type: 'allowed_tools', allowed_tools: allowed };
  const { message } = await choiceOf({ tools, tool_choice, messages: asks('call shell') });
  expect(message.tool_calls[0].function.name).toBe('get_weather');
});

it('says at which stop sequence a message ended', async () => {
  const body = { max_tokens: 99, messages: asks('Hi'), stop_sequences: ['model was'] };
  expect(await (await router.post('/v1/messages', body)).json()).toMatchObject({
    stop_reason: 'stop_sequence',
    stop_sequence: 'model was',
  });
  const events = await (await router.post('/v1/messages', { ...body, stream: true })).text();
  expect(events).toContain('"stop_reason":"stop_sequence","stop_sequence":"model was"');
});

/** The official SDKs against a router with an emulated expert. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import Anthropic from '@anthropic-ai/sdk';
import { VERSION as ANTHROPIC_VERSION } from '@anthropic-ai/sdk/version';
import OpenAI from 'openai';
import { zodResponseFormat, zodTextFormat } from 'openai/helpers/zod';
import { VERSION as OPENAI_VERSION } from 'openai/version';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { gateway, type RunningGateway } from '../support/gateway.ts';
import { type Client, describeClient, installed, worked } from './client.ts';

let router: RunningGateway;
beforeAll(async () => {
  router = await gateway('experts: [{ id: emulated, kind: emulated }, { id: other, kind: emulated }]');
});
afterAll(() => router.close());

const Plan = z.object({ steps: z.array(z.string()), done: z.boolean() });
const PLAN = { steps: ['emulated'], done: true };
const CITY = { type: 'object' as const, properties: { city: { type: 'string' } }, required: ['city'] };
const CALL = 'call get_weather {"city": "Zürich 🏔"}';

const OPENAI_NODE = { client: 'openai-node', name: "OpenAI's SDK for Node" };
describeClient(OPENAI_NODE, () => {
  const client = () => new OpenAI({ baseURL: `${router.url}/v1`, apiKey: 'none', maxRetries: 0 });
  const messages = [{ role: 'user' as const, content: 'Hi' }];
  const noted = (what: string) => worked(OPENAI_NODE, OPENAI_VERSION, what);

  it('chats', async () => {
    const whole = await client().chat.completions.create({ model: 'emulated', messages });
    const said = whole.choices[0]!.message.content;
    expect(said).toContain('emulated answer');
    const stream = client().chat.completions.stream({ model: 'emulated', messages });
    expect(await stream.finalContent()).toBe(said);
    noted('chat completions, whole and streamed');
    const parsed = await client().chat.completions.parse({
      ...{ model: 'emulated', messages },
      response_format: zodResponseFormat(Plan, 'plan'),
    });
    expect(parsed.choices[0]!.message.parsed).toEqual(PLAN);
    let seen: unknown = null;
    const look = (asked: object) => {
      seen = asked;
      return 'sun';
    };
    const parse = (json: string): object => JSON.parse(json);
    const tool = {
      type: 'function',
      function: { name: 'get_weather', parameters: CITY, function: look, parse },
    };
    const runner = client().chat.completions.runTools({
      model: 'emulated',
      messages: [{ role: 'user', content: CALL }],
      tools: [tool as never],
    });
    expect(await runner.finalContent()).toContain('reads: sun');
    expect(seen).toEqual({ city: 'Zürich 🏔' });
    noted('parsed output, a tool loop');
  });

  it('responds', async () => {
    const whole = await client().responses.create({ model: 'emulated', input: 'Hi' });
    const final = await client().responses.stream({ model: 'emulated', input: 'Hi' }).finalResponse();
    expect(whole.output_text).toContain('emulated answer');
    expect(final.output[0]).toMatchObject({ content: [{ text: whole.output_text }] });
    noted('responses, whole and streamed');
    const parsed = await client().responses.parse({
      ...{ model: 'emulated', input: 'Hi' },
      text: { format: zodTextFormat(Plan, 'plan') },
    });
    expect(parsed.output_parsed).toEqual(PLAN);
    const tools = [{ type: 'function' as const, name: 'get_weather', parameters: CITY, strict: false }];
    const first = await client().responses.stream({ model: 'emulated', input: CALL, tools }).finalResponse();
    const call = first.output[0] as OpenAI.Responses.ResponseFunctionToolCall;
    expect(JSON.parse(call.arguments)).toEqual({ city: 'Zürich 🏔' });
    const input = [
      { role: 'user' as const, content: CALL },
      call,
      { type: 'function_call_output' as const, call_id: call.call_id, output: 'sun' },
    ];
    expect((await client().responses.create({ model: 'emulated', input, tools })).output_text).toContain(
      'sun',
    );
    noted('responses: parsed output, a tool loop');
    const counted = await client().responses.inputTokens.count({ model: 'emulated', input: 'one two' });
    expect(counted.input_tokens).toBe(2);
    expect((await client().models.list()).data.map(({ id }) => id)).toContain('emulated');
    noted('token counts, models');
  });
});

const ANTHROPIC_NODE = { client: 'anthropic-node', name: "Anthropic's SDK for Node" };
describeClient(ANTHROPIC_NODE, () => {
  const client = () => new Anthropic({ baseURL: router.url, apiKey: 'none', maxRetries: 0 });
  const noted = (what: string) => worked(ANTHROPIC_NODE, ANTHROPIC_VERSION, what);
  const asked = (content: string) => ({
    ...{ model: 'emulated', max_tokens: 99 },
    messages: [{ role: 'user' as const, content }],
  });

  it('sends messages', async () => {
    const whole = await client().messages.create(asked('Hi'));
    const final = await client().messages.stream(asked('Hi')).finalMessage();
    expect(final.content).toEqual(whole.content);
    noted('messages, whole and streamed');
    const tools = [{ name: 'get_weather', input_schema: CITY }];
    const called = await client()
      .messages.stream({ ...asked(CALL), tools })
      .finalMessage();
    const call = called.content[0] as Anthropic.ToolUseBlock;
    expect(call.input).toEqual({ city: 'Zürich 🏔' });
    const messages = [
      ...asked(CALL).messages,
      { role: 'assistant' as const, content: called.content },
      {
        role: 'user' as const,
        content: [{ type: 'tool_result' as const, tool_use_id: call.id, content: 'sun' }],
      },
    ];
    const last = await client().messages.create({ ...asked(CALL), messages, tools });
    expect(JSON.stringify(last.content)).toContain('reads: sun');
    noted('a tool loop');
    const { max_tokens: _most, ...counted } = asked('one two three');
    expect((await client().messages.countTokens(counted)).input_tokens).toBe(3);
    expect((await client().models.list()).data.map(({ id }) => id)).toContain('claude-emulated');
    noted('token counts, models');
  });
});

/** Each with its environment and script. */
const PYTHON: readonly [Client, 'python' | 'frameworks', string][] = [
  [{ client: 'openai-python', name: "OpenAI's SDK for Python" }, 'python', 'openai_client.py'],
  [{ client: 'anthropic-python', name: "Anthropic's SDK for Python" }, 'python', 'anthropic_client.py'],
  [{ client: 'ollama-python', name: "Ollama's library for Python" }, 'frameworks', 'ollama_client.py'],
  [{ client: 'langchain', name: 'LangChain for Python' }, 'frameworks', 'langchain_client.py'],
  [{ client: 'llamaindex', name: 'LlamaIndex' }, 'frameworks', 'llamaindex_client.py'],
  [{ client: 'pydantic-ai', name: 'Pydantic AI' }, 'python', 'pydantic_ai_client.py'],
  [{ client: 'instructor', name: 'Instructor' }, 'frameworks', 'instructor_client.py'],
];
for (const [client, environment, script] of PYTHON) {
  describeClient(client, () => {
    it('does what its script says', async () => {
      const file = new URL(`./${environment}/${script}`, import.meta.url).pathname;
      const python = installed(environment, 'bin', 'python');
      const { stdout } = await promisify(execFile)(python, [file, router.url]);
      const notes = stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { version: string; what: string });
      expect(notes.length).toBeGreaterThan(1);
      for (const { version, what } of notes) worked(client, version, what);
    }, 120_000);
  });
}

const STANDARD = { client: 'langchain-tests', name: "LangChain's standard tests" };
describeClient(STANDARD, () => {
  it('pass, but for those that ask a model to understand', async () => {
    const python = installed('frameworks', 'bin', 'python');
    const tests = new URL('./frameworks/langchain_standard.py', import.meta.url).pathname;
    const once = ['-p', 'no:cacheprovider', '--benchmark-disable', '-o', 'asyncio_mode=auto'];
    const loop = ['-o', 'asyncio_default_test_loop_scope=session'];
    const args = ['-m', 'pytest', '-q', ...once, ...loop, tests];
    const { stdout } = await promisify(execFile)(python, args, {
      env: { ...process.env, ROUTER: router.url, PYTHONDONTWRITEBYTECODE: '1' },
    });
    const [, passed, expected] = /(\d+) passed.*?(\d+) xfailed/.exec(stdout)!;
    const show = ['-c', "from importlib.metadata import version; print(version('langchain-tests'))"];
    const version = (await promisify(execFile)(python, show)).stdout.trim();
    expect(Number(passed)).toBeGreaterThan(100);
    worked(
      STANDARD,
      version,
      `${passed} tests of ChatOpenAI (also with Responses), ChatAnthropic and OpenAIEmbeddings`,
    );
    worked(
      STANDARD,
      version,
      `${expected} that need a model which understands the question fail, as expected`,
    );
  }, 180_000);
});

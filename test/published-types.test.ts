/**
 * What the router writes, against the types that OpenAI and Anthropic publish with their SDKs: real answers, whole and
 * streamed, are written down as TypeScript, and the compiler says whether each satisfies its type.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { gateway, type RunningGateway } from './support/gateway.ts';

const MODULES = join(import.meta.dirname, '..', 'node_modules');

/** Module → its types that are satisfied here. */
const TYPES = {
  'openai/resources/chat/completions': ['ChatCompletion', 'ChatCompletionChunk'],
  'openai/resources/completions': ['Completion'],
  'openai/resources/embeddings': ['CreateEmbeddingResponse'],
  'openai/resources/models': ['Model'],
  'openai/resources/responses/responses': ['Response', 'ResponseStreamEvent'],
  'openai/resources/responses/input-tokens': ['InputTokenCountResponse'],
  'openai/resources/shared': ['ErrorObject'],
  '@anthropic-ai/sdk/resources/messages': ['Message', 'RawMessageStreamEvent', 'MessageTokensCount'],
  '@anthropic-ai/sdk/resources/models': ['ModelInfo'],
  '@anthropic-ai/sdk/resources/shared': ['ErrorResponse'],
} as const;

type Type = (typeof TYPES)[keyof typeof TYPES][number];

interface Written {
  readonly what: string;
  readonly type: Type;
  readonly value: unknown;
}

const FUNCTION = { name: 'f', description: 'd', parameters: { type: 'object', properties: {} } };
const SCHEMA = { type: 'object', properties: { done: { type: 'boolean' } }, required: ['done'] };

const chat = (content: string) => ({ messages: [{ role: 'user', content }] });
const CHATS = {
  plain: chat('Hi'),
  'with thinking': { ...chat('Hi'), reasoning_effort: 'low' },
  'cut short': { ...chat('Hi'), max_tokens: 2 },
  'with usage': { ...chat('Hi'), stream_options: { include_usage: true } },
  'calling tools': { ...chat('call f and call f'), tools: [{ type: 'function', function: FUNCTION }] },
  'by a schema': {
    ...chat('Hi'),
    response_format: { type: 'json_schema', json_schema: { name: 'a', schema: SCHEMA } },
  },
};
const RESPONSES = {
  plain: { input: 'Hi', instructions: 'Be kind.', metadata: { a: 'b' } },
  'with thinking': { input: 'Hi', reasoning: { effort: 'low' } },
  'cut short': { input: 'Hi', max_output_tokens: 2 },
  'calling tools': {
    input: 'call f and call shell',
    tools: [
      { type: 'function', ...FUNCTION, strict: true },
      { type: 'custom', name: 'shell' },
    ],
  },
  'by a schema': { input: 'Hi', text: { format: { type: 'json_schema', name: 'a', schema: SCHEMA } } },
};
const message = (content: string) => ({ max_tokens: 100, ...chat(content) });
const MESSAGES = {
  plain: message('Hi'),
  'with thinking': {
    ...message('Hi'),
    thinking: { type: 'adaptive' },
    output_config: { effort: 'low' },
  },
  'cut short': { ...message('Hi'), max_tokens: 2 },
  'calling tools': {
    ...message('call f and call f'),
    tools: [{ name: 'f', input_schema: { type: 'object' } }],
  },
  'by a schema': { ...message('Hi'), output_config: { format: { type: 'json_schema', schema: SCHEMA } } },
};

let router: RunningGateway;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'published-types-'));
  router = await gateway(`
experts:
  - { id: emulated, kind: emulated, fallback: true }
  - { id: uncounted, kind: emulated, misbehaviour: no-usage }
  - { id: broken, kind: emulated, misbehaviour: error-event=2 }
`);
});
afterAll(async () => {
  await router.close();
  await rm(folder, { recursive: true });
});

it('satisfies them in every whole answer, event and error', { timeout: 120_000 }, async () => {
  const written = [
    ...(await answers('/v1/chat/completions', CHATS, 'ChatCompletion', 'ChatCompletionChunk')),
    ...(await answers('/v1/completions', { plain: { prompt: 'Hi' } }, 'Completion', 'Completion')),
    ...(await answers('/v1/responses', RESPONSES, 'Response', 'ResponseStreamEvent')),
    ...(await answers('/v1/messages', MESSAGES, 'Message', 'RawMessageStreamEvent')),
    ...(await pages()),
    ...(await errors()),
  ];
  expect(written.length).toBeGreaterThan(150);
  expect(await unsatisfied(written.map(withoutExtensions))).toEqual([]);
});

it('would tell what does not', { timeout: 120_000 }, async () => {
  const [good] = await answers('/v1/messages', { plain: MESSAGES.plain }, 'Message', 'RawMessageStreamEvent');
  const value = withoutExtensions(good!).value as Record<string, unknown>;
  const { stop_reason: _missing, ...less } = value;
  const bad = [less, { ...value, surplus: 1 }, { ...value, role: 'user' }, { ...value, id: 7 }];
  const wrong = bad.map((one, index): Written => ({ what: `bad ${index}`, type: 'Message', value: one }));
  expect((await unsatisfied([withoutExtensions(good!), ...wrong])).map((line) => line.slice(0, 5))).toEqual(
    wrong.map(({ what }) => what),
  );
});

/** Each question, whole and streamed, of an expert that counts and of one that does not. */
async function answers(
  path: string,
  questions: Readonly<Record<string, object>>,
  whole: Type,
  event: Type,
): Promise<Written[]> {
  const written: Written[] = [];
  for (const model of ['emulated', 'uncounted']) {
    for (const [name, question] of Object.entries(questions)) {
      const what = `${path} ${name}, ${model}`;
      const answer = await router.post(path, { model, ...question });
      expect(answer.status, what).toBe(200);
      written.push({ what, type: whole, value: await answer.json() });
      const stream = await router.post(path, { model, ...question, stream: true });
      for (const value of eventsIn(await stream.text()))
        written.push({ what: `${what}, streamed`, type: event, value });
    }
  }
  return written;
}

async function pages(): Promise<Written[]> {
  const input = ['one', 'two'];
  const asked = async (what: string, type: Type, body: object): Promise<Written> => ({
    ...{ what, type },
    value: await (await router.post(what, { model: 'emulated', ...body })).json(),
  });
  const listed = async (headers: Record<string, string>): Promise<unknown[]> => {
    const page = await fetch(`${router.url}/v1/models`, { headers });
    return ((await page.json()) as { data: unknown[] }).data;
  };
  const models = async (type: Type, headers: Record<string, string> = {}): Promise<Written[]> =>
    (await listed(headers)).map((value) => ({ what: '/v1/models', type, value }));
  return [
    await asked('/v1/embeddings', 'CreateEmbeddingResponse', { input }),
    await asked('/v1/responses/input_tokens', 'InputTokenCountResponse', { input: 'Hi' }),
    await asked('/v1/messages/count_tokens', 'MessageTokensCount', chat('Hi')),
    ...(await models('Model')),
    ...(await models('ModelInfo', { 'anthropic-version': '2023-06-01' })),
  ];
}

/** Instead of an answer, and within one. */
async function errors(): Promise<Written[]> {
  const asked = (path: string, body: object) => router.post(path, { model: 'broken', ...body });
  const written: Written[] = [];
  for (const [path, type, body] of [
    ['/v1/chat/completions', 'ErrorObject', chat('Hi')],
    ['/v1/responses', 'ErrorObject', RESPONSES.plain],
    ['/v1/messages', 'ErrorResponse', MESSAGES.plain],
  ] as const) {
    for (const wrong of [{ model: 'nobody' }, { temperature: 'hot' }, { messages: 1, input: 1 }]) {
      const answer = await asked(path, { ...body, ...wrong });
      expect(answer.status, path).toBeGreaterThanOrEqual(400);
      const value = (await answer.json()) as { error: unknown };
      written.push({ what: `${path} refused`, type, value: type === 'ErrorObject' ? value.error : value });
    }
    const events = eventsIn(await (await asked(path, { ...body, stream: true })).text());
    const [last, ...before] = events.reverse() as [Record<string, unknown>, ...unknown[]];
    const what = `${path} broken off`;
    if (path === '/v1/responses') {
      for (const value of events) written.push({ what, type: 'ResponseStreamEvent', value });
    } else {
      expect(before.length, what).toBeGreaterThan(0);
      written.push({ what, type, value: type === 'ErrorObject' ? last.error : last });
    }
  }
  return written;
}

function eventsIn(stream: string): unknown[] {
  return [...stream.matchAll(/^data: (\{.*\})$/gm)].map(([, json]) => JSON.parse(json!));
}

/**
 * What the types do not know, though it is right: thinking in chat completions, a field of DeepSeek's and vLLM's that many
 * clients read; and what OpenAI's own answers have beside its types, such as `store`, the status of a call of a custom
 * tool, and null where the types know a missing field only. Anthropic's leave out `citations` where there are none.
 */
function withoutExtensions({ what, type, value }: Written): Written {
  const json = JSON.stringify(value, (key, inner: unknown) => {
    if (type.startsWith('ChatCompletion') && key === 'reasoning_content') return undefined;
    if (type === 'Completion' && key === 'finish_reason') return inner ?? 'stop';
    if (isText(inner) && !type.startsWith('Response')) return { citations: null, ...inner };
    if (!type.startsWith('Response')) return inner;
    if (UNTYPED.includes(key) || (inner === null && NULLED.includes(key))) return undefined;
    const { type: kind, object } = (inner ?? {}) as { type?: unknown; object?: unknown };
    if (kind === 'custom_tool_call') return { ...(inner as object), status: undefined };
    // The SDK itself adds it.
    return object === 'response' ? { ...(inner as object), output_text: '' } : inner;
  });
  return { what, type, value: JSON.parse(json) };
}

const UNTYPED = [
  ...['max_tool_calls', 'top_logprobs', 'store'],
  // Open Responses'.
  ...['presence_penalty', 'frequency_penalty'],
];
const NULLED = ['usage', 'user', 'safety_identifier', 'prompt_cache_key'];

function isText(value: unknown): value is object {
  return (value as { type?: unknown } | null)?.type === 'text';
}

/** What the compiler says against each that does not satisfy its type, in one line. */
async function unsatisfied(written: readonly Written[]): Promise<string[]> {
  const imports = Object.entries(TYPES).map(
    ([module, names]) => `import type { ${names.join(', ')} } from ${JSON.stringify(join(MODULES, module))};`,
  );
  const lines = written.map(({ type, value }, index) => {
    const literal = JSON.stringify(value);
    return `export const answer${index} = ${literal} satisfies ${type};`;
  });
  const file = join(folder, 'answers.ts');
  await writeFile(file, [...imports, ...lines, ''].join('\n'));
  const compiler = join(MODULES, 'typescript', 'bin', 'tsc');
  const options = [
    '--ignoreConfig',
    '--noEmit',
    '--strict',
    '--skipLibCheck',
    '--module',
    'esnext',
    '--target',
    'es2022',
  ];
  const resolution = ['--moduleResolution', 'bundler', '--types', ''];
  const ran = promisify(execFile)(process.execPath, [compiler, ...options, ...resolution, file]);
  const said = await ran.then(
    () => '',
    (error: { stdout: string }) => error.stdout,
  );
  const errors = [...said.matchAll(/answers\.ts\((\d+),(\d+)\): error (.*)/g)];
  if (said !== '' && errors.length === 0) throw new Error(said);
  return errors.map(([, line, column, error]) => {
    const index = Number(line) - imports.length - 1;
    const at = lines[index]!.slice(Number(column) - 1, Number(column) + 60);
    return `${written[index]!.what}: ${error} at ${at}`;
  });
}

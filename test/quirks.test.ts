/**
 * Every difference between servers that speak OpenAI's API, through the whole kind `openai` and, where it decides who
 * answers, through the gateway. The servers' side is test/support/recorded.ts: written from documented formats.
 */
import { brotliCompressSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import type { ChatBody, CompletionBody } from '../src/serving/dialects/openai/bodies.ts';
import { type Heard, listen, requestOf } from '../src/serving/experts/expert.contract.tools.ts';
import type { Expert } from '../src/serving/experts/expert.ts';
import type { ExpertDeps } from '../src/serving/experts/kind.ts';
import { openaiKind } from '../src/serving/experts/openai/index.ts';
import { gateway, type RunningGateway } from './support/gateway.ts';
import {
  ENDS,
  ERRORS,
  type Exchange,
  HIDDEN_ERRORS,
  OPENAI_ERRORS,
  SELF_DESCRIPTIONS,
  server,
  TGI_FAILED,
  TGI_STREAM_ERROR,
} from './support/recorded.ts';
import { polite, type Upstream, upstream } from './support/upstream.ts';

const DEPS: ExpertDeps = {
  cacheFolder: '/nowhere',
  environment: {},
  newId: (prefix) => prefix,
  now: () => 0,
  log: () => {},
};
const signal = (): AbortSignal => new AbortController().signal;
let running: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(running.map((one) => one.close()));
  running = [];
});

/** An expert that knows what it talks to, as after its first health check, and the server behind it. */
async function expertAt(
  name: string,
  answer: Parameters<typeof server>[1] = polite,
  options: object = {},
): Promise<{ expert: Expert; behind: Upstream }> {
  const behind = await upstream(server(name, answer));
  const expert = await openaiKind.create(
    'e',
    openaiKind.options.parse({ url: behind.url, ...options }),
    DEPS,
  );
  running.push(behind, expert);
  expect((await expert.health(signal())).state).toBe('ready');
  return { expert, behind };
}

const chat = (expert: Expert, more: object = {}): Promise<Heard> =>
  listen(expert, requestOf({ messages: [{ role: 'user', content: 'x' }], ...more } as ChatBody)).done;
/** The last question for text as it reached the server. */
const asked = ({ requests }: Upstream) =>
  JSON.parse(requests.findLast((one) => one.method === 'POST' && /completions$/.test(one.path))!.body);

describe('the limit of an answer', () => {
  const LIMITS = { max_tokens: 7, max_completion_tokens: 8 };

  it.each([
    ['plain', {}, {}],
    ['vllm', {}, {}],
    ['sglang', { max_completion_tokens: 5 }, { max_completion_tokens: 5 }],
    ['trtllm', { max_tokens: 5 }, { max_tokens: 5 }],
    ['llama.cpp', {}, {}],
    ['tgi', { max_completion_tokens: 5 }, { max_completion_tokens: 5 }],
    ['ollama', { max_completion_tokens: 5 }, { max_completion_tokens: 5, max_tokens: 5 }],
    ['ollama', LIMITS, LIMITS],
    ['ollama', {}, {}],
    ['triton', {}, { max_tokens: 1024 }],
    ['triton', { max_tokens: null }, { max_tokens: 1024 }],
    ['triton', { max_tokens: 5 }, { max_tokens: 5 }],
    ['triton', { max_completion_tokens: 5 }, { max_completion_tokens: 5 }],
  ])('%s gets %j as %j', async (name, said, told) => {
    const { expert, behind } = await expertAt(name);
    await chat(expert, said);
    const { model: _model, messages: _messages, ...rest } = asked(behind);
    expect(rest).toEqual(told);
  });

  it("is renamed for OpenAI's cloud, whose newer models refuse the old name", async () => {
    const { expert, behind } = await expertAt('plain', polite, { quirks: 'openai' });
    await chat(expert, { max_tokens: 5 });
    expect(asked(behind)).toMatchObject({ max_completion_tokens: 5 });
    expect(asked(behind)).not.toHaveProperty('max_tokens');
    await listen(expert, requestOf({ prompt: 'x', max_tokens: 5 } as CompletionBody)).done;
    expect(asked(behind)).toMatchObject({ max_tokens: 5 });
  });

  it('of the config counts where the request names none, at either endpoint', async () => {
    const { expert, behind } = await expertAt('vllm', polite, { max_tokens: 99 });
    await chat(expert);
    expect(asked(behind)).toMatchObject({ max_tokens: 99 });
    await listen(expert, requestOf({ prompt: 'x' } as CompletionBody)).done;
    expect(asked(behind)).toMatchObject({ max_tokens: 99 });
    await chat(expert, { max_tokens: 3 });
    expect(asked(behind)).toMatchObject({ max_tokens: 3 });
  });

  it('leaves every other byte of the request as it was', async () => {
    const { expert, behind } = await expertAt('triton');
    const body = '{ "messages":[{"role":"user","content":"x"}] ,"seed":12345678901234567890}';
    await listen(expert, requestOf(JSON.parse(body) as ChatBody, body)).done;
    expect(behind.requests.at(-1)!.body).toBe(`{"max_tokens":1024,"model":"m",${body.slice(1)}`);
  });
});

describe('half surrogate pairs', () => {
  it.each([
    ['llama.cpp', 'a\\ufffdb'],
    ['vllm', 'a\\ufffdb'],
    ['plain', 'a\\ud83db'],
  ])('reach %s as %s', async (name, written) => {
    const { expert, behind } = await expertAt(name);
    await chat(expert, { messages: [{ role: 'user', content: 'a\ud83db' }] });
    expect(behind.requests.at(-1)!.body).toContain(written);
  });
});

describe('whose quirks', () => {
  const told = async (name: string, options: object = {}) => {
    const { expert, behind } = await expertAt(name, polite, options);
    await chat(expert, { max_completion_tokens: 5 });
    return asked(behind).max_tokens;
  };

  it('is found by probing, and overridden by the config', async () => {
    expect(await told('ollama')).toBe(5);
    expect(await told('ollama', { quirks: 'plain' })).toBeUndefined();
    expect(await told('vllm', { quirks: 'ollama' })).toBe(5);
  });

  it('is probed once, and again after the server was unreachable', async () => {
    let up = true;
    let name = 'ollama';
    const behind = await upstream((response, request) =>
      up ? server(name, polite)(response, request) : void response.writeHead(500).end(),
    );
    const expert = await openaiKind.create('e', openaiKind.options.parse({ url: behind.url }), DEPS);
    running.push(behind, expert);
    const questions = () => behind.requests.filter((one) => one.path === '/api/version').length;
    for (let i = 0; i < 3; i++) await expert.health(signal());
    expect(questions()).toBe(1);
    up = false;
    expect((await expert.health(signal())).state).toBe('down');
    up = true;
    name = 'vllm';
    await expert.health(signal());
    expect(questions()).toBe(2);
    await chat(expert, { max_completion_tokens: 5 });
    expect(asked(behind)).not.toHaveProperty('max_tokens');
  });

  it('has a server written down for each but the cloud, and the table takes each by name', () => {
    expect(Object.keys(SELF_DESCRIPTIONS).toSorted()).toEqual([
      'llama.cpp',
      'ollama',
      'plain',
      'sglang',
      'tgi',
      'triton',
      'trtllm',
      'vllm',
    ]);
    const parse = (options: object) => openaiKind.options.safeParse({ url: 'http://h', ...options });
    expect(Object.keys(SELF_DESCRIPTIONS).every((quirks) => parse({ quirks }).success)).toBe(true);
    expect(parse({ quirks: 'vlm' }).success).toBe(false);
  });
});

it.each([
  ['https://generativelanguage.googleapis.com/v1beta/openai', {}, ['openai-chat']],
  [
    'https://api.openai.com/v1',
    {},
    ['openai-chat', 'openai-completions', 'openai-responses', 'openai-input-tokens'],
  ],
  [
    'http://h:1',
    { quirks: 'vllm' },
    [
      ...['anthropic-messages', 'anthropic-count-tokens'],
      ...['openai-chat', 'openai-completions', 'openai-responses'],
    ],
  ],
  ['http://h:1', {}, ['openai-chat', 'openai-completions']],
])('what %s %o speaks is relayed, and the rest translated', async (url, options, spoken) => {
  const expert = await openaiKind.create('e', openaiKind.options.parse({ url, ...options }), DEPS);
  expect(expert.speaks).toEqual(spoken);
  await expert.close();
});

describe('errors', () => {
  it.each(ERRORS)('%s reaches the client in OpenAI’s form', async (_, exchange, { status, ...told }) => {
    const { expert } = await expertAt('plain', exchange);
    for (const stream of [false, true]) {
      const heard = await chat(expert, { stream });
      expect(heard.status).toBe(status);
      expect(heard.headers['content-type']).toBe('application/json');
      expect(JSON.parse(heard.body).error).toEqual({ param: null, code: null, ...told });
    }
  });

  it.each(OPENAI_ERRORS)('%s writes that form already, and not a byte changes', async (_, exchange) => {
    const { expert } = await expertAt('plain', exchange);
    expect(await chat(expert)).toMatchObject({ status: exchange.status, body: exchange.body });
  });

  it.each(HIDDEN_ERRORS)('under 200, %s is an error with a status', async (_, exchange, status, message) => {
    const { expert } = await expertAt('plain', exchange);
    const heard = await chat(expert, { stream: exchange.type === 'text/event-stream' });
    expect(heard.status).toBe(status);
    expect(JSON.parse(heard.body).error).toMatchObject({ message });
  });

  it('are read through their encoding', async () => {
    const body = '{"error":{"message":"no","type":"t","param":null,"code":"c"}}';
    for (const [encoding, bytes, message] of [
      ['gzip', gzipSync(body), 'no'],
      ['br', brotliCompressSync(body), 'no'],
      ['gzip', Buffer.from('half'), "The expert's server answered with status 429 and no reason."],
    ] as const) {
      const { expert } = await expertAt('plain', (response) => {
        response.writeHead(429, { 'content-type': 'application/json', 'content-encoding': encoding });
        response.end(bytes);
      });
      const heard = await chat(expert);
      expect(heard.status).toBe(429);
      expect(heard.headers).not.toHaveProperty('content-encoding');
      expect(JSON.parse(heard.body).error.message).toBe(message);
    }
  });

  it('nothing is heard by who leaves at the head of an answer', async () => {
    const { expert } = await expertAt('plain', ENDS.unfinished);
    const calls: string[] = [];
    await new Promise<void>((resolve) => {
      const leave = (): void => {
        calls.push('head');
        generation.cancel();
        setTimeout(resolve, 50);
      };
      const heard = (call: string) => () => calls.push(call) > 0;
      const request = requestOf({ messages: [{ role: 'user', content: 'x' }], stream: true });
      const sink = { head: leave, data: heard('data'), end: heard('end'), fail: heard('fail') };
      const generation = expert.generate(request, sink);
    });
    expect(calls).toEqual(['head']);
  });

  it('under 200 are seen however the first bytes are cut, and an answer is never taken for one', async () => {
    const bodies: [string, number][] = [
      ...HIDDEN_ERRORS.filter(([, { type }]) => type === 'text/event-stream').map(
        ([, { body }, status]): [string, number] => [body, status],
      ),
      [ENDS.whole.body, 200],
      [`data: {"error": null, ${ENDS.whole.body.slice('data: {'.length)}`, 200],
    ];
    let now = { body: '', cuts: [] as number[] };
    const { expert } = await expertAt('plain', async (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const at = [0, ...now.cuts, now.body.length];
      for (let i = 1; i < at.length; i++) {
        if (at[i]! > at[i - 1]!) response.write(now.body.slice(at[i - 1], at[i]));
        await new Promise(setImmediate);
      }
      response.end();
    });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...bodies), fc.array(fc.nat(40)), async ([body, status], cuts) => {
        now = { body, cuts: cuts.toSorted((a, b) => a - b) };
        const heard = await chat(expert, { stream: true });
        expect(heard.status).toBe(status);
        if (status === 200) expect(heard.body).toBe(body);
      }),
      { numRuns: 60 },
    );
  });
});

describe('the end of a stream', () => {
  const streamed = async (exchange: Exchange) => {
    const { expert } = await expertAt('plain', exchange);
    return chat(expert, { stream: true });
  };

  it('is relayed as it is where it is whole', async () => {
    const { body, outcome } = await streamed(ENDS.whole);
    expect(body).toBe(ENDS.whole.body);
    expect(outcome).toEqual({ finishReason: 'stop', usage: 'unknown' });
  });

  it.each(['withoutDone', 'usageWithoutDone'] as const)(
    '%s: a finished answer is whole, and nothing is added to it',
    async (end) => {
      const { body, outcome } = await streamed(ENDS[end]);
      expect(body).toBe(ENDS[end].body);
      expect(outcome?.finishReason).toBe('stop');
      expect(outcome?.usage === 'unknown').toBe(end === 'withoutDone');
    },
  );

  it('a finished answer without its last line break is whole too', async () => {
    const body = ENDS.withoutDone.body.trimEnd();
    expect(await streamed({ ...ENDS.withoutDone, body })).toMatchObject({
      body,
      outcome: { finishReason: 'stop' },
    });
  });

  it.each([
    ['unfinished', /without a finish reason/],
    ['error', /out of memory/],
    ['lineOfError', /runner terminated/],
  ] as const)('%s: no end is made up', async (end, why) => {
    const { failure, body } = await streamed(ENDS[end]);
    expect(failure).toMatchObject({ code: 'expert_cut_stream', message: expect.stringMatching(why) });
    expect(body).toBe(ENDS[end].body);
  });

  it('invents nothing, whatever just ends', async () => {
    const piece = fc.oneof(
      fc.constantFrom(
        ': ping\n\n',
        'event: x\r\n',
        'data: {"a":1}\n\n',
        'data:',
        '0\r\n\r\n',
        '"finish_reason":null',
      ),
      fc.string({ unit: 'grapheme', minLength: 1 }),
    );
    let body = '';
    const { expert } = await expertAt('plain', (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end(body);
    });
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { minLength: 1, maxLength: 30 }), async (pieces) => {
        body = pieces.join('');
        const heard = await chat(expert, { stream: true });
        // Where no content has begun, another expert may still take over, and nothing is shown.
        expect([body, '']).toContain(heard.body);
        expect(heard.failure?.code).toBe(heard.body === '' ? 'expert_failed' : 'expert_cut_stream');
        expect(heard.outcome).toBeUndefined();
      }),
      { numRuns: 40 },
    );
  });
});

describe('through the gateway', () => {
  /** Every prompt goes to `first`, which misbehaves; `second` is well. */
  async function two(name: string, exchange: Exchange): Promise<RunningGateway> {
    const first = await upstream(server(name, exchange));
    const second = await upstream(polite);
    const router = await gateway(`
experts:
  - { id: first, kind: openai, url: '${first.url}', quirks: ${name}, samples: [Write a Python function] }
  - { id: second, kind: openai, url: '${second.url}' }
`);
    running.push(router, first, second);
    return router;
  }
  const ask = (router: RunningGateway, stream: boolean) =>
    router.post('/v1/chat/completions', {
      stream,
      messages: [{ role: 'user', content: 'Write a Python function' }],
    });

  it.each(HIDDEN_ERRORS.map(([name, exchange]) => [name, exchange] as const))(
    'an error under 200 goes to the next expert: %s',
    async (_, exchange) => {
      const response = await ask(await two('plain', exchange), exchange.type === 'text/event-stream');
      expect([response.status, response.headers.get('x-expert-router-expert')]).toEqual([200, 'second']);
      await response.text();
    },
  );

  it.each(['tgi', 'plain'] as const)(
    '%s: a 424, TGI’s failed generation, goes to the next expert',
    async (quirks) => {
      const mended = await ask(await two(quirks, TGI_FAILED), false);
      expect([mended.status, mended.headers.get('x-expert-router-expert')]).toEqual([200, 'second']);
      await mended.text();
    },
  );

  it('TGI’s error in a stream keeps the status that it names', async () => {
    const response = await ask(await two('tgi', TGI_STREAM_ERROR), true);
    expect(response.status).toBe(422);
    expect((await response.json()) as object).toMatchObject({
      error: { message: 'Request failed during generation' },
    });
  });

  it('a stream that just ends gets an error event', async () => {
    const text = await (await ask(await two('ollama', ENDS.unfinished), true)).text();
    expect(text).toContain('"code":"expert_cut_stream"');
    expect(text).not.toContain('[DONE]');
  });
});

/**
 * What an expert says reaches a client of another dialect whole, through real sockets, wherever its bytes are cut: the words,
 * thoughts, calls, end and counts that both dialects can say.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anthropicMessages } from '../src/serving/dialects/anthropic-messages/index.ts';
import type { Json, TextDialect } from '../src/serving/dialects/dialect.ts';
import { openAiChat } from '../src/serving/dialects/openai/chat.ts';
import { openAiResponses } from '../src/serving/dialects/openai-responses/index.ts';
import type { FinishReason, Reply, Usage } from '../src/serving/reply/reply.ts';
import { gateway, type RunningGateway } from './support/gateway.ts';
import { type Upstream, upstream } from './support/upstream.ts';

type Said =
  | { readonly type: 'text' | 'thinking'; readonly text: string }
  | { readonly type: 'call'; readonly id: string; readonly name: string; readonly json: string };

interface Answer {
  readonly said: readonly Said[];
  readonly cut: readonly number[];
  readonly ended: FinishReason;
  readonly usage: Usage;
}

const words = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
const said: fc.Arbitrary<readonly Said[]> = fc.array(
  fc.oneof(
    fc.record({ type: fc.constantFrom('text' as const, 'thinking' as const), text: words }),
    fc.record({
      type: fc.constant('call' as const),
      id: fc.stringMatching(/^call_[a-z]{6}$/),
      name: fc.stringMatching(/^[a-z]{1,8}$/),
      json: fc.dictionary(fc.stringMatching(/^[a-z]{1,4}$/), words).map((given) => JSON.stringify(given)),
    }),
  ),
  { minLength: 1, maxLength: 5 },
);
const answer: fc.Arbitrary<Answer> = fc
  .record({
    said,
    cut: fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 6 }),
    reason: fc.constantFrom('stop' as const, 'length' as const),
    cached: fc.nat(50),
    more: fc.nat(50),
    outputTokens: fc.integer({ min: 1, max: 50 }),
  })
  .map(({ said, cut, reason, cached, more, outputTokens }) => ({
    said,
    cut,
    ended: reason === 'stop' && said.some(({ type }) => type === 'call') ? 'tool calls' : reason,
    usage: { inputTokens: cached + more, cachedTokens: cached, outputTokens },
  }));

/** What the server says next. */
let next: Answer;

function tell(reply: Reply, { said, ended, usage }: Answer): void {
  reply.begin({ id: 'x-1', created: 1, model: 'm' });
  for (const one of said) {
    if (one.type !== 'call') reply[one.type](one.text);
    else {
      reply.toolCall(one.id, one.name);
      reply.toolArguments(one.json);
    }
  }
  reply.finish(ended, usage);
}

function bytesOf(dialect: TextDialect, body: Json): Buffer {
  const bytes: Uint8Array[] = [];
  const sink = {
    head: () => {},
    data: (chunk: Uint8Array) => bytes.push(chunk) > 0,
    end: () => {},
    fail: (failure: Error) => {
      throw failure;
    },
  };
  const received = { bytes: Buffer.from(JSON.stringify(body)), json: body, partial: false };
  tell(dialect.writer(dialect.ask(dialect.facts(body), received), sink), next);
  return Buffer.concat(bytes);
}

/** Speaks one dialect, in pieces cut anywhere. */
function speaking(dialect: TextDialect): Promise<Upstream> {
  return upstream(async (response, { method, path, body }) => {
    if (method !== 'POST' || !dialect.paths.includes(path)) return void response.writeHead(404).end('{}');
    const asked = JSON.parse(body) as Json;
    const bytes = bytesOf(dialect, { ...asked, thinking: { type: 'adaptive' } });
    response.writeHead(200, {
      'content-type': asked.stream ? 'text/event-stream' : 'application/json',
    });
    let from = 0;
    for (let n = 0; from < bytes.length; n += 1) {
      const size = next.cut[n % next.cut.length]!;
      response.write(bytes.subarray(from, from + size));
      from += size;
      await nextTurn();
    }
    response.end();
  });
}

/** Adjacent pieces of a kind as one, in the order of the answer. */
class Hearing implements Reply {
  readonly said: Said[] = [];
  ended: unknown = null;
  begin(): void {}
  text(text: string): boolean {
    return this.#more('text', text);
  }
  thinking(text: string): boolean {
    return this.#more('thinking', text);
  }
  toolCall(id: string, name: string): boolean {
    return this.said.push({ type: 'call', id, name, json: '' }) > 0;
  }
  toolArguments(piece: string): boolean {
    const last = this.said.pop();
    if (last?.type !== 'call') throw new Error('arguments of no call');
    return this.said.push({ ...last, json: last.json + piece }) > 0;
  }
  finish(reason: unknown, usage: unknown): void {
    this.ended = { reason, usage };
  }
  fail(failure: Error): void {
    throw failure;
  }

  #more(type: 'text' | 'thinking', text: string): boolean {
    const last = this.said.at(-1);
    if (last?.type !== type) return this.said.push({ type, text }) > 0;
    this.said[this.said.length - 1] = { type, text: last.text + text };
    return true;
  }
}

const CLIENTS: readonly [string, TextDialect, Json][] = [
  [
    'chat completions',
    openAiChat,
    { messages: [{ role: 'user', content: 'x' }], stream_options: { include_usage: true } },
  ],
  [
    'Messages',
    anthropicMessages,
    { messages: [{ role: 'user', content: 'x' }], max_tokens: 9, thinking: { type: 'adaptive' } },
  ],
  ['Responses', openAiResponses, { input: 'x' }],
];
const SERVERS = { chat: openAiChat, messages: anthropicMessages };

let servers: Upstream[];
let router: RunningGateway;
beforeAll(async () => {
  servers = await Promise.all(Object.values(SERVERS).map(speaking));
  router = await gateway(`
experts:
  - { id: chat, kind: openai, url: '${servers[0]!.url}', quirks: plain, dialects: [openai-chat], metrics_url: false }
  - { id: messages, kind: anthropic, url: '${servers[1]!.url}', api_key: k }
`);
});
afterAll(async () => {
  for (const one of [router, ...servers]) await one.close();
});

const pairs = CLIENTS.flatMap(([name, client, body]) =>
  Object.entries(SERVERS)
    .filter(([, server]) => server !== client)
    .map(([server]) => ({ name, client, body, server })),
);

describe.each(pairs)('a client of $name and a server of $server', ({ client, body, server }) => {
  it('mean the same by a stream', async () => {
    await fc.assert(
      fc.asyncProperty(answer, async (one) => {
        next = one;
        const asked = { ...body, model: server, stream: true };
        const response = await router.post(client.paths[0], asked);
        const bytes = Buffer.from(await response.arrayBuffer());
        expect([response.status, bytes.toString()]).toEqual([200, expect.any(String)]);
        const heard = new Hearing();
        const reader = client.reader(heard);
        for (let at = 0; at < bytes.length; at += 7) [...reader.read(bytes.subarray(at, at + 7))];
        expect(reader.finish()).toBe(true);
        const expected = new Hearing();
        tell(expected, one);
        expect(heard.said).toEqual(expected.said);
        expect(heard.ended).toMatchObject({ reason: one.ended, usage: one.usage });
      }),
      { numRuns: 40 },
    );
  });
});

/**
 * Whatever dialect an expert speaks is passed to it as bytes, at that dialect's path, and its bytes come back; here one
 * of JSON lines, at a path without `/v1`, whose answers are no text.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { RouterError } from '../src/core/errors.ts';
import type { Decision } from '../src/deciding/routing/decide.ts';
import type { Dialect } from '../src/serving/dialects/dialect.ts';
import { forwardBody } from '../src/serving/dialects/forward.ts';
import type { OpenAiAsk } from '../src/serving/dialects/openai/ask.ts';
import { openAiChat } from '../src/serving/dialects/openai/chat.ts';
import { openAiCompletions } from '../src/serving/dialects/openai/completions.ts';
import { apiBase, pathAt } from '../src/serving/experts/api-base.ts';
import { emulatedKind } from '../src/serving/experts/emulated/index.ts';
import { listen } from '../src/serving/experts/expert.contract.tools.ts';
import type { Expert } from '../src/serving/experts/expert.ts';
import type { ExpertDeps } from '../src/serving/experts/kind.ts';
import { openaiKind } from '../src/serving/experts/openai/index.ts';
import type { Fleet } from '../src/serving/fleet/fleet.ts';
import { ClientSink } from '../src/serving/front/client-sink.ts';
import { Redaction } from '../src/serving/front/redaction.ts';
import { OpenNote } from '../src/serving/front/request-note.ts';
import { Gateway } from '../src/serving/gateway/gateway.ts';
import type { Routed, Router } from '../src/serving/gateway/router.ts';
import { UNKNOWN_OUTCOME } from '../src/serving/reply/reply.ts';
import { Telemetry } from '../src/serving/telemetry/metrics.ts';
import { type Answer, upstream } from './support/upstream.ts';

/** One JSON object a line; the last says `done`. */
const LINES: Dialect<'test-lines'> = {
  ...openAiChat,
  id: 'test-lines',
  paths: ['/api/chat', '/api/talk'],
  writer: null,
  streaming: {
    contentType: 'application/x-ndjson',
    separator: '\n',
    keepAlive: null,
    lateError: ({ message }) => Buffer.from(`${JSON.stringify({ error: message })}\n`),
  },
  scanner: () => {
    let text = '';
    return {
      done: false,
      push: (bytes) => {
        text += bytes;
        return text.includes('say') ? 'content' : 'silence';
      },
      end: () => (text.includes('"done":true') ? UNKNOWN_OUTCOME : { missing: 'no line says done' }),
    };
  },
  ask: (facts, body) => Object.assign(openAiChat.ask(facts, body), { dialect: LINES }),
  forward: (ask, server) => forwardBody((ask as OpenAiAsk).received, server),
};

const SENT =
  '{ "huge" : 1e999, "messages": [{"role":"user","content":"\\u00fc"}],"model": "auto" ,"stream":true}';
const ANSWERED = '{"say":"a"}\n{"say": "b" }\n{"done":true}\n';

const DEPS: ExpertDeps = {
  cacheFolder: '/nowhere',
  environment: {},
  newId: (prefix) => prefix,
  now: () => 0,
  log: () => {},
};

const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

const lines: Answer = (response) => {
  response.writeHead(200, { 'content-type': 'application/x-ndjson' }).end(ANSWERED);
};

function asked(dialect: Dialect) {
  const json = JSON.parse(SENT) as Record<string, unknown>;
  const body = { bytes: Buffer.from(SENT), json, partial: false };
  return { ask: dialect.ask(dialect.facts(json), body), headers: {}, traceId: 't' };
}

async function openAi(url: string, speaks: readonly string[]): Promise<Expert> {
  const options = openaiKind.options.parse({ url, model: 'theirs', quirks: 'plain' });
  const expert = await openaiKind.create('e', options, DEPS);
  opened.push(expert);
  return Object.defineProperty(expert, 'speaks', { value: speaks });
}

describe('an expert that speaks the dialect', () => {
  it('is asked at its path, in the same bytes but for the model, and answers in its own', async () => {
    const behind = await upstream(lines);
    opened.push(behind);
    const expert = await openAi(`${behind.url}/v1`, ['test-lines']);
    const { body, status, outcome, headers } = await listen(expert, asked(LINES)).done;
    expect(behind.requests).toMatchObject([{ path: '/api/chat', body: SENT.replace('"auto"', '"theirs"') }]);
    expect({ body, status, outcome }).toEqual({ body: ANSWERED, status: 200, outcome: UNKNOWN_OUTCOME });
    expect(headers['content-type']).toBe('application/x-ndjson');
  });
});

describe('an expert that does not speak it', () => {
  it('refuses what is no text, by the name of the dialect', async () => {
    const behind = await upstream(lines);
    opened.push(behind);
    const emulated = await emulatedKind.create('e', emulatedKind.options.parse({}), DEPS);
    opened.push(emulated);
    for (const expert of [await openAi(behind.url, ['openai-chat']), emulated]) {
      const { failure } = await listen(expert, asked(LINES)).done;
      expect(failure).toMatchObject({ code: 'unsupported_request', message: /test-lines/ });
    }
    expect(behind.requests).toEqual([]);
  });

  it('gets none of its requests from the gateway', () => {
    const ranking = ['a', 'b', 'c'].map((expert) => ({ expert, affinity: 1, distance: null, cost: null }));
    const decision: Decision = {
      expert: 'a',
      home: 'a',
      reason: 'nearest-cluster',
      spilledFor: null,
      livedAt: null,
      ranking,
    };
    const chosen = (spoken: readonly string[], dialect: Dialect, reason = decision.reason): Decision => {
      const groups = ranking.map(({ expert: id }) => [
        id,
        {
          id,
          offers: {
            answersText: true,
            context: null,
            takes: null,
            lacks: [],
            can: () => null,
            speaks: (asked: string) => asked === 'test-lines' && spoken.includes(id),
          },
        },
      ]);
      const gateway = new Gateway(
        { route: () => ({ decision: { ...decision, reason } }) as Routed } as unknown as Router,
        { groups: new Map(groups as never) } as unknown as Fleet,
        new Telemetry({ processMetrics: false }),
        {
          requestTimeout: 1,
          hedge: false,
          heartbeat: 1,
          epoch: Date.now,
          now: () => 0,
          firstTokenTimeout: () => 1,
        },
      );
      return (gateway.route(asked(dialect).ask, undefined) as Routed).decision;
    };
    expect(chosen(['c', 'b'], LINES)).toMatchObject({
      expert: 'b',
      home: 'a',
      reason: 'able',
      ranking: [{ expert: 'b' }, { expert: 'c' }],
    });
    expect(chosen(['a', 'c'], LINES)).toMatchObject({ expert: 'a', reason: 'nearest-cluster' });
    expect(chosen([], openAiChat)).toEqual(decision);
    expect(() => chosen([], LINES)).toThrow(/No expert here answers \/.*capabilities/);
    expect(() => chosen(['b'], LINES, 'named')).toThrow(/'a' does not answer .* These do: b\./);
  });
});

describe('a stream that breaks off after its head', () => {
  it.each([
    ['a line', '{"say":"a"}\n', '{"say":"a"}\n{"error":"It broke."}\n'],
    ['half a line', '{"say":', '{"say":\n{"error":"It broke."}\n'],
  ])('ends after %s with a line of its own', async (_name, said, whole) => {
    const url = await serve((sink) => {
      sink.waiting();
      sink.head(200, { 'content-type': 'Application/X-NDJSON; charset=utf-8' });
      sink.data(Buffer.from(said));
      sink.fail(new RouterError('expert_failed', 'It broke.'), null);
    });
    expect(await (await fetch(url)).text()).toBe(whole);
  });

  it('is cut where the dialect streams nothing', async () => {
    const url = await serve(
      (sink) => {
        sink.head(200, { 'content-type': 'text/event-stream' });
        sink.data(Buffer.from('data: 1\n\n'));
        sink.fail(new RouterError('expert_failed', 'It broke.'), null);
      },
      { ...LINES, streaming: null },
    );
    await expect(fetch(url).then((response) => response.text())).rejects.toThrow();
  });
});

async function serve(act: (sink: ClientSink) => void, dialect: Dialect = LINES): Promise<string> {
  const note = new OpenNote({
    spans: null,
    at: 0,
    traceId: 't',
    method: 'POST',
    now: () => 0,
    prices: new Map(),
  });
  const server = createServer((_, response) =>
    act(new ClientSink(response, dialect, new Redaction([]), note)),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  opened.push(server);
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('the path of a dialect at a server', () => {
  it.each([
    ['http://h:1', '/v1/messages/count_tokens', '/v1/messages/count_tokens'],
    ['http://h:1/', '/v1/responses', '/v1/responses'],
    ['http://h:1/v1/', '/v1/responses', '/v1/responses'],
    ['http://h:1/api/v3', '/v1/embeddings', '/api/v3/embeddings'],
    ['http://h:1', '/api/chat', '/api/chat'],
    ['http://h:1/ollama/v1', '/api/chat', '/ollama/api/chat'],
    ['http://h:1/ollama', '/api/chat', '/ollama/api/chat'],
    ['http://h:1/v1', '/rerank', '/rerank'],
  ])('at %s, %s is %s', (url, path, there) => {
    expect(pathAt(apiBase(url), path)).toBe(there);
  });

  it('of OpenAI’s is below /v1', () => {
    expect([...openAiChat.paths, ...openAiCompletions.paths]).toEqual([
      '/v1/chat/completions',
      '/v1/completions',
    ]);
  });
});

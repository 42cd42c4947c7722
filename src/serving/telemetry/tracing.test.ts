import { describe, expect, it } from 'vitest';
import { SpanExporter } from './exporter.ts';
import { otelSettings } from './otel-environment.ts';
import { SpanBatch } from './span-batch.ts';
import { spansOf, type TracedRequest } from './spans.ts';
import { samplerNamed, traceContext } from './trace-context.ts';

const TRACE = 'a'.repeat(32);
const PARENT = 'b'.repeat(16);
const context = (traceparent: string | undefined, name: string, argument?: string, traceId = TRACE) =>
  traceContext(traceparent, traceId, {
    sampler: samplerNamed(name, argument)!,
    newSpanId: () => 'c'.repeat(16),
  });

describe('which requests are traced', () => {
  it('follows the caller where the sampler does', () => {
    const yes = `00-${TRACE}-${PARENT}-01`;
    const no = `00-${TRACE}-${PARENT}-00`;
    expect(context(yes, 'parentbased_always_off')).toEqual({ spanId: 'c'.repeat(16), parentId: PARENT });
    expect(context(no, 'parentbased_always_on')).toBeNull();
    expect(context(no, 'always_on')).toMatchObject({ parentId: PARENT });
    expect(context(yes, 'always_off')).toBeNull();
    expect(context(undefined, 'parentbased_always_on')).toMatchObject({ parentId: null });
  });

  it('is a share of all ids', () => {
    // A walk through all ids in equal steps.
    const ids = Array.from({ length: 4_000 }, (_, i) =>
      ((BigInt(i) * 0x9e3779b97f4a7c15n) % (1n << 64n)).toString(16).padStart(32, '0'),
    );
    const share =
      ids.filter((id) => context(undefined, 'traceidratio', '0.25', id) !== null).length / ids.length;
    expect(share).toBeGreaterThan(0.2);
    expect(share).toBeLessThan(0.3);
    expect(context(undefined, 'traceidratio', '1', 'f'.repeat(32))).not.toBeNull();
    expect(context(undefined, 'traceidratio', '0', '0'.repeat(32))).toBeNull();
  });
});

describe('the environment', () => {
  it('is silent by default', () => {
    expect(otelSettings({})).toBeNull();
    expect(otelSettings({ OTEL_SERVICE_NAME: 'x' })).toBeNull();
    expect(
      otelSettings({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318', OTEL_SDK_DISABLED: 'true' }),
    ).toBeNull();
    expect(
      otelSettings({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318', OTEL_TRACES_EXPORTER: 'none' }),
    ).toBeNull();
  });

  it('names a base for all signals, or the address of traces itself', () => {
    const url = (environment: Record<string, string>) => otelSettings(environment)!.url;
    expect(url({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318/base/' })).toBe('http://c:4318/base/v1/traces');
    expect(url({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://c/own' })).toBe('http://c/own');
    expect(url({ OTEL_TRACES_EXPORTER: 'otlp' })).toBe('http://localhost:4318/v1/traces');
  });

  it('gives headers, resource and limits', () => {
    expect(
      otelSettings({
        OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318',
        OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20x, x-tenant=a',
        OTEL_RESOURCE_ATTRIBUTES: 'service.name=one,deployment.environment=test',
        OTEL_BSP_MAX_QUEUE_SIZE: '9',
      }),
    ).toMatchObject({
      headers: { authorization: 'Bearer x', 'x-tenant': 'a' },
      resource: { 'service.name': 'one', 'deployment.environment': 'test' },
      mostQueued: 9,
    });
  });

  it('is refused where it means nothing', () => {
    for (const wrong of [
      { OTEL_TRACES_EXPORTER: 'zipkin' },
      { OTEL_TRACES_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_HEADERS: 'x=a%0d%0ahost: evil' },
      { OTEL_TRACES_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_HEADERS: 'x y=a' },
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318' },
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' },
      { OTEL_TRACES_EXPORTER: 'otlp', OTEL_TRACES_SAMPLER: 'sometimes' },
      { OTEL_TRACES_EXPORTER: 'otlp', OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '2' },
      { OTEL_TRACES_EXPORTER: 'otlp', OTEL_BSP_MAX_QUEUE_SIZE: 'many' },
    ])
      expect(() => otelSettings(wrong)).toThrow();
  });
});

const REQUEST: TracedRequest = {
  span: { spanId: 'c'.repeat(16), parentId: PARENT },
  traceId: TRACE,
  at: 1_700_000_000_000,
  method: 'POST',
  path: '/v1/chat/completions',
  status: 200,
  error: null,
  whole: true,
  dialect: 'openai-chat',
  model: 'auto',
  stream: true,
  expert: 'two',
  tries: 2,
  promptTokens: 12,
  cachedTokens: null,
  completionTokens: 5,
  usd: 0.0002,
  decidedMs: 1,
  expectedMs: 250,
  firstMs: 60,
  totalMs: 100.5,
  asked: [
    {
      spanId: '1'.repeat(16),
      expert: 'one',
      replica: 'one',
      fromMs: 2,
      answeredMs: null,
      failedMs: 20,
      error: 'expert_failed',
      status: 401,
    },
    {
      spanId: '2'.repeat(16),
      expert: 'two',
      replica: 'two/2',
      fromMs: 21,
      answeredMs: 60,
      failedMs: null,
      error: null,
      status: null,
    },
  ],
  reason: 'nearest-cluster',
  chosen: 'one',
  home: 'one',
  cluster: 3,
  clusterName: 'a · b',
  confidence: 0.5,
  margin: 0.1,
  outside: false,
};

interface Span {
  readonly name: string;
  readonly kind: number;
  readonly parentSpanId?: string;
  readonly attributes: readonly { readonly key: string; readonly value: Record<string, unknown> }[];
  readonly events?: object;
  readonly status?: object;
}
const read = ({ text, count }: { text: string; count: number }): readonly Span[] => {
  const spans = JSON.parse(`[${text}]`) as Span[];
  expect(spans).toHaveLength(count);
  return spans;
};

describe('the spans of a request', () => {
  const spans = read(spansOf(REQUEST, () => '9'.repeat(16)));
  const attributes = ({ attributes: all }: Span) =>
    Object.fromEntries(all.map(({ key, value }) => [key, Object.values(value)[0]]));

  it('are itself, its decision and its tries', () => {
    expect(spans.map(({ name, kind, parentSpanId }) => [name, kind, parentSpanId])).toEqual([
      ['POST /v1/chat/completions', 2, PARENT],
      ['decide', 1, 'c'.repeat(16)],
      ['chat one', 3, 'c'.repeat(16)],
      ['chat two', 3, 'c'.repeat(16)],
    ]);
  });

  it('have their times, and the first token as an event', () => {
    expect(spans[0]).toMatchObject({
      startTimeUnixNano: '1700000000000000000',
      endTimeUnixNano: '1700000000100500000',
    });
    expect(spans[3]!.events).toEqual([{ timeUnixNano: '1700000000060000000', name: 'first_token' }]);
    expect(spans[2]).toMatchObject({
      endTimeUnixNano: '1700000000020000000',
      status: { code: 2, message: 'expert_failed' },
    });
    expect(spans[0]!.status).toBeUndefined();
  });

  it("carry the conventions' attributes and our own", () => {
    expect(attributes(spans[3]!)).toEqual({
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'expert_router',
      'gen_ai.request.model': 'two',
      'gen_ai.request.stream': true,
      'gen_ai.usage.input_tokens': '12',
      'gen_ai.usage.output_tokens': '5',
      'expert_router.expert': 'two',
      'expert_router.replica': 'two/2',
      'expert_router.try': '2',
    });
    expect(attributes(spans[1]!)).toMatchObject({
      'expert_router.cluster': '3',
      'expert_router.expected_wait': 0.25,
      'expert_router.outside': false,
    });
  });
});

describe('hostile values', () => {
  it('stay text, and what is no number is left out', () => {
    const nasty = '"}],"x":[{\u0000\\\ud800😀';
    const [server, decision] = read(
      spansOf(
        { ...REQUEST, model: nasty, path: nasty, clusterName: nasty, margin: Number.NaN, usd: 1e-7 },
        () => '9'.repeat(16),
      ),
    );
    const of = (span: Span, key: string) => span.attributes.find((one) => one.key === key)?.value;
    // A half of a pair is written as an escape.
    expect(of(server!, 'gen_ai.request.model')).toEqual({ stringValue: nasty });
    expect(of(server!, 'expert_router.cost_usd')).toEqual({ doubleValue: 1e-7 });
    expect(server!.name).toBe(`POST ${nasty}`);
    expect(of(decision!, 'expert_router.cluster.name')).toEqual({ stringValue: nasty });
    expect(of(decision!, 'expert_router.margin')).toBeUndefined();
  });
});

describe('a batch', () => {
  it('grows with what is added, in whole characters', () => {
    const batch = new SpanBatch();
    for (let i = 0; i < 200; i++)
      batch.add({ text: `{"n":${i},"name":"${'\u3042'.repeat(300)}"}`, count: 1 });
    const spans = JSON.parse(`[${batch.bytes.toString()}]`) as { n: number; name: string }[];
    expect(spans.map(({ n }) => n)).toEqual(Array.from({ length: 200 }, (_, i) => i));
    expect(spans.every(({ name }) => name === '\u3042'.repeat(300))).toBe(true);
    expect(batch.spans).toBe(200);
  });
});

describe('the exporter', () => {
  it('drops what is too much, and says so once', () => {
    const logged: string[] = [];
    const exporter = new SpanExporter({
      url: 'http://127.0.0.1:1/v1/traces',
      headers: {},
      resource: {},
      timeoutMs: 100,
      everyMs: 60_000,
      mostQueued: 8,
      mostInBatch: 8,
      log: (line) => logged.push(line),
    });
    for (let i = 0; i < 4; i++) exporter.add({ ...spansOf(REQUEST, () => '9'.repeat(16)), count: 3 });
    expect(logged).toEqual(['Spans do not reach http://127.0.0.1:1 (the queue is full); 3 are lost so far.']);
  });
});

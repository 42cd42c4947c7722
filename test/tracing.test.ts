/** Spans as a strict collector gets them, and the trace that experts are handed. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { eventually, gateway, type RunningGateway } from './support/gateway.ts';
import { polite, type Upstream, upstream } from './support/upstream.ts';

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { readonly key: string; readonly value: object }[];
}

let collector: Server;
let received: Span[] = [];
let problems: string[] = [];
let answers: (() => number)[] = [];
let running: RunningGateway;
let expert: Upstream;
let endpoint = '';

beforeEach(async () => {
  received = [];
  problems = [];
  answers = [];
  collector = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const status = answers.shift()?.() ?? 200;
    if (status === 200)
      received.push(...judged(request.method, request.url, request.headers, Buffer.concat(chunks)));
    response.writeHead(status, { 'content-type': 'application/json' }).end('{}');
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
  expert = await upstream(polite);
});
afterEach(async () => {
  await running.close();
  await expert.close();
  collector.close();
});

/** What the specification asks of a body, field by field. */
function judged(
  method: unknown,
  path: unknown,
  headers: Record<string, unknown>,
  body: Buffer,
): readonly Span[] {
  const wrong = (what: string): void => void problems.push(what);
  if (method !== 'POST' || path !== '/v1/traces') wrong(`${method} ${path}`);
  if (headers['content-type'] !== 'application/json') wrong('content type');
  if (headers['x-tenant'] !== 'one') wrong('headers');
  const { resourceSpans } = JSON.parse(body.toString());
  const [{ resource, scopeSpans }] = resourceSpans;
  if (
    !resource.attributes.some(
      ({ key, value }: never) => key === 'service.name' && (value as { stringValue: string }).stringValue,
    )
  )
    wrong('no service.name');
  const spans = scopeSpans.flatMap((scope: { spans: Span[] }) => scope.spans) as Span[];
  for (const span of spans) {
    if (!/^[0-9a-f]{32}$/.test(span.traceId)) wrong(`trace id ${span.traceId}`);
    if (!/^[0-9a-f]{16}$/.test(span.spanId)) wrong(`span id ${span.spanId}`);
    for (const time of [span.startTimeUnixNano, span.endTimeUnixNano])
      if (!/^\d{19}$/.test(time)) wrong(`time ${time}`);
    if (BigInt(span.endTimeUnixNano) < BigInt(span.startTimeUnixNano)) wrong('ends before it begins');
    for (const { value } of span.attributes)
      if (Object.keys(value).length !== 1) wrong(`value ${JSON.stringify(value)}`);
  }
  return spans;
}

const serve = async (more: Record<string, string> = {}): Promise<void> => {
  running = await gateway(`experts: [{ id: one, kind: openai, url: '${expert.url}' }]`, {
    environment: {
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
      OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=one',
      OTEL_BSP_SCHEDULE_DELAY: '20',
      ...more,
    },
  });
};
const ask = (headers: Record<string, string> = {}) =>
  running.post(
    '/v1/chat/completions',
    { messages: [{ role: 'user', content: 'secretword please' }] },
    headers,
  );
const traceparentSent = () =>
  expert.requests.findLast(({ method }) => method === 'POST')!.headers.traceparent;

it("hands experts a span of its own below the caller's, and tells the collector of all", async () => {
  await serve();
  const [trace, parent] = ['d'.repeat(32), 'e'.repeat(16)];
  await (await ask({ traceparent: `00-${trace}-${parent}-01` })).arrayBuffer();
  await eventually('the spans arrive', () => received.length >= 3);
  const [server, decision, attempt] = received as [Span, Span, Span];
  expect([server.parentSpanId, decision.parentSpanId, attempt.parentSpanId]).toEqual([
    parent,
    server.spanId,
    server.spanId,
  ]);
  expect(traceparentSent()).toBe(`00-${trace}-${attempt.spanId}-01`);
  expect(JSON.stringify(received)).not.toContain('secretword');
  expect(problems).toEqual([]);
});

it('passes a trace on as it is where it is not sampled, and tells nobody', async () => {
  await serve();
  const traceparent = `00-${'d'.repeat(32)}-${'e'.repeat(16)}-00`;
  await (await ask({ traceparent })).arrayBuffer();
  expect(traceparentSent()).toBe(traceparent);
  await (await ask()).arrayBuffer();
  await eventually('only the second is told', () => received.length >= 3);
  expect(received.some(({ traceId }) => traceId === 'd'.repeat(32))).toBe(false);
});

it('tries again where the collector asks for it, and loses no answer where it is down', async () => {
  answers = [() => 503];
  await serve();
  await (await ask()).arrayBuffer();
  await eventually('the second try arrives', () => received.length >= 3);
  await new Promise((resolve) => collector.close(resolve).closeAllConnections());
  expect((await ask()).status).toBe(200);
  await running.close();
  expect(running.logged.join('\n')).toContain('Spans do not reach');
  await serve();
});

it('sends what is left at the end', async () => {
  await serve({ OTEL_BSP_SCHEDULE_DELAY: '600000' });
  await (await ask()).arrayBuffer();
  await running.close();
  expect(received).toHaveLength(3);
  await serve();
});

it('does nothing unless it is asked to', async () => {
  running = await gateway(`experts: [{ id: one, kind: openai, url: '${expert.url}' }]`, { environment: {} });
  await (await ask()).arrayBuffer();
  expect(traceparentSent()).toBeUndefined();
});

/**
 * A request as spans, in the JSON of OTLP (opentelemetry-proto, trace.proto; OTLP specification, "JSON Protobuf"). The text
 * is put together at once: objects that become text only when they are sent live long enough to cost more than themselves.
 */
import { ATTRIBUTES, operationOf, PROVIDER } from './genai.ts';
import type { TraceContext } from './trace-context.ts';

/** What is told of a request that is traced; times in milliseconds from its head. */
export interface TracedRequest {
  readonly span: TraceContext;
  readonly traceId: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly method: string;
  readonly path: string | null;
  readonly status: number | null;
  readonly error: string | null;
  readonly whole: boolean;
  readonly dialect: string | null;
  readonly model: string | null;
  readonly stream: boolean;
  readonly expert: string | null;
  readonly tries: number;
  readonly promptTokens: number | null;
  readonly cachedTokens: number | null;
  readonly completionTokens: number | null;
  readonly usd: number | null;
  readonly decidedMs: number | null;
  readonly expectedMs: number | null;
  readonly firstMs: number | null;
  readonly totalMs: number;
  readonly asked: readonly TracedTry[];
  readonly reason: string | null;
  readonly chosen: string | null;
  readonly home: string | null;
  readonly cluster: number | null;
  readonly clusterName: string | null;
  readonly confidence: number | null;
  readonly margin: number | null;
  readonly outside: boolean;
}

interface TracedTry {
  readonly spanId: string | null;
  readonly expert: string;
  readonly replica: string | null;
  readonly fromMs: number;
  readonly answeredMs: number | null;
  readonly failedMs: number | null;
  readonly error: string | null;
  readonly status: number | null;
}

const KIND = { internal: 1, server: 2, client: 3 } as const;
const STATUS_ERROR = 2;
/** OTLP's flag of a sampled span. */
const SAMPLED = 1;

/** Spans as text, separated by commas: what goes between the brackets of `spans`. */
export interface SpanTexts {
  readonly text: string;
  readonly count: number;
}

/** The request itself, the decision, and every try, in the order in which they began. @param newSpanId 16 hex digits */
export function spansOf(request: TracedRequest, newSpanId: () => string): SpanTexts {
  const texts = [serverSpan(request)];
  const decision = decisionSpan(request, newSpanId);
  if (decision !== null) texts.push(decision);
  for (const [place, one] of request.asked.entries())
    if (one.spanId !== null) texts.push(trySpan(request, one, one.spanId, place));
  return { text: texts.join(','), count: texts.length };
}

function serverSpan(request: TracedRequest): string {
  const { span: context, method, path, error, status, totalMs } = request;
  const failed = error !== null && (status === null || status >= 500);
  return span(request, {
    spanId: context.spanId,
    parentId: context.parentId,
    name: path === null ? method : `${method} ${path}`,
    kind: KIND.server,
    from: 0,
    to: totalMs,
    error: failed ? error : null,
    attributes:
      text('method', method) +
      text('route', path) +
      number('status', status) +
      text('errorType', error) +
      genAi(request, request.model) +
      usage(request) +
      text('expert', request.expert) +
      number('tries', request.tries || null) +
      number('cost', request.usd),
  });
}

function decisionSpan(request: TracedRequest, newSpanId: () => string): string | null {
  const { chosen, span: context, decidedMs, expectedMs } = request;
  if (chosen === null || decidedMs === null) return null;
  return span(request, {
    spanId: newSpanId(),
    parentId: context.spanId,
    name: 'decide',
    kind: KIND.internal,
    from: 0,
    to: decidedMs,
    error: null,
    attributes:
      text('expert', chosen) +
      text('home', request.home) +
      text('reason', request.reason) +
      number('cluster', request.cluster) +
      text('clusterName', request.clusterName) +
      number('confidence', request.confidence) +
      number('margin', request.margin) +
      truth('outside', request.outside) +
      number('expectedWait', expectedMs === null ? null : expectedMs / 1000),
  });
}

function trySpan(request: TracedRequest, one: TracedTry, spanId: string, place: number): string {
  const won = one.answeredMs !== null && one.failedMs === null;
  return span(request, {
    spanId,
    parentId: request.span.spanId,
    name: `${operationOf(request.dialect ?? '')} ${one.expert}`,
    kind: KIND.client,
    from: one.fromMs,
    to: one.failedMs ?? request.totalMs,
    error: one.error,
    firstToken: one.answeredMs,
    attributes:
      genAi(request, one.expert) +
      (won ? usage(request) : '') +
      text('expert', one.expert) +
      text('replica', one.replica) +
      number('try', place + 1) +
      number('status', one.status) +
      text('errorType', one.error),
  });
}

function genAi({ dialect, stream }: TracedRequest, model: string | null): string {
  if (dialect === null) return '';
  return (
    text('operation', operationOf(dialect)) +
    text('provider', PROVIDER) +
    text('requestModel', model) +
    truth('stream', stream)
  );
}

function usage({ promptTokens, cachedTokens, completionTokens }: TracedRequest): string {
  return (
    number('inputTokens', promptTokens) +
    number('cachedTokens', cachedTokens) +
    number('outputTokens', completionTokens)
  );
}

interface Told {
  readonly spanId: string;
  readonly parentId: string | null;
  readonly name: string;
  readonly kind: number;
  /** Milliseconds from the request's head. */
  readonly from: number;
  readonly to: number;
  readonly error: string | null;
  readonly firstToken?: number | null;
  /** As `text`, `number` and `truth` write them. */
  readonly attributes: string;
}

function span({ traceId, at }: TracedRequest, told: Told): string {
  const { spanId, parentId, name, kind, from, to, error, firstToken = null, attributes } = told;
  const parent = parentId === null ? '' : `"parentSpanId":"${parentId}",`;
  const events =
    firstToken === null
      ? ''
      : `"events":[{"timeUnixNano":"${nanoseconds(at + firstToken)}","name":"first_token"}],`;
  const status =
    error === null ? '' : `"status":{"code":${STATUS_ERROR},"message":${JSON.stringify(error)}},`;
  return (
    `{"traceId":"${traceId}","spanId":"${spanId}",${parent}"name":${JSON.stringify(name)},"kind":${kind},` +
    `"startTimeUnixNano":"${nanoseconds(at + from)}","endTimeUnixNano":"${nanoseconds(at + Math.max(from, to))}",` +
    `"attributes":[${attributes.slice(0, -1)}],${events}${status}"flags":${SAMPLED}}`
  );
}

type Name = keyof typeof ATTRIBUTES;

/** How an attribute begins, by its name here. */
const KEYS = Object.fromEntries(
  Object.entries(ATTRIBUTES).map(([name, key]) => [name, `{"key":"${key}","value":{`]),
) as Readonly<Record<Name, string>>;

/** One attribute with a comma behind it; empty for null, as below. */
function text(name: Name, value: string | null): string {
  return value === null ? '' : `${KEYS[name]}"stringValue":${JSON.stringify(value)}}},`;
}

function truth(name: Name, value: boolean): string {
  return `${KEYS[name]}"boolValue":${value}}},`;
}

/** 64-bit integers are text in the JSON of Protobuf; what is no number has no place in JSON. */
function number(name: Name, value: number | null): string {
  if (value === null || !Number.isFinite(value)) return '';
  return Number.isInteger(value)
    ? `${KEYS[name]}"intValue":"${value}"}},`
    : `${KEYS[name]}"doubleValue":${value}}},`;
}

/** Whole microseconds, which a double holds exactly until 2255. */
function nanoseconds(milliseconds: number): string {
  return `${Math.round(milliseconds * 1000)}000`;
}

/** A request as spans, in the JSON of OTLP (opentelemetry-proto, trace.proto; OTLP specification, "JSON Protobuf"). */
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
}

type Value = string | number | boolean | null | undefined;

const KIND = { internal: 1, server: 2, client: 3 } as const;
const STATUS_ERROR = 2;
/** OTLP's flag of a sampled span. */
const SAMPLED = 1;

export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  /** Nanoseconds since 1970, as text. */
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly Attribute[];
  readonly events?: readonly { readonly timeUnixNano: string; readonly name: string }[];
  readonly status?: { readonly code: number; readonly message?: string };
  readonly flags: number;
}

interface Attribute {
  readonly key: string;
  readonly value:
    | { readonly stringValue: string }
    | { readonly boolValue: boolean }
    | { readonly intValue: string }
    | { readonly doubleValue: number };
}

/** The request itself, the decision, and every try, in the order in which they began. @param newSpanId 16 hex digits */
export function spansOf(request: TracedRequest, newSpanId: () => string): readonly Span[] {
  const decision = decisionSpan(request, newSpanId);
  return [serverSpan(request), ...(decision ? [decision] : []), ...triesOf(request)];
}

function serverSpan(request: TracedRequest): Span {
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
    attributes: {
      [ATTRIBUTES.method]: method,
      [ATTRIBUTES.route]: path,
      [ATTRIBUTES.status]: status,
      [ATTRIBUTES.errorType]: error,
      ...genAi(request, request.model),
      ...usage(request),
      [ATTRIBUTES.expert]: request.expert,
      [ATTRIBUTES.tries]: request.tries || null,
      [ATTRIBUTES.cost]: request.usd,
    },
  });
}

function decisionSpan(request: TracedRequest, newSpanId: () => string): Span | null {
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
    attributes: {
      [ATTRIBUTES.expert]: chosen,
      [ATTRIBUTES.home]: request.home,
      [ATTRIBUTES.reason]: request.reason,
      [ATTRIBUTES.cluster]: request.cluster,
      [ATTRIBUTES.clusterName]: request.clusterName,
      [ATTRIBUTES.confidence]: request.confidence,
      [ATTRIBUTES.margin]: request.margin,
      [ATTRIBUTES.outside]: request.outside,
      [ATTRIBUTES.expectedWait]: expectedMs === null ? null : expectedMs / 1000,
    },
  });
}

function triesOf(request: TracedRequest): readonly Span[] {
  const { asked, span: context, totalMs } = request;
  return asked.flatMap((one, place) => {
    if (one.spanId === null) return [];
    const won = one.answeredMs !== null && one.failedMs === null;
    return [
      span(request, {
        spanId: one.spanId,
        parentId: context.spanId,
        name: `${operationOf(request.dialect ?? '')} ${one.expert}`,
        kind: KIND.client,
        from: one.fromMs,
        to: one.failedMs ?? totalMs,
        error: one.error,
        ...(one.answeredMs === null ? {} : { firstToken: one.answeredMs }),
        attributes: {
          ...genAi(request, one.expert),
          ...(won ? usage(request) : {}),
          [ATTRIBUTES.expert]: one.expert,
          [ATTRIBUTES.replica]: one.replica,
          [ATTRIBUTES.try]: place + 1,
          [ATTRIBUTES.errorType]: one.error,
        },
      }),
    ];
  });
}

function genAi({ dialect, stream }: TracedRequest, model: string | null): Record<string, Value> {
  if (dialect === null) return {};
  return {
    [ATTRIBUTES.operation]: operationOf(dialect),
    [ATTRIBUTES.provider]: PROVIDER,
    [ATTRIBUTES.requestModel]: model,
    [ATTRIBUTES.stream]: stream,
  };
}

function usage({ promptTokens, cachedTokens, completionTokens }: TracedRequest): Record<string, Value> {
  return {
    [ATTRIBUTES.inputTokens]: promptTokens,
    [ATTRIBUTES.cachedTokens]: cachedTokens,
    [ATTRIBUTES.outputTokens]: completionTokens,
  };
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
  readonly firstToken?: number;
  readonly attributes: Readonly<Record<string, Value>>;
}

function span({ traceId, at }: TracedRequest, told: Told): Span {
  const { spanId, parentId, name, kind, from, to, error, firstToken, attributes } = told;
  return {
    traceId,
    spanId,
    ...(parentId === null ? {} : { parentSpanId: parentId }),
    name,
    kind,
    startTimeUnixNano: nanoseconds(at + from),
    endTimeUnixNano: nanoseconds(at + Math.max(from, to)),
    attributes: Object.entries(attributes).flatMap(([key, value]) => attribute(key, value)),
    ...(firstToken === undefined
      ? {}
      : { events: [{ timeUnixNano: nanoseconds(at + firstToken), name: 'first_token' }] }),
    ...(error === null ? {} : { status: { code: STATUS_ERROR, message: error } }),
    flags: SAMPLED,
  };
}

function attribute(key: string, value: Value): readonly Attribute[] {
  if (value === null || value === undefined) return [];
  if (typeof value === 'string') return [{ key, value: { stringValue: value } }];
  if (typeof value === 'boolean') return [{ key, value: { boolValue: value } }];
  // 64-bit integers are text in the JSON of Protobuf.
  if (Number.isInteger(value)) return [{ key, value: { intValue: String(value) } }];
  return [{ key, value: { doubleValue: value } }];
}

/** Whole microseconds, which a double holds exactly until 2255. */
function nanoseconds(milliseconds: number): string {
  return `${Math.round(milliseconds * 1000)}000`;
}

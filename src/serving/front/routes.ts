/** What each path does: a table of method and path to a handler that says in a few lines what happens. */

import { LIMITS } from '../../core/bounds.ts';
import { RouterError } from '../../core/errors.ts';
import { excerpt } from '../../core/excerpt.ts';
import { requestHeadersForExpert } from '../../core/headers.ts';
import type { Role } from '../../core/roles.ts';
import { type Ask, AUTO } from '../dialects/ask.ts';
import type { Dialect } from '../dialects/dialect.ts';
import { DIALECTS, dialectTold } from '../dialects/index.ts';
import { ollamaChat } from '../dialects/ollama/index.ts';
import { openAiResponses } from '../dialects/openai-responses/index.ts';
import { type Health, healthText } from '../experts/expert.ts';
import type { Replica } from '../fleet/replica.ts';
import { replicaLabel } from '../fleet/replica-label.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { claudeName } from '../gateway/names.ts';
import { parsesOnLoop, readRequest } from '../gateway/read-request.ts';
import type { Routed } from '../gateway/router.ts';
import type { Caller } from '../gateway/tool-loops.ts';
import type { Hold, Limiter } from '../limits/limiter.ts';
import { metered } from '../limits/metered.ts';
import { type HashedKey, type Headed, mayAct, refuseModel } from './auth.ts';
import { readBody } from './body.ts';
import { ClientSink } from './client-sink.ts';
import { decisionBody, decisionHeaders } from './decision-wire.ts';
import { decided } from './decisions.ts';
import type { ClientRequest, ClientResponse } from './exchange.ts';
import { type FeedbackBody, readFeedback } from './feedback.ts';
import { HOPS_HEADER, nextHop } from './hops.ts';
import { amongAllowed, quotaHeaders, reserve } from './limiting.ts';
import { GREETING, OLLAMA_VERSION, running, shown, tags } from './ollama-pages.ts';
import { openApi } from './openapi.ts';
import { PASSED_PATHS, readPassed } from './read-passed.ts';
import type { Readiness } from './readiness.ts';
import type { Redaction } from './redaction.ts';
import type { OpenNote } from './request-note.ts';
import { rewriting } from './rewriting.ts';
import { sessionKey } from './session-key.ts';
import { decoded } from './spellings.ts';
import { sendJson } from './wire.ts';

export interface RouteContext {
  readonly gateway: Gateway;
  /** The Prometheus page and its content type. */
  metrics(): Promise<{ readonly contentType: string; readonly page: string }>;
  /** Of keys with limits; null where none has any. */
  readonly limiter: Limiter | null;
  readonly readiness: Readiness;
  /** Of what clients without the role `operate` must not read. */
  readonly redaction: Redaction;
  readonly maxBodyMb: number;
  /** Clients' headers that experts get besides the usual ones. */
  readonly forwarded: ReadonlySet<string>;
  /** Epoch seconds at which this router started. */
  readonly startedAt: number;
  /** Called once per answered request, for a log that holds no prompt. */
  onRouted(routed: Routed, note: OpenNote): void;
  /** Keeps feedback; null where no records are kept. */
  readonly feedback: ((feedback: FeedbackBody & { readonly key: string | null }) => void) | null;
  /** The dashboard; null where it is off. */
  readonly board: { answer(exchange: Exchange): Promise<void> } | null;
}

export interface Exchange {
  readonly request: ClientRequest;
  readonly response: ClientResponse;
  readonly traceId: string;
  /** The API key; null where none are configured, and on open paths. */
  readonly caller: HashedKey | null;
  /** Told when the request has ended. */
  readonly note: OpenNote;
  /** The model that the address names, which outranks the body's; absent for none. */
  readonly model?: string | undefined;
}

type Handler = (context: RouteContext, exchange: Exchange) => Promise<void>;

interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  /** What a key must be allowed to; null where none is needed even if keys are configured. */
  readonly role: Role | null;
  /** In which its errors are told; null for the default. */
  readonly dialect: Dialect | null;
  /** What it is for, in the OpenAPI description; null for pages that are for people. */
  readonly about: string | null;
  readonly handle: Handler;
}

/** What servers that store responses have besides. */
const STORED = [
  ['GET', '/v1/responses/{id}'],
  ['DELETE', '/v1/responses/{id}'],
  ['POST', '/v1/responses/{id}/cancel'],
  ['GET', '/v1/responses/{id}/input_items'],
] as const;

export const ROUTES: readonly Route[] = [
  ...DIALECTS.flatMap((dialect) =>
    dialect.paths.map(
      (path): Route => ({
        method: 'POST',
        path,
        role: 'ask',
        dialect,
        about: `Answered by the expert that suits it best, in the dialect ${dialect.id}`,
        handle: answer(dialect),
      }),
    ),
  ),
  {
    method: 'POST',
    path: '/v1/route',
    role: 'ask',
    dialect: null,
    about: 'The choice that would be made, and why',
    handle: dryRun,
  },
  ...['/v1/decisions', '/v1/systemone'].map(
    (path): Route => ({
      method: 'POST',
      path,
      role: 'ask',
      dialect: null,
      about: 'One choice among experts or clusters, answered by the router model alone',
      handle: async ({ gateway, maxBodyMb }, { request, response }) => {
        const bytes = await readSmall({ request, response }, maxBodyMb);
        sendJson(response, 200, await decided(gateway.router, bytes));
      },
    }),
  ),
  ...STORED.map(
    ([method, path]): Route => ({
      method,
      path,
      role: 'ask',
      dialect: openAiResponses,
      about: 'Not found: this router stores no responses',
      handle: storedResponse,
    }),
  ),
  {
    method: 'POST',
    path: '/v1/feedback',
    role: 'ask',
    dialect: null,
    about: 'Scores an earlier answer',
    handle: feedback,
  },
  {
    method: 'GET',
    path: '/v1/models',
    role: 'ask',
    dialect: null,
    about: 'The names that requests may use',
    handle: listModels,
  },
  {
    method: 'GET',
    path: '/v1/models/{id}',
    role: 'ask',
    dialect: null,
    about: 'One of them',
    handle: showModel,
  },
  ...Object.entries(PASSED_PATHS).map(
    ([path, about]): Route => ({
      method: 'POST',
      path,
      role: 'ask',
      dialect: null,
      about: `${about}: passed to the expert named`,
      handle: answerTo(readPassed),
    }),
  ),
  {
    method: 'GET',
    path: '/api/version',
    role: null,
    dialect: ollamaChat,
    about: "The version of Ollama's API that is spoken",
    handle: ollamaVersion,
  },
  {
    method: 'GET',
    path: '/api/tags',
    role: 'ask',
    dialect: ollamaChat,
    about: 'The names that requests may use, as Ollama lists them',
    handle: async ({ gateway, startedAt }, { response }) => sendJson(response, 200, tags(gateway, startedAt)),
  },
  {
    method: 'GET',
    path: '/api/ps',
    role: 'ask',
    dialect: ollamaChat,
    about: 'The experts that answer now, as Ollama lists them',
    handle: async ({ gateway, startedAt }, { response }) =>
      sendJson(response, 200, running(gateway, startedAt)),
  },
  {
    method: 'POST',
    path: '/api/show',
    role: 'ask',
    dialect: ollamaChat,
    about: 'One of the names, as Ollama describes it',
    handle: async ({ gateway, startedAt, maxBodyMb }, { request, response }) => {
      const bytes = await readSmall({ request, response }, maxBodyMb);
      sendJson(response, 200, shown(gateway, bytes, startedAt));
    },
  },
  {
    method: 'GET',
    path: '/v1/experts',
    role: 'observe',
    dialect: null,
    about: 'The experts, their load and health',
    handle: listExperts,
  },
  {
    method: 'GET',
    path: '/metrics',
    role: 'observe',
    dialect: null,
    about: 'Metrics for Prometheus',
    handle: metrics,
  },
  {
    method: 'GET',
    path: '/health',
    role: null,
    dialect: null,
    about: 'Whether the process serves',
    handle: health,
  },
  {
    method: 'GET',
    path: '/ready',
    role: null,
    dialect: null,
    about: 'Whether an expert can answer',
    handle: ready,
  },
  {
    method: 'GET',
    path: '/openapi.json',
    role: null,
    dialect: null,
    about: 'This description',
    handle: describe,
  },
  // The board checks access itself: a browser signs in with a cookie.
  { method: 'GET', path: '/', role: null, dialect: null, about: null, handle: welcome },
  { method: 'GET', path: '/ui', role: null, dialect: null, about: null, handle: dashboard },
  { method: 'GET', path: '/ui/', role: null, dialect: null, about: null, handle: dashboard },
  { method: 'GET', path: '/ui/{id}', role: null, dialect: null, about: null, handle: dashboard },
  { method: 'POST', path: '/ui/{id}', role: null, dialect: null, about: null, handle: dashboard },
];

/** Those whose path is fixed, by method and path. */
const FIXED = new Map(ROUTES.map((route) => [`${route.method} ${route.path}`, route]));

/** The methods that a path takes, with commas. @throws RouterError `not_found` */
export function methodsAt(path: string): string {
  const there = ROUTES.filter((route) => path === '*' || matches(route.path, path));
  if (there.length === 0) throw nothingAt('OPTIONS', path);
  const own = there.map(({ method }) => method);
  return [...new Set([...own, ...(own.includes('GET') ? ['HEAD'] : []), 'OPTIONS'])].join(', ');
}

/** @throws RouterError `not_found` or `method_not_allowed` */
export function findRoute(method: string, path: string): Route {
  const fixed = path.includes('{') ? undefined : FIXED.get(`${method} ${path}`);
  if (fixed) return fixed;
  const there = ROUTES.filter((route) => matches(route.path, path));
  const wanted = method === 'HEAD' ? 'GET' : method; // Node leaves the body of an answer to HEAD out
  const route = there.find((candidate) => candidate.method === wanted);
  if (route) return route;
  if (there.length > 0) {
    throw new RouterError(
      'method_not_allowed',
      `${excerpt(path)} takes ${there.map((candidate) => candidate.method).join(', ')}, not ${excerpt(method)}.`,
    );
  }
  throw nothingAt(method, path);
}

function nothingAt(method: string, path: string): RouterError {
  return new RouterError(
    'not_found',
    `There is nothing at ${excerpt(method)} ${excerpt(path)}. Here are: ${DIALECTS.map((one) => one.paths[0]).join(', ')}; GET /openapi.json lists all.`,
  );
}

function matches(route: string, path: string): boolean {
  const [before, after] = route.split('{id}') as [string, string?];
  if (after === undefined) return path === route;
  return path.length > before.length + after.length && path.startsWith(before) && path.endsWith(after);
}

/** Answers a request of this dialect. */
export function answer(dialect: Dialect): Handler {
  return answerTo(async (exchange, limitMb) => readRequest(dialect, await readBody(exchange, limitMb)));
}

function answerTo(read: (exchange: Exchange, limitMb: number) => Promise<Ask>): Handler {
  return async ({ gateway, limiter, redaction, forwarded, maxBodyMb, onRouted }, exchange) => {
    const { request, response, traceId, caller, note, model } = exchange;
    const ask = await read(exchange, maxBodyMb);
    if (model !== undefined) Object.assign(ask, { model });
    note.read(ask);
    refuseModel(ask, caller);
    const by = callerOf(request, caller, ask);
    const routing = gateway.route(
      ask,
      forcedExpert(request),
      priorityOf(request, caller),
      whyLocal(request, caller),
      by,
    );
    const free = routing instanceof Promise ? await routing : routing;
    const routed = caller === null ? free : amongAllowed(free, caller, limiter);
    const reserving = reserve(limiter, caller, { ask, routed });
    const hold = reserving && (await reserving);
    setAll(response, decisionHeaders(routed));
    if (hold) setAll(response, quotaHeaders(hold, ask.dialect.id, Date.now()));
    note.routed(routed, gateway.expectedWait(routed));
    onRouted(routed, note);
    const sink = new ClientSink(response, ask.dialect, redaction, note);
    const headers = {
      ...requestHeadersForExpert(request.headers, forwarded),
      [HOPS_HEADER]: nextHop(request),
    };
    const { rewritten } = ask.dialect;
    const written = rewritten ? rewriting(sink, rewritten) : sink;
    const heard = hold ? metered(written, hold, piecesOf(ask)) : written;
    if (hold) endWith(response, hold);
    sink.drive(gateway.answer({ ask, headers, traceId, ...by, journey: note }, routed, heard));
  };
}

/** However the request ends. */
function endWith(response: ClientResponse, hold: Hold): void {
  if (response.destroyed) hold.abandoned();
  else response.once('close', () => hold.abandoned());
}

/** Line breaks that end a piece of its answer; 0 where it is no stream. */
function piecesOf({ stream, dialect: { streaming } }: Ask): 0 | 1 | 2 {
  if (!stream || !streaming) return 0;
  return streaming.separator === '\n\n' ? 2 : 1;
}

/** Tells the decision alone. */
export async function dryRun(
  { gateway, maxBodyMb }: RouteContext,
  { request, response, traceId, caller }: Exchange,
): Promise<void> {
  const ask = await readRequest(toldDialect(request), await readBody({ request, response }, maxBodyMb));
  const routed = await gateway.route(
    ask,
    forcedExpert(request),
    priorityOf(request, caller),
    whyLocal(request, caller),
    callerOf(request, caller, ask),
  );
  setAll(response, decisionHeaders(routed));
  sendJson(response, 200, decisionBody(gateway.router, routed, traceId));
}

function setAll(response: ClientResponse, headers: Readonly<Record<string, string>>): void {
  for (const name in headers) response.setHeader(name, headers[name]!);
}

export async function feedback(
  { feedback: keep, maxBodyMb }: RouteContext,
  { request, response, caller }: Exchange,
): Promise<void> {
  const { bytes } = await readBody({ request, response }, maxBodyMb);
  if (!keep)
    throw new RouterError(
      'not_found',
      'This router keeps no records, so that feedback would be lost; records: {dir: …} in its config keeps them.',
    );
  keep({ ...readFeedback(bytes), key: caller?.name ?? null });
  sendJson(response, 202, { object: 'feedback', accepted: true });
}

async function listModels(context: RouteContext, { request, response }: Exchange): Promise<void> {
  sendJson(response, 200, modelList(context, request));
}

/** What clients may name as a model, in the shape of the API that they speak. */
export function modelList(
  { gateway, startedAt }: RouteContext,
  { headers }: Headed,
): Record<string, unknown> {
  const { listed } = gateway.router.names;
  if (headers['anthropic-version'] !== undefined) {
    const data = listed.map((id) => anthropicModel(claudeName(id), startedAt));
    return { data, has_more: false, first_id: data[0]?.id, last_id: data.at(-1)?.id };
  }
  return { object: 'list', data: listed.map((id) => modelBody(id, startedAt)) };
}

async function showModel(
  { gateway, startedAt }: RouteContext,
  { request, response }: Exchange,
): Promise<void> {
  const id = decoded(request.url!.split('?', 1)[0]!.slice('/v1/models/'.length));
  const { names } = gateway.router;
  if (names.meaning(id) === null)
    throw new RouterError(
      'model_not_found',
      `There is no model '${excerpt(id)}'. Known: ${names.listed.join(', ')}.`,
      { param: 'model' },
    );
  const anthropic = request.headers['anthropic-version'] !== undefined;
  sendJson(response, 200, (anthropic ? anthropicModel : modelBody)(id, startedAt));
}

async function storedResponse(_context: RouteContext, { request }: Exchange): Promise<void> {
  const id = request.url!.split('?', 1)[0]!.slice('/v1/responses/'.length).split('/', 1)[0]!;
  throw new RouterError(
    'not_found',
    `There is no response '${excerpt(id)}': this router stores none. Send the whole conversation with each request.`,
    { param: 'response_id' },
  );
}

/** As Anthropic's API lists it. */
function anthropicModel(
  id: string,
  created: number,
): { readonly id: string; readonly [field: string]: unknown } {
  return { type: 'model', id, display_name: id, created_at: new Date(created * 1000).toISOString() };
}

function modelBody(id: string, created: number): Record<string, unknown> {
  return { id, object: 'model', created, owned_by: 'expert-router' };
}

/** Every expert with its load and replicas, as the policies see them; where they are, for operators alone. */
export async function listExperts(
  { gateway, redaction }: RouteContext,
  { response, caller }: Exchange,
): Promise<void> {
  const hidden = mayAct('operate', caller) ? null : redaction;
  const data = [...gateway.fleet.groups.values()].map((group) => {
    const load = group.load();
    return {
      id: group.id,
      object: 'expert',
      available: load.available,
      in_flight: group.inFlight,
      queued: load.queued,
      context: group.context,
      outstanding_tokens: load.outstandingTokens,
      tokens_per_second: round1(load.tokensPerSecond),
      replicas: group.replicas.map((replica) => ({
        name: hidden ? replicaLabel(group, replica) : replica.name,
        kind: replica.expert.kind,
        health: healthBody(replica.health, hidden),
        breaker: replica.breaker,
        in_flight: replica.inFlight,
        limit: Number.isFinite(replica.limit) ? replica.limit : null,
        weight: replica.weight,
        tokens_per_second: round1(replica.tokensPerSecond),
        engine: replica.engine && { name: replica.engine.engine, version: replica.engine.version },
        reported: reportBody(replica, group.others(replica), hidden),
      })),
    };
  });
  sendJson(response, 200, { object: 'list', data });
}

/** `detail` is for people; a failure stays beside it as a value, or as its kind where it may not be read whole. */
function healthBody(health: Health, redaction: Redaction | null): Record<string, unknown> {
  const text = healthText(health);
  const detail = redaction?.words(text) ?? text;
  const failure =
    health.state === 'down' ? { failure: redaction ? { kind: health.failure.kind } : health.failure } : {};
  return { state: health.state, ...(detail === '' ? {} : { detail }), ...failure };
}

/** What the engine says of its load, how old that is, and what is made of it. */
function reportBody(replica: Replica, others: number, redaction: Redaction | null): Record<string, unknown> {
  const { seen, problem } = replica.report;
  return {
    state: replica.reportState,
    running: seen?.load.running ?? null,
    waiting: seen?.load.waiting ?? null,
    kv_cache_use: seen?.load.kvCacheUse ?? null,
    age_seconds: replica.reportAge === null ? null : round1(replica.reportAge / 1000),
    others: round1(others),
    full: replica.full,
    problem: problem && redaction ? redaction.words(problem) : problem,
  };
}

function round1(value: number): number {
  return Math.round(value * 10) / 10;
}

async function metrics(context: RouteContext, { response }: Exchange): Promise<void> {
  const { contentType, page } = await context.metrics();
  response.writeHead(200, { 'content-type': contentType }).end(page);
}

async function describe(_context: RouteContext, { response }: Exchange): Promise<void> {
  sendJson(response, 200, openApi(ROUTES));
}

async function health(_context: RouteContext, { response }: Exchange): Promise<void> {
  sendJson(response, 200, { status: 'ok' });
}

async function ready({ readiness }: RouteContext, { response }: Exchange): Promise<void> {
  const isReady = await readiness.check();
  sendJson(response, isReady ? 200 : 503, { ready: isReady });
}

/** The dialect of a dry run's body, where a header tells it; else the body's fields do. */
function toldDialect(request: ClientRequest): Dialect | null {
  const id = request.headers['x-expert-router-dialect'];
  return id === undefined ? null : dialectTold(String(id));
}

/** Whose a request is, and of which conversation. */
export function callerOf({ headers }: Headed, caller: HashedKey | null, { session }: Ask): Caller {
  const tenant = caller?.name ?? '';
  return { tenant, session: sessionKey(headers, tenant, session) };
}

/** A body that this thread may parse. @throws RouterError as `readBody` does */
async function readSmall(exchange: Pick<Exchange, 'request' | 'response'>, limitMb: number): Promise<Buffer> {
  const body = await readBody(exchange, limitMb);
  if (parsesOnLoop(body)) return body.bytes;
  throw new RouterError(
    'body_too_large',
    `A body for this path may have ${LIMITS.loopBytes} bytes; send less.`,
  );
}

async function ollamaVersion(_context: RouteContext, { response }: Exchange): Promise<void> {
  sendJson(response, 200, { version: OLLAMA_VERSION });
}

/** A browser is led to the dashboard; Ollama's clients look here whether anybody is there. */
async function welcome(context: RouteContext, exchange: Exchange): Promise<void> {
  if (/text\/html/i.test(String(exchange.request.headers.accept))) return dashboard(context, exchange);
  exchange.response
    .writeHead(200, { 'content-type': 'text/plain; charset=utf-8', 'content-length': GREETING.length })
    .end(GREETING);
}

async function dashboard({ board }: RouteContext, exchange: Exchange): Promise<void> {
  if (board) return board.answer(exchange);
  throw new RouterError('not_found', 'There is no dashboard here: the config says dashboard: false.');
}

/** The expert that a header demands. */
export function forcedExpert(request: Headed): string | undefined {
  const value = request.headers['x-expert-router-expert'];
  return typeof value === 'string' && value !== '' && value !== AUTO ? value : undefined;
}

/** Why a request may go to local experts only; null where neither key nor header says so. In doubt it says so. */
export function whyLocal(request: Headed, caller: HashedKey | null): string | null {
  if (caller?.local_only) return 'its API key';
  const value = request.headers['x-expert-router-local-only'];
  return value === undefined || value === 'false' ? null : 'its header x-expert-router-local-only';
}

/** What the key grants (0 without keys), or less where the header `x-expert-router-priority` asks for less. */
export function priorityOf(request: Headed, caller: HashedKey | null): number {
  const granted = caller?.priority ?? 0;
  const asked = Number(request.headers['x-expert-router-priority'] ?? granted);
  return Number.isInteger(asked) ? Math.max(-10, Math.min(asked, granted)) : granted;
}

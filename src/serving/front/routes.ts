/** What each path does: a table of method and path to a handler that says in a few lines what happens. */

import { LIMITS } from '../../core/bounds.ts';
import { RouterError } from '../../core/errors.ts';
import { excerpt } from '../../core/excerpt.ts';
import type { Role } from '../../core/roles.ts';
import type { Dialect } from '../dialects/dialect.ts';
import { DIALECTS } from '../dialects/index.ts';
import { ollamaChat } from '../dialects/ollama/index.ts';
import { openAiResponses } from '../dialects/openai-responses/index.ts';
import { parsesOnLoop } from '../gateway/read-request.ts';
import { answer, answerTo, dryRun } from './answering.ts';
import { readBody } from './body.ts';
import { decided } from './decisions.ts';
import { listExperts } from './expert-pages.ts';
import { readFeedback } from './feedback.ts';
import type { Exchange, Handler, RouteContext } from './handler.ts';
import { listModels, showModel } from './model-pages.ts';
import { GREETING, OLLAMA_VERSION, running, shown, tags } from './ollama-pages.ts';
import { openApi } from './openapi.ts';
import { applyShadow, expertOf, operateExpert, reload, retrain, retraining } from './operations.ts';
import { PASSED_PATHS, readPassed } from './read-passed.ts';
import { sendJson } from './wire.ts';

interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  /** What a key must be allowed to; null where none is needed even if keys are configured. */
  readonly role: Role | null;
  /** In which its errors are told; null for the default. */
  readonly dialect: Dialect | null;
  /** Served at once, however many requests wait; those of the role `operate` always are: they may relieve the pressure. */
  readonly urgent?: true;
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
      handle: async ({ gateway, limiter, maxBodyMb }, { request, response, caller }) => {
        const bytes = await readSmall({ request, response }, maxBodyMb);
        sendJson(response, 200, await decided(gateway.router, bytes, { caller, limiter }));
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
  ...(['drain', 'resume'] as const).map(
    (verb): Route => ({
      method: 'POST',
      path: `/v1/experts/{id}/${verb}`,
      role: 'operate',
      dialect: null,
      about:
        verb === 'drain'
          ? 'Gives an expert, or the replica named in the body, nothing new'
          : 'Gives a drained expert or replica requests again',
      handle: (context, exchange) =>
        operateExpert(verb, context, exchange, expertOf(exchange.request.url!, verb)),
    }),
  ),
  {
    method: 'POST',
    path: '/v1/reload',
    role: 'operate',
    dialect: null,
    about: 'Takes up the config file and the router model as they are now',
    handle: reload,
  },
  {
    method: 'POST',
    path: '/v1/retraining',
    role: 'operate',
    dialect: null,
    about: 'Trains a router model anew on the prompts of the records; it becomes the shadow model',
    handle: retrain,
  },
  {
    method: 'GET',
    path: '/v1/retraining',
    role: 'observe',
    dialect: null,
    about: 'How the last retraining went, or goes, and what it would need',
    handle: retraining,
  },
  {
    method: 'POST',
    path: '/v1/shadow/apply',
    role: 'operate',
    dialect: null,
    about: 'Puts the shadow router model into force',
    handle: applyShadow,
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
  ...['login', 'drain/{id}', 'resume/{id}', 'reload', 'retraining', 'shadow'].map(
    (action): Route => ({
      method: 'POST',
      path: `/ui/api/${action}`,
      role: null,
      dialect: null,
      urgent: true,
      about: null,
      handle: dashboard,
    }),
  ),
  { method: 'POST', path: '/ui/{id}', role: null, dialect: null, about: null, handle: dashboard },
];

/** Those whose path is fixed, by method and path. */
const FIXED = new Map(ROUTES.map((route) => [`${route.method} ${route.path}`, route]));

const URGENT = ROUTES.filter(({ role, urgent }) => role === 'operate' || urgent);

/** Whether a request has to wait behind others. @param target as it came */
export function hasToWait(method: string | undefined, target = ''): boolean {
  const path = target.split('?', 1)[0]!;
  if (method !== 'POST') return false;
  const fixed = FIXED.get(`POST ${path}`);
  return fixed ? !URGENT.includes(fixed) : !URGENT.some((route) => matches(route.path, path));
}

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

export async function feedback(
  { feedback: keep, maxBodyMb }: RouteContext,
  { request, response, caller }: Exchange,
): Promise<void> {
  const bytes = await readSmall({ request, response }, maxBodyMb);
  if (!keep)
    throw new RouterError(
      'not_found',
      'This router keeps no records, so that feedback would be lost; records: {dir: …} in its config keeps them.',
    );
  keep({ ...readFeedback(bytes), key: caller?.name ?? null });
  sendJson(response, 202, { object: 'feedback', accepted: true });
}

async function storedResponse(_context: RouteContext, { request }: Exchange): Promise<void> {
  const id = request.url!.split('?', 1)[0]!.slice('/v1/responses/'.length).split('/', 1)[0]!;
  throw new RouterError(
    'not_found',
    `There is no response '${excerpt(id)}': this router stores none. Send the whole conversation with each request.`,
    { param: 'response_id' },
  );
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

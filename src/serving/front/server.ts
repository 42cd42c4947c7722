/** The HTTP server: authentication, dispatch to the route table, errors to the wire, and an orderly end. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { RouterError } from '../../core/errors.ts';
import { Roster } from '../../core/roster.ts';
import { anthropicMessages } from '../dialects/anthropic-messages/index.ts';
import type { Dialect } from '../dialects/dialect.ts';
import { DEFAULT_DIALECT } from '../dialects/index.ts';
import { authenticate, type HashedKey, refuseWithout } from './auth.ts';
import type { ConnectionLimits } from './connections.ts';
import { answerExpectations } from './continue.ts';
import { admitPage, answerOptions } from './cors.ts';
import { Entry } from './entry.ts';
import type { ClientRequest, ClientResponse } from './exchange.ts';
import { type Permitted, refuseForeignPage } from './foreign-page.ts';
import type { RouteContext } from './handler.ts';
import { type Arrival, Intake } from './intake.ts';
import { createListener, type Identity } from './listener.ts';
import { answerMalformed } from './malformed.ts';
import { isAnthropics } from './model-pages.ts';
import { closeWithConnection, whenItsTurn } from './pipeline.ts';
import { cutOff } from './promised-body.ts';
import { OpenNote, type Prices, type RequestNote, type Spans } from './request-note.ts';
import { findRoute, hasToWait, methodsAt } from './routes.ts';
import { usualPath } from './spellings.ts';
import { readTarget } from './target.ts';
import { traceIdOf } from './trace-id.ts';
import { sendError } from './wire.ts';

export interface ServerOptions {
  /** Asked once a request, so that a reload takes effect with the next one and leaves running answers alone. */
  current(): {
    readonly keys: readonly HashedKey[];
    /** Where web pages may come from while there are no keys; with keys, no page gets in without one. */
    readonly permitted: Permitted;
    /** Null to serve plain HTTP; whether it is null must not change. */
    readonly identity: Identity | null;
    /** Of this process. */
    readonly connections: ConnectionLimits;
    readonly context: RouteContext;
    readonly prices: Prices;
  };
  log(line: string): void;
  /** The spans of a request that is to be traced; null where it is not. */
  spans(traceparent: string | undefined, traceId: string): Spans | null;
  /** Called once a request, when its response is closed. */
  ended(note: RequestNote): void;
  readonly clock: {
    /** Milliseconds since 1970. */
    epoch(): number;
    /** Milliseconds that never run backwards. */
    monotonic(): number;
  };
}

export interface GatewayServer {
  /** @returns `http://host:port` as actually bound, or `https://…`; rejects with the system's error when it cannot be */
  listen(host: string, port: number): Promise<string>;
  /** Answers a request that another server of this process received. */
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** Serves a connection that another process accepted. */
  accept(socket: Socket): void;
  /**
   * Begins nothing new, lets running answers finish for at most `graceMs`, then cuts what is left. Called once.
   * @param leave awaited in between: until it resolves, connections may still come by `accept`, and are told
   */
  close(graceMs: number, leave?: () => Promise<void>): Promise<void>;
}

export function gatewayServer(options: ServerOptions): GatewayServer {
  const answers = new OpenAnswers();
  const serving = { options, answers };
  const intake = new Intake<Received>(
    {
      serve: (received) => void respond(serving, received),
      refuse: (received, retryAfter) => void respond(serving, received, overloaded(retryAfter)),
    },
    options.clock.monotonic,
  );
  const answer = (request: ClientRequest, response: ClientResponse, socket: Socket): void => {
    if (entry.isRefused(socket)) {
      refuse(request, response);
      return;
    }
    const received = new Received(options, request, response);
    if (hasToWait(request.method, request.url)) intake.came(received);
    else void respond(serving, received);
  };
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    closeWithConnection(response, request.socket);
    answers.add(response);
    whenItsTurn(response, () => answer(request, response, request.socket));
  };
  const { identity } = options.current();
  const node = createListener(() => options.current().identity, handle);
  const limits = () => options.current().connections;
  const answerPlain = (request: ClientRequest, response: ClientResponse, socket: Socket): void => {
    answers.add(response);
    answer(request, response, socket);
  };
  const accepted = () => intake.knock();
  const entry = new Entry({ node, plain: identity === null, handle: answerPlain, limits, accepted });
  answerMalformed(node);
  answerExpectations(node);
  return {
    listen: (host, port) => entry.listen(host, port),
    handle,
    accept: (socket) => entry.accept(socket),
    close: (graceMs, leave = async () => {}) =>
      close({ entry, answers, context: () => options.current().context }, graceMs, leave),
  };
}

/** The answers under way, and whether new ones are still begun. */
class OpenAnswers {
  readonly #open = new Roster<ClientResponse>();
  readonly #ends = new WeakMap<ClientResponse, () => void>();
  #noneLeft: (() => void) | null = null;

  get draining(): boolean {
    return this.#noneLeft !== null;
  }

  add(response: ClientResponse): void {
    const seat = this.#open.join(response);
    response.once('close', () => {
      this.#open.leave(seat);
      if (this.#open.size === 0) this.#noneLeft?.();
    });
  }

  get none(): boolean {
    return this.#open.size === 0;
  }

  /** From now on nothing new is begun. Resolves when the last answer has ended. */
  drained(): Promise<void> {
    return new Promise((resolve) => {
      this.#noneLeft = resolve;
      if (this.#open.size === 0) resolve();
    });
  }

  /** What ends the answer when `cut` is called. */
  atCut(response: ClientResponse, end: () => void): void {
    this.#ends.set(response, end);
  }

  /** Ends what is left, so that nobody takes a part for the whole. */
  cut(): void {
    for (const response of this.#open.members()) {
      const end = this.#ends.get(response);
      if (end) end();
      else if (response.headersSent) cutOff(response);
    }
  }
}

interface Serving {
  readonly options: ServerOptions;
  readonly answers: OpenAnswers;
}

/** A request with its head read, and the note that begins with it. */
class Received implements Arrival {
  readonly request: ClientRequest;
  readonly response: ClientResponse;
  readonly traceId: string;
  readonly note: OpenNote;

  constructor(options: ServerOptions, request: ClientRequest, response: ClientResponse) {
    this.request = request;
    this.response = response;
    const { clock, ended } = options;
    const traceparent = request.headers.traceparent as string | undefined;
    const traceId = traceIdOf(traceparent);
    this.traceId = traceId;
    const note = new OpenNote({
      at: clock.epoch(),
      traceId,
      method: request.method ?? 'GET',
      now: clock.monotonic,
      spans: options.spans(traceparent, traceId),
      prices: options.current().prices,
    });
    this.note = note;
    response.once('close', () => ended(note.ended(response)));
  }

  get bytes(): number {
    return this.request.whole?.length ?? 0;
  }

  get gone(): boolean {
    return this.response.destroyed;
  }
}

/** @param refusal what it is told instead of being served */
async function respond(
  { options, answers }: Serving,
  { request, response, traceId, note }: Received,
  refusal: RouterError | null = null,
): Promise<void> {
  const method = request.method ?? 'GET';
  response.setHeader('x-expert-router-trace-id', traceId);
  response.setHeader('x-request-id', traceId); // unless the expert has one
  if (answers.draining) response.setHeader('connection', 'close');
  let dialect: Dialect = isAnthropics(request) ? anthropicMessages : DEFAULT_DIALECT;
  try {
    const { keys, permitted, context } = options.current();
    const target = readTarget(request.url ?? '/', request.rawHeaders);
    const { path, model } = usualPath(target.path);
    request.url = path; // handlers meet one form of target only
    if (keys.length === 0) {
      const { origin, 'sec-fetch-site': fetchSite } = request.headers;
      refuseForeignPage(
        { authority: target.authority, origin, fetchSite: fetchSite as string | undefined },
        permitted,
      );
    }
    const admitted = admitPage(request, response, permitted.origins);
    if (method === 'OPTIONS') {
      request.resume();
      answerOptions(request, response, methodsAt(withoutQuery(path)), admitted);
      return;
    }
    const route = findRoute(method, withoutQuery(path));
    dialect = route.dialect ?? dialect;
    setRequestId(response, dialect, traceId);
    note.path = route.path;
    if (refusal) throw refusal;
    const caller = route.role === null ? null : authenticate(request, keys);
    note.key = caller?.name ?? null;
    if (route.role !== null) refuseWithout(route.role, caller);
    if (answers.draining && route.role !== null) {
      throw shuttingDown();
    }
    const onEnd = (end: (why: RouterError) => void): void =>
      answers.atCut(response, () => end(shuttingDown()));
    await route.handle(context, { request, response, traceId, caller, note, model, onEnd });
  } catch (error) {
    note.failed(error);
    if (error instanceof RouterError && error.code === 'method_not_allowed')
      response.setHeader('allow', methodsAt(withoutQuery(request.url!)));
    // A body refused unread is still drained: closing on a client that is sending would reset the connection
    // before it has read why.
    request.resume();
    if (!request.destroyed || request.complete)
      sendError(response, error, dialect, (line) => options.log(`${traceId} ${line}`));
  }
}

/** An expert's own outranks it. */
function setRequestId(response: ClientResponse, { requestIdHeader }: Dialect, traceId: string): void {
  if (requestIdHeader) response.setHeader(requestIdHeader, `req_${traceId}`);
}

function withoutQuery(path: string): string {
  const at = path.indexOf('?');
  return at < 0 ? path : path.slice(0, at);
}

function shuttingDown(): RouterError {
  const message = 'This router is shutting down; ask another, or again in a moment.';
  return new RouterError('shutting_down', message, { retryAfter: 1 });
}

/** By the seconds until another try: made once, because thousands a second may be refused. */
const OVERLOADED = new Map<number, RouterError>();

function overloaded(retryAfter: number): RouterError {
  const known = OVERLOADED.get(retryAfter);
  if (known) return known;
  const message = 'Requests come faster than this router can serve them; try again later.';
  const error = new RouterError('overloaded', message, { retryAfter });
  OVERLOADED.set(retryAfter, error);
  return error;
}

/** There are too many connections already. */
function refuse(request: ClientRequest, response: ClientResponse): void {
  request.resume();
  response.setHeader('connection', 'close');
  const message = 'There are too many connections; close some, or come again in a moment.';
  sendError(response, new RouterError('too_many_connections', message, { retryAfter: 1 }));
}

interface Closing {
  readonly entry: Entry;
  readonly answers: OpenAnswers;
  context(): RouteContext;
}

/** Not ready, nothing new, until the last answer has ended or the time is up; then the sockets are closed. */
async function close(
  { entry, answers, context }: Closing,
  graceMs: number,
  leave: () => Promise<void>,
): Promise<void> {
  context().readiness.drain();
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, graceMs);
  });
  await Promise.race([answers.drained(), deadline]);
  clearTimeout(timer);
  answers.cut();
  await leave();
  await entry.close(() => answers.none);
  await context().gateway.fleet.close();
}

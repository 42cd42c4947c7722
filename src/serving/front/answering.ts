/** Requests that experts answer, and the dry run, which ends at the choice. */
import { requestHeadersForExpert } from '../../core/headers.ts';
import type { Ask } from '../dialects/ask.ts';
import type { Dialect } from '../dialects/dialect.ts';
import { dialectTold } from '../dialects/index.ts';
import { readRequest } from '../gateway/read-request.ts';
import type { Hold } from '../limits/limiter.ts';
import { metered } from '../limits/metered.ts';
import { callerOf, routeAsked } from './asking.ts';
import { refuseModel } from './auth.ts';
import { readBody } from './body.ts';
import { ClientSink } from './client-sink.ts';
import { decisionBody, decisionHeaders } from './decision-wire.ts';
import type { ClientRequest, ClientResponse } from './exchange.ts';
import type { Exchange, Handler, RouteContext } from './handler.ts';
import { HOPS_HEADER, nextHop } from './hops.ts';
import { amongAllowed, piecesOf, quotaHeaders, reserve } from './limiting.ts';
import { renaming } from './model-name.ts';
import { sendJson } from './wire.ts';

/** Answers a request of this dialect. */
export function answer(dialect: Dialect): Handler {
  return answerTo((exchange, limitMb) => {
    const body = readBody(exchange, limitMb);
    return body instanceof Promise
      ? body.then((whole) => readRequest(dialect, whole))
      : readRequest(dialect, body);
  });
}

export function answerTo(read: (exchange: Exchange, limitMb: number) => Ask | Promise<Ask>): Handler {
  return async ({ gateway, limiter, redaction, forwarded, maxBodyMb, namesAsAsked, onRouted }, exchange) => {
    const { request, response, traceId, caller, note, model } = exchange;
    // Most bodies are there whole, and every promise is a turn of its own.
    const reading = read(exchange, maxBodyMb);
    const ask = reading instanceof Promise ? await reading : reading;
    if (model !== undefined) Object.assign(ask, { model });
    note.read(ask);
    refuseModel(ask, caller);
    const by = callerOf(request, caller, ask);
    const routing = routeAsked(gateway, ask, request, caller, by);
    const free = routing instanceof Promise ? await routing : routing;
    const routed = caller === null ? free : amongAllowed(free, caller, limiter);
    const reserving = reserve(limiter, caller, { ask, routed });
    const hold = reserving && (await reserving);
    setAll(response, decisionHeaders(routed));
    hold?.costs(() => note.gpuUsd);
    if (hold) setAll(response, quotaHeaders(hold, ask.dialect.id, Date.now()));
    note.routed(routed, gateway.expectedWait(routed));
    onRouted(routed, note);
    const sink = new ClientSink(response, ask.dialect, redaction, note);
    exchange.onEnd((why) => sink.fail(why, null));
    const headers = requestHeadersForExpert(request.headers, forwarded);
    headers[HOPS_HEADER] = nextHop(request);
    const named = namesAsAsked && ask.model !== '' ? renaming(sink, ask.model) : sink;
    const heard = hold ? metered(named, hold, piecesOf(ask)) : named;
    if (hold) endWith(response, hold);
    sink.drive(gateway.answer({ ask, headers, traceId, ...by, journey: note }, routed, heard));
  };
}

/** However the request ends. */
function endWith(response: ClientResponse, hold: Hold): void {
  if (response.destroyed) hold.abandoned();
  else response.once('close', () => hold.abandoned());
}

/** Tells the decision alone. */
export async function dryRun(
  { gateway, limiter, maxBodyMb }: RouteContext,
  { request, response, traceId, caller }: Exchange,
): Promise<void> {
  const ask = await readRequest(toldDialect(request), await readBody({ request, response }, maxBodyMb));
  refuseModel(ask, caller);
  const free = await routeAsked(gateway, ask, request, caller, callerOf(request, caller, ask));
  const routed = amongAllowed(free, caller, limiter);
  setAll(response, decisionHeaders(routed));
  sendJson(response, 200, decisionBody(gateway.router, routed, traceId));
}

function setAll(response: ClientResponse, headers: Readonly<Record<string, string>>): void {
  for (const name in headers) response.setHeader(name, headers[name]!);
}

/** The dialect of a dry run's body, where a header tells it; else the body's fields do. */
function toldDialect(request: ClientRequest): Dialect | null {
  const id = request.headers['x-expert-router-dialect'];
  return id === undefined ? null : dialectTold(String(id));
}

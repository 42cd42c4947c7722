/** The HTTP server: authentication, dispatch to the route table, errors to the wire, and an orderly end. */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { authenticate, type HashedKey } from './auth.ts';
import { findRoute, type RouteContext } from './routes.ts';
import { sendError } from './wire.ts';

export interface ServerOptions {
  readonly host: string;
  readonly port: number;
  readonly keys: readonly HashedKey[];
  readonly context: RouteContext;
  log(line: string): void;
}

export interface RunningServer {
  /** `http://host:port` as actually bound. */
  readonly url: string;
  /** Stops accepting, lets running answers finish for `graceMs`, then cuts what is left. */
  close(graceMs: number): Promise<void>;
}

/** Longer than the 60 s idle limit of common load balancers, so that they never reuse a socket we just closed. */
const KEEP_ALIVE_MS = 75_000;

export async function listen(options: ServerOptions): Promise<RunningServer> {
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    void respond(options, request, response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  const { address, family, port } = server.address() as AddressInfo;
  const host = family === 'IPv6' ? `[${address}]` : address;
  return { url: `http://${host}:${port}`, close: (graceMs) => close(server, options.context, graceMs) };
}

async function respond(
  options: ServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const traceId = traceIdOf(request);
  response.setHeader('x-expert-router-trace-id', traceId);
  try {
    const path = (request.url ?? '/').split('?', 1)[0]!;
    const route = findRoute(request.method ?? 'GET', path);
    const caller = route.open ? null : authenticate(request, options.keys);
    await route.handle(options.context, { request, response, traceId, caller });
  } catch (error) {
    // A body refused unread is still drained: closing on a client that is sending would reset the connection
    // before it has read why.
    request.resume();
    if (!request.destroyed || request.complete)
      sendError(response, error, (line) => options.log(`${traceId} ${line}`));
  }
}

/** The caller's W3C trace id where it sends one, else a fresh one: 32 hex digits. */
function traceIdOf(request: IncomingMessage): string {
  const given = /^[0-9a-f]{2}-([0-9a-f]{32})-/.exec(String(request.headers.traceparent ?? ''))?.[1];
  return given ?? randomUUID().replaceAll('-', '');
}

async function close(server: Server, context: RouteContext, graceMs: number): Promise<void> {
  context.readiness.drain();
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const deadline = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearTimeout(deadline);
  await context.gateway.fleet.close();
}

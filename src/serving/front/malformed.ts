/** What is not an HTTP request gets an error as its answer too, where an answer can still be written. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { RouterError } from '../../core/errors.ts';
import { DEFAULT_DIALECT } from '../dialects/index.ts';

const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
};

/** For the client to read why. */
const LINGER_MS = 2_000;

interface Awaiting {
  /** Answers that a connection still awaits: a client may send several requests at once, and none may be cut into. */
  count: number;
  /** Of them, the one to the latest request. */
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** What came behind the requests is none, in the parser's word; null while all is well. */
  broken: string | null;
}

export function answerMalformed(server: Server): void {
  const awaiting = new WeakMap<Socket, Awaiting>();
  server.on('request', (request, response) => {
    const { socket } = request;
    const count = (awaiting.get(socket)?.count ?? 0) + 1;
    awaiting.set(socket, { count, request, response, broken: null });
    response.once('close', () => {
      const now = awaiting.get(socket);
      if (!now) return;
      now.count -= 1;
      if (now.broken !== null) endBroken(socket, now, now.broken);
    });
  });
  server.on('clientError', (error: NodeJS.ErrnoException, stream) => {
    const socket = stream as Socket;
    const now = awaiting.get(socket);
    // Below TLS there is nobody who could read an answer.
    if (!socket.writable || error.code?.startsWith('ERR_SSL')) socket.destroy();
    else if (!now || now.count === 0) refuse(socket, error.code);
    else if (now.broken === null) {
      now.broken = error.code ?? '';
      endBroken(socket, now, now.broken);
    }
  });
}

/**
 * Ends a connection on which something else than a request came while answers were due: they are given first, as a body that
 * is longer than its announced length still deserves one. Nobody may take the error for an answer, or for a part of one.
 */
function endBroken(socket: Socket, { count, request, response }: Awaiting, code: string): void {
  if (count === 0) socket.destroySoon();
  else if (request.complete) {
    if (!response.headersSent) response.shouldKeepAlive = false;
  } else if (count === 1 && !response.headersSent) refuse(socket, code);
  else if (count === 1) socket.destroy();
}

/** Ends a connection whose request did not come to its end in time. */
export function tooLate(socket: Socket): void {
  refuse(socket, 'ERR_HTTP_REQUEST_TIMEOUT');
}

function refuse(socket: Socket, code: string | undefined): void {
  const [status, answer] = judged(code);
  const { headers, body } = DEFAULT_DIALECT.error(answer);
  const fields = Object.entries({ connection: 'close', ...headers });
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  socket.end(Buffer.concat([Buffer.from(`HTTP/1.1 ${status} ${REASONS[status]}\r\n${lines}\r\n`), body]));
  // A client that neither reads nor closes keeps its descriptor no longer than this.
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
}

function judged(code: string | undefined): [status: number, RouterError] {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return [431, new RouterError('invalid_request', 'The headers are longer than 16 KB; send fewer.')];
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return [408, new RouterError('invalid_request', 'The request did not come to its end in time.')];
    default:
      return [400, new RouterError('invalid_request', `This is not an HTTP/1.1 request (${code}).`)];
  }
}

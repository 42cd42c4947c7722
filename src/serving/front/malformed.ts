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
}

export function answerMalformed(server: Server): void {
  const awaiting = new WeakMap<Socket, Awaiting>();
  server.on('request', (request, response) => {
    const { socket } = request;
    awaiting.set(socket, { count: (awaiting.get(socket)?.count ?? 0) + 1, request, response });
    response.once('close', () => {
      const now = awaiting.get(socket);
      if (now) now.count -= 1;
    });
  });
  server.on('clientError', (error: NodeJS.ErrnoException, stream) => {
    const socket = stream as Socket;
    const now = awaiting.get(socket);
    // Below TLS there is nobody who could read an answer.
    if (!socket.writable || error.code?.startsWith('ERR_SSL') || (now && isInTheWay(now))) socket.destroy();
    else refuse(socket, error.code);
  });
}

/** Whether an error now would be taken for an answer, or a part of one: it is none if it is to the only request's own body. */
function isInTheWay({ count, request, response }: Awaiting): boolean {
  return count > 1 || (count === 1 && (request.complete || response.headersSent));
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

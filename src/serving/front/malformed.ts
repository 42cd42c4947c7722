/** What is not an HTTP request gets an answer in OpenAI's error shape too, where an answer can still be written. */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { RouterError } from '../../core/errors.ts';

const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
};

export function answerMalformed(server: Server): void {
  /** Connections with an answer under way, into which nothing may be written. */
  const answering = new WeakSet<Socket>();
  server.on('request', ({ socket }, response) => {
    answering.add(socket);
    response.once('close', () => answering.delete(socket));
  });
  server.on('clientError', (error: NodeJS.ErrnoException, stream) => {
    const socket = stream as Socket;
    if (!socket.writable || answering.has(socket)) {
      socket.destroy();
      return;
    }
    const [status, answer] = judged(error.code);
    const body = JSON.stringify(answer.toWire());
    socket.end(
      `HTTP/1.1 ${status} ${REASONS[status]}\r\nconnection: close\r\ncontent-type: application/json; charset=utf-8\r\n` +
        `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
  });
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

/**
 * The answer to `Expect: 100-continue`, sent when it is this response's turn. Left to itself, node:http queues the
 * interim response of a pipelined request and then puts the head of the final one before it, so that a client reads
 * `HTTP/1.1 100 Continue` as the beginning of the body.
 */
import type { Server } from 'node:http';

export function answerExpectations(server: Server): void {
  server.on('checkContinue', (request, response) => {
    const proceed = (): void => {
      if (!response.headersSent) response.writeContinue();
    };
    if (response.socket) proceed();
    else response.once('socket', proceed);
    server.emit('request', request, response);
  });
}

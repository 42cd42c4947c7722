/**
 * The answer to `Expect: 100-continue`, sent once the body is to be read: a request that is refused by its head is told so
 * before its client has sent a body for nothing, and its connection ends, because nobody can know whether that body still comes.
 * Left to itself, node:http queues the interim response of a pipelined request and then puts the head of the final one before
 * it, so that a client reads `HTTP/1.1 100 Continue` as the beginning of the body.
 */
import type { Server } from 'node:http';

export function answerExpectations(server: Server): void {
  server.on('checkContinue', (request, response) => {
    const { shouldKeepAlive } = response;
    response.shouldKeepAlive = false;
    request.once('resume', () => {
      if (response.headersSent) return;
      response.shouldKeepAlive = shouldKeepAlive;
      response.writeContinue();
    });
    server.emit('request', request, response);
  });
}

/**
 * Pipelined requests: one connection, several requests before the first is answered. Each is begun when it is its turn to be
 * answered. Begun before, it would hold its expert while nobody takes its answer, and for ever where the request ahead of it
 * waits for that expert. And every response of a connection is told that its client has gone, where Node itself tells only the
 * one that is being written.
 */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

const unclosed = new WeakMap<Socket, Set<ServerResponse>>();

/** Node gives a response its socket when those before it have ended; one whose client leaves first never gets it. */
export function whenItsTurn(response: ServerResponse, begin: () => void): void {
  if (response.socket) begin();
  else response.once('socket', begin);
}

export function closeWithConnection(response: ServerResponse, socket: Socket): void {
  const responses = unclosed.get(socket) ?? watch(socket);
  responses.add(response);
  response.once('close', () => responses.delete(response));
}

function watch(socket: Socket): Set<ServerResponse> {
  const responses = new Set<ServerResponse>();
  unclosed.set(socket, responses);
  socket.once('close', () => {
    for (const response of responses) {
      if (response.socket) continue; // Node's own `close` follows
      response.destroy();
      response.emit('close');
    }
  });
  return responses;
}

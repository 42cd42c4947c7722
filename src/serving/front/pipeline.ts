/**
 * Tells every response of a connection that its client has gone. Node itself tells only the one that is being written;
 * those of pipelined requests behind it would keep their experts busy for nobody.
 */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

const unclosed = new WeakMap<Socket, Set<ServerResponse>>();

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

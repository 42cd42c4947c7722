/**
 * An expert that answers every request with the same few bytes at once and so costs next to nothing beside what is
 * measured. A process of its own; it prints its port.
 */
import { type AddressInfo, createServer } from 'node:net';
import { RequestReader } from '../../src/http/request-reader.ts';

const MAX_BODY = 1e9;
const body = JSON.stringify({
  id: 'x',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: 'hello' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
});
const answer = Buffer.from(
  `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
);

const server = createServer({ noDelay: true }, (socket) => {
  const events = { head: () => {}, piece: () => {}, end: () => void socket.write(answer) };
  const reader = new RequestReader(events, MAX_BODY);
  socket.on('data', (bytes: Buffer) => {
    for (let at = 0; at < bytes.length; ) at = reader.feed(bytes, at);
  });
  socket.on('error', () => {});
});
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () =>
  console.log(`port ${(server.address() as AddressInfo).port}`),
);

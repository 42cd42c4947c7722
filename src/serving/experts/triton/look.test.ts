/** Against a server that speaks just enough of KServe's gRPC, written for this test: not a Triton. */
import { createServer as createHttp } from 'node:http';
import { createServer, type Http2Server } from 'node:http2';
import { type AddressInfo, createServer as createTcp, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { triton } from '../../engines/triton.ts';
import { lookOverGrpc } from './look.ts';

const opened: { close(): void }[] = [];
afterEach(() => {
  for (const one of opened.splice(0)) one.close();
});

async function at(server: Server | Http2Server): Promise<string> {
  const ends = new Set<{ destroy(): void }>();
  server.on('connection', (socket: { destroy(): void }) => ends.add(socket));
  opened.push({
    close: () => {
      server.close();
      for (const one of ends) one.destroy();
    },
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `grpc://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A length-delimited field of a message. */
const field = (number: number, value: string | Buffer): Buffer => {
  const bytes = Buffer.from(value);
  const size = bytes.length < 128 ? [bytes.length] : [(bytes.length & 0x7f) | 0x80, bytes.length >> 7];
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...size]), bytes]);
};
const model = (name: string, state: string) =>
  field(1, Buffer.concat([field(1, name), field(2, '1'), field(3, state)]));
const input = (name: string) => field(4, Buffer.concat([field(1, name), field(2, 'BYTES')]));
const LONG = `a-model-with-a-long-name-${'x'.repeat(150)}`;

const ANSWERS: Readonly<Record<string, (request: Buffer) => Buffer>> = {
  ServerMetadata: () => Buffer.concat([field(1, 'triton'), field(2, '2.51.0'), field(3, 'sequence')]),
  RepositoryIndex: () =>
    Buffer.concat([
      model('ensemble', 'READY'),
      model('preprocessing', 'READY'),
      model(LONG, 'READY'),
      model('broken', 'UNAVAILABLE'),
    ]),
  ModelMetadata: (request) =>
    Buffer.concat([
      field(1, 'x'),
      // A varint, which a reader passes over.
      Buffer.from([0x38, 0x96, 0x01]),
      input(request.includes('preprocessing') ? 'QUERY' : 'text_input'),
      input('max_tokens'),
    ]),
};

function serving(answers: typeof ANSWERS): Http2Server {
  const server = createServer();
  server.on('stream', (stream, headers) => {
    const pieces: Buffer[] = [];
    stream.on('data', (piece: Buffer) => pieces.push(piece));
    stream.on('end', () => {
      const answer = answers[String(headers[':path']).split('/').at(-1)!];
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': answer ? '0' : '12' }));
      const message = answer?.(Buffer.concat(pieces)) ?? Buffer.alloc(0);
      const prefix = Buffer.alloc(5);
      prefix.writeUInt32BE(message.length, 1);
      stream.end(answer ? Buffer.concat([prefix, message]) : undefined);
    });
  });
  return server;
}

describe('lookOverGrpc', () => {
  it('knows Triton, its version and the models that take text', async () => {
    expect(await lookOverGrpc(await at(serving(ANSWERS)), 20_000)).toEqual({
      kind: 'engine',
      engine: triton,
      version: '2.51.0',
      models: ['ensemble', LONG],
      apis: ['kserve'],
    });
  });

  it('tells another KServe server, another gRPC server, HTTP/1.1 and something else from it', async () => {
    const other = serving({ ServerMetadata: () => field(1, 'mlserver') });
    expect(await lookOverGrpc(await at(other), 20_000)).toMatchObject({
      kind: 'wrong-protocol',
      detail: expect.stringMatching(/mlserver/),
    });
    expect(await lookOverGrpc(await at(serving({})), 20_000)).toMatchObject({
      kind: 'wrong-protocol',
      detail: expect.stringMatching(/12/),
    });
    const http = createHttp((_, response) => response.end('hello'));
    expect(await lookOverGrpc(await at(http), 20_000)).toMatchObject({ kind: 'wrong-protocol' });
    const banner = createTcp((socket) => socket.on('error', () => {}).end('SSH-2.0-OpenSSH_9.6\r\n'));
    expect(await lookOverGrpc(await at(banner), 20_000)).toMatchObject({ kind: 'wrong-protocol' });
  });

  it('ends with a server that says nothing, and with a closed port', async () => {
    expect(await lookOverGrpc(await at(createTcp()), 150)).toMatchObject({ kind: 'timeout' });
    const gone = await at(createTcp());
    opened.pop()!.close();
    expect(await lookOverGrpc(gone, 20_000)).toMatchObject({
      kind: 'unreachable',
      code: 'ECONNREFUSED',
    });
  });
});

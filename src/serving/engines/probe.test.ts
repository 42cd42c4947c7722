import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcp, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { HttpClient } from '../../http/client.ts';
import { engineNamed } from './index.ts';
import { probe } from './probe.ts';
import { readLoad } from './scrape.ts';

const WITHIN = { within: 20_000 };
const SHORT = { within: 150 };
const opened: { server: Server; sockets: Set<Socket> }[] = [];

afterEach(() => {
  for (const { server, sockets } of opened.splice(0)) {
    server.close();
    for (const socket of sockets) socket.destroy();
  }
});

async function at(server: Server): Promise<URL> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  opened.push({ server, sockets });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

const pages = (table: Readonly<Record<string, string>>): RequestListener =>
  function answer({ url }, response) {
    const page = table[url!];
    response.writeHead(page === undefined ? 404 : 200, { 'content-type': 'application/json' }).end(page);
  };
const MODELS = '{"object":"list","data":[{"id":"m","object":"model","owned_by":"vllm"}]}';

describe('probe', () => {
  it('asks below the base path, with or without /v1', async () => {
    const base = await at(
      createServer(pages({ '/gpu1/v1/models': MODELS, '/gpu1/version': '{"version":"0.11.0"}' })),
    );
    for (const path of ['/gpu1', '/gpu1/', '/gpu1/v1', '/gpu1/v1/']) {
      const found = await probe(new URL(path, base), WITHIN);
      expect(found).toMatchObject({
        kind: 'engine',
        engine: { name: 'vLLM' },
        version: '0.11.0',
        models: ['m'],
      });
    }
  });

  it('asks a Triton for its models, and lists those that take text', async () => {
    const inputs = (name: string) =>
      JSON.stringify({ name, inputs: [{ name, datatype: 'BYTES', shape: [1] }] });
    const asked: string[] = [];
    const answers = pages({
      '/v2': '{"name":"triton","version":"2.51.0","extensions":["model_repository"]}',
      '/v2/repository/index': JSON.stringify([
        { name: 'ensemble', version: '1', state: 'READY' },
        { name: 'preprocessing', version: '1', state: 'READY' },
        { name: 'broken', version: '1', state: 'UNAVAILABLE', reason: 'no such file' },
      ]),
      '/v2/models/ensemble': inputs('text_input'),
      '/v2/models/preprocessing': inputs('QUERY'),
    });
    const base = await at(
      createServer((request, response) => {
        asked.push(`${request.method} ${request.url}`);
        answers(request, response);
      }),
    );
    const found = await probe(base, WITHIN);
    expect(found).toMatchObject({
      engine: { name: 'Triton' },
      version: '2.51.0',
      models: ['ensemble'],
      apis: ['kserve'],
    });
    expect(asked.filter((one) => one.startsWith('POST'))).toEqual(['POST /v2/repository/index']);
  });

  it('sends a key where it has one', async () => {
    const base = await at(
      createServer((request, response) => {
        if (request.headers.authorization === 'Bearer k') pages({ '/v1/models': MODELS })(request, response);
        else response.writeHead(401).end();
      }),
    );
    expect(await probe(base, WITHIN)).toMatchObject({ kind: 'unauthorized' });
    expect(await probe(base, { ...WITHIN, headers: { authorization: 'Bearer k' } })).toMatchObject({
      kind: 'engine',
    });
  });

  it('ends with a server that accepts and never answers, or never ends its answer', async () => {
    const mute = await at(createTcp());
    expect(await probe(mute, SHORT)).toMatchObject({ kind: 'timeout' });
    const endless = await at(createServer((_, response) => void response.writeHead(200).write('{"data":[')));
    expect(await probe(endless, SHORT)).toMatchObject({ kind: 'timeout' });
  });

  it('says what else is there: nobody, something else than HTTP, a web page', async () => {
    const gone = await at(createTcp());
    opened.pop()!.server.close();
    expect(await probe(gone, WITHIN)).toMatchObject({ kind: 'unreachable', code: 'ECONNREFUSED' });
    const banner = await at(createTcp((socket) => socket.end('SSH-2.0-OpenSSH_9.6\r\n')));
    expect(await probe(banner, WITHIN)).toMatchObject({ kind: 'wrong-protocol' });
    const page = await at(
      createServer((_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>')),
    );
    expect(await probe(page, WITHIN)).toMatchObject({ kind: 'foreign', html: true });
  });
});

describe('readLoad', () => {
  const read = async (listener: RequestListener, engine: string | null = null) => {
    const address = new URL('/metrics', await at(createServer(listener)));
    const client = new HttpClient(address, { connect: 20_000, head: 20_000, idle: 20_000 });
    try {
      return await readLoad(
        { client, address, engine: engine === null ? null : engineNamed(engine), model: null },
        AbortSignal.timeout(20_000),
      );
    } finally {
      client.close();
    }
  };
  const page = (text: string, status = 200): RequestListener =>
    function answer(_, response) {
      response.writeHead(status, { 'content-type': 'text/plain' }).end(text);
    };

  it('reads a load', async () => {
    expect(await read(page('tgi_batch_current_size 2\ntgi_queue_size 1\n'))).toEqual({
      running: 2,
      waiting: 1,
      kvCacheUse: null,
    });
  });

  it.each([
    ['an error', page('no', 501), 'status'],
    ['a page of something else', page('<html>\n<body>\n'), 'not-metrics'],
    ['an empty page', page(''), 'not-metrics'],
    ['metrics under names that nobody knows', page('vllm:requests_running_v2 3\n'), 'unknown-metrics'],
  ])('rejects %s with what is wrong', async (_, listener, failure) => {
    await expect(read(listener, 'vLLM')).rejects.toMatchObject({
      name: 'FailureError',
      failure: { kind: failure },
    });
  });

  it('rejects when nobody is there', async () => {
    const address = await at(createTcp());
    opened.pop()!.server.close();
    const client = new HttpClient(address, { connect: 20_000, head: 20_000, idle: 20_000 });
    const reading = readLoad({ client, address, engine: null, model: null }, AbortSignal.timeout(20_000));
    await expect(reading).rejects.toMatchObject({ failure: { kind: 'unreachable' } });
  });
});

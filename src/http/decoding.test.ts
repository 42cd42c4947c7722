import { randomBytes } from 'node:crypto';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { brotliCompressSync, constants, createGzip, deflateSync, gzipSync } from 'node:zlib';
import { afterEach, expect, it } from 'vitest';
import { HttpClient } from './client.ts';
import { PulledResponse } from './pulled-response.ts';
import type { WireError } from './response-handler.ts';
import type { ResponseHead } from './response-parser.ts';
import { ZstdInflater, zstdInflated } from './zstd.ts';

let server: Server;
let client: HttpClient;
afterEach(() => {
  client.close();
  server.closeAllConnections();
  server.close();
});

async function answered(by: (response: ServerResponse) => void): Promise<HttpClient> {
  server = createServer((_request, response) => by(response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  client = new HttpClient(new URL(`http://127.0.0.1:${port}`), { connect: 5000, head: 5000, idle: 5000 });
  return client;
}

const REQUEST = { method: 'GET', path: '/', headers: {}, body: '' } as const;
const TEXT = Buffer.from(`${randomBytes(200_000).toString('hex')} Zürich`);

/** Zstandard (RFC 8878) of raw blocks, which every program can write; its window is 128 KB. */
function zstdStored(bytes: Buffer, blockBytes = 50_000): Buffer {
  const parts: Buffer[] = [Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, (17 - 10) << 3])];
  for (let at = 0; at < bytes.length; at += blockBytes) {
    const block = bytes.subarray(at, at + blockBytes);
    const head = Buffer.alloc(3);
    head.writeUIntLE((block.length << 3) | (at + blockBytes >= bytes.length ? 1 : 0), 0, 3);
    parts.push(head, block);
  }
  return Buffer.concat(parts);
}

it.each([
  ['gzip', gzipSync(TEXT)],
  ['X-Gzip', gzipSync(TEXT)],
  ['deflate', deflateSync(TEXT)],
  ['br', brotliCompressSync(TEXT)],
  ['zstd', zstdStored(TEXT)],
  ['identity, gzip', gzipSync(TEXT)],
  ['gzip, br', brotliCompressSync(gzipSync(TEXT))],
  ['br, zstd', zstdStored(brotliCompressSync(TEXT))],
  ['identity', TEXT],
])(
  '%s: the body is what was coded, whole and read slowly, without the length of the coded bytes',
  async (coding, bytes) => {
    const from = await answered((response) => {
      response.writeHead(200, {
        'content-encoding': coding,
        'content-length': bytes.length,
        'x-other': 'kept',
      });
      response.end(bytes);
    });
    const response = await PulledResponse.open(from, REQUEST, new AbortController().signal);
    const pieces: Buffer[] = [];
    for await (const piece of response.pieces()) {
      pieces.push(piece);
      await new Promise(setImmediate);
    }
    expect(Buffer.concat(pieces).equals(TEXT)).toBe(true);
    expect(response.head.headers).toMatchObject({ 'x-other': 'kept' });
    expect('content-encoding' in response.head.headers).toBe(coding === 'identity');
    expect('content-length' in response.head.headers).toBe(coding === 'identity');
  },
);

it('each flush of a stream arrives before the next is written', async () => {
  const gzip = createGzip();
  const from = await answered((response) => {
    response.writeHead(200, { 'content-encoding': 'gzip' });
    gzip.pipe(response);
  });
  const say = (text: string) => {
    gzip.write(text);
    gzip.flush(constants.Z_SYNC_FLUSH);
  };
  say('one');
  const response = await PulledResponse.open(from, REQUEST, new AbortController().signal);
  const pieces = response.pieces();
  expect(String((await pieces.next()).value)).toBe('one');
  say('two');
  expect(String((await pieces.next()).value)).toBe('two');
  gzip.end();
  expect((await pieces.next()).done).toBe(true);
});

it('each block of a Zstandard stream arrives before the next is written, however its bytes are cut', async () => {
  let to: ServerResponse | null = null;
  const from = await answered((response) => {
    response.writeHead(200, { 'content-encoding': 'zstd' }).flushHeaders();
    to = response;
  });
  const bytes = zstdStored(Buffer.from('the first of two.the second of two'), 17);
  const response = await PulledResponse.open(from, REQUEST, new AbortController().signal);
  const pieces = response.pieces();
  const second = 6 + 3 + 17;
  for (const byte of bytes.subarray(0, second)) to!.write(Buffer.of(byte));
  expect(String((await pieces.next()).value)).toBe('the first of two.');
  to!.end(bytes.subarray(second));
  expect(String((await pieces.next()).value)).toBe('the second of two');
  expect((await pieces.next()).done).toBe(true);
});

it('a Zstandard body of which a few bytes are gigabytes is inflated as it is read', async () => {
  const run = (last: boolean): Buffer => {
    const head = Buffer.alloc(4, ' ');
    head.writeUIntLE(((128 * 1024) << 3) | (1 << 1) | Number(last), 0, 3);
    return head;
  };
  const frame = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, (17 - 10) << 3]);
  const bomb = Buffer.concat([frame, ...Array.from({ length: 16_000 }, (_, i) => run(i === 15_999))]);
  const from = await answered((response) => {
    response.writeHead(200, { 'content-encoding': 'zstd', 'content-length': bomb.length });
    response.end(bomb);
  });
  const before = process.memoryUsage.rss();
  const response = await PulledResponse.open(from, REQUEST, new AbortController().signal);
  const pieces = response.pieces();
  let inflated = 0;
  while (inflated < 20_000_000) inflated += ((await pieces.next()).value as Buffer).length;
  expect(process.memoryUsage.rss() - before).toBeLessThan(500_000_000);
  await pieces.return?.(undefined);
});

it('a Zstandard body of very many blocks is taken as it comes, as a stream whose words were flushed, and not whole', () => {
  const word = Buffer.from([(1 << 3) & 255, 0, 0, 'a'.charCodeAt(0)]);
  const last = Buffer.from([((1 << 3) | 1) & 255, 0, 0, 'a'.charCodeAt(0)]);
  const frame = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, (23 - 10) << 3]);
  const many = Buffer.concat([frame, ...Array.from({ length: 599 }, () => word), last]);
  const inflater = new ZstdInflater();
  expect(Buffer.concat([...inflater.push(many), ...inflater.end()]).toString()).toBe('a'.repeat(600));
  expect(() => [...zstdInflated(many)]).toThrow('too many blocks');
});

it('a Zstandard body that is cut, or is none, has failed', async () => {
  for (const bytes of [zstdStored(TEXT).subarray(0, 1000), TEXT.subarray(0, 1000)]) {
    const from = await answered((response) => {
      response.writeHead(200, { 'content-encoding': 'zstd' });
      response.end(bytes);
    });
    const error = await heard(from).done;
    expect(error).toMatchObject({
      failure: 'cut',
      message: expect.stringMatching(/cut short|begin as a frame/),
    });
  }
});

it('a coded body that is cut has failed, even where only the end of the connection delimits it', async () => {
  const from = await answered((response) => {
    response.useChunkedEncodingByDefault = false;
    response.writeHead(200, { 'content-encoding': 'gzip', connection: 'close' });
    response.end(gzipSync(TEXT).subarray(0, 1000));
  });
  const error = await heard(from).done;
  expect(error).toMatchObject({
    failure: 'cut',
    message: expect.stringContaining('compressed body broke off'),
  });
});

it('the inner of two codings that is cut has failed', async () => {
  const from = await answered((response) => {
    response.writeHead(200, { 'content-encoding': 'gzip, br' });
    response.end(brotliCompressSync(gzipSync(TEXT).subarray(0, 1000)));
  });
  expect(await heard(from).done).toMatchObject({ failure: 'cut' });
});

it('more codings than two, and unknown ones, stay as they are', async () => {
  for (const coding of ['gzip, gzip, gzip', 'gzip, compress']) {
    const from = await answered((response) => {
      response.writeHead(200, { 'content-encoding': coding }).end('coded');
    });
    const response = await PulledResponse.open(from, REQUEST, new AbortController().signal);
    expect(response.head.headers['content-encoding']).toBe(coding);
    expect(await response.text(100)).toBe('coded');
  }
});

it('says nothing after a cancel, though the coded body is whole', async () => {
  const from = await answered((response) => {
    response.writeHead(200, { 'content-encoding': 'gzip' });
    response.end(gzipSync(TEXT));
  });
  let cancelled = (): void => {};
  const once = new Promise<void>((resolve) => {
    cancelled = resolve;
  });
  const listening = heard(from, () => {
    listening.exchange.cancel();
    cancelled();
  });
  await once;
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(listening.calls).toEqual(['head', 'data']);
});

function heard(from: HttpClient, onData = (): void => {}) {
  const calls: string[] = [];
  let exchange: ReturnType<HttpClient['request']>;
  const done = new Promise<WireError | null>((resolve) => {
    exchange = from.request(REQUEST, {
      head: (_head: ResponseHead) => void calls.push('head'),
      data: () => {
        calls.push('data');
        onData();
        return true;
      },
      end: () => resolve(null),
      fail: resolve,
    });
  });
  return { calls, done, exchange: exchange! };
}

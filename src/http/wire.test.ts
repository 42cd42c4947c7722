import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { HttpClient, type WireError } from './client.ts';
import { ResponseParser } from './response-parser.ts';

interface Read {
  heads: { status: number; headers: Readonly<Record<string, string>> }[];
  body: string;
  ends: boolean[];
}

function read(chunks: readonly Buffer[], close = false): Read {
  const seen: Read = { heads: [], body: '', ends: [] };
  const parts: Buffer[] = [];
  const parser = new ResponseParser({
    head: (head) => seen.heads.push(head),
    data: (payload) => parts.push(payload),
    end: (reusable) => seen.ends.push(reusable),
  });
  for (const chunk of chunks) {
    const shared = Buffer.from(chunk);
    parser.feed(shared);
    shared.fill(0xff); // what was passed on must not live in the shared buffer
  }
  if (close) parser.close();
  seen.body = Buffer.concat(parts).toString();
  return seen;
}

function cut(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const at = [0, ...cuts.map((one) => one % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  return at.slice(1).map((end, index) => bytes.subarray(at[index], end));
}

const anyCuts = fc.array(fc.nat(), { maxLength: 20 });
const text = (head: string, body = '') => Buffer.from(`${head.replaceAll('\n', '\r\n')}\r\n\r\n${body}`);
const chunked = (pieces: readonly string[]) =>
  `${pieces.map((piece) => `${Buffer.byteLength(piece).toString(16)};x=1\r\n${piece}\r\n`).join('')}0\r\nTrailer: a\r\n\r\n`;

describe('ResponseParser', () => {
  it('reads the same from any cuts, whatever delimits the body', () => {
    const pieces = fc.array(fc.string({ minLength: 1, unit: 'grapheme' }), { maxLength: 8 });
    fc.assert(
      fc.property(pieces, anyCuts, (list, cuts) => {
        const body = list.join('');
        const length = text(`HTTP/1.1 200 OK\nContent-Length: ${Buffer.byteLength(body)}`, body);
        const inChunks = text('HTTP/1.1 200 OK\ntransfer-encoding: identity, Chunked', chunked(list));
        const toTheEnd = text('HTTP/1.1 200\nX: y', body);
        for (const bytes of [length, inChunks])
          expect(read(cut(bytes, cuts))).toMatchObject({ body, ends: [true], heads: [{ status: 200 }] });
        expect(read(cut(toTheEnd, cuts), true)).toMatchObject({ body, ends: [false] });
      }),
    );
  });

  it('passes over interim responses, joins repeated fields and knows bodyless statuses', () => {
    const bytes = Buffer.concat([
      text('HTTP/1.1 100 Continue'),
      text('HTTP/1.1 103 Early Hints\nLink: x'),
      text('HTTP/1.1 204 No Content\nA: 1\na: 2'),
    ]);
    expect(read([bytes])).toMatchObject({ heads: [{ status: 204, headers: { a: '1, 2' } }], ends: [true] });
  });

  it('does not reuse a connection that says close, is HTTP/1.0, or brings bytes nobody asked for', () => {
    expect(read([text('HTTP/1.1 200 OK\nConnection: close\nContent-Length: 0')]).ends).toEqual([false]);
    expect(read([text('HTTP/1.0 200 OK\nContent-Length: 0')]).ends).toEqual([false]);
    expect(read([text('HTTP/1.1 200 OK\nContent-Length: 2', 'okHTTP/1.1 200')]).ends).toEqual([false]);
    expect(read([text('HTTP/1.1 200 OK\nTransfer-Encoding: chunked', '0\r\n\r\nmore')]).ends).toEqual([
      false,
    ]);
  });

  it.each([
    ['something else', 'SSH-2.0-OpenSSH'],
    ['two lengths', 'HTTP/1.1 200 OK\nContent-Length: 1\nContent-Length: 2'],
    ['a bad length', 'HTTP/1.1 200 OK\nContent-Length: -1'],
    ['a bad field', 'HTTP/1.1 200 OK\nno colon'],
    ['a protocol switch', 'HTTP/1.1 101 Switching Protocols'],
  ])('refuses %s', (_name, head) => {
    expect(() => read([text(head)])).toThrow();
  });

  it.each([
    ['a size that is none', 'zz\r\n'],
    ['a chunk longer than its size', '2\r\nabc\r\n'],
    ['bare line feeds', '2\nab\n'],
  ])('refuses chunks with %s', (_name, body) => {
    expect(() => read([text('HTTP/1.1 200 OK\nTransfer-Encoding: chunked', body)])).toThrow();
  });

  it('notices an answer that is cut, wherever', () => {
    const whole = text('HTTP/1.1 200 OK\nTransfer-Encoding: chunked', chunked(['hello', 'world']));
    for (let length = 0; length < whole.length; length++)
      expect(() => read([whole.subarray(0, length)], true), String(length)).toThrow();
  });

  it('bounds a head and a chunk line', () => {
    expect(() => read([Buffer.from(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(70_000)}`)])).toThrow('larger than');
    expect(() => read([text('HTTP/1.1 200 OK\nTransfer-Encoding: chunked', '1'.repeat(9_000))])).toThrow(
      'too long',
    );
  });
});

describe('HttpClient', () => {
  let server: Server | null = null;
  let client: HttpClient | null = null;
  afterEach(() => {
    client?.close();
    server?.close();
  });

  /** A server that calls `on` with each connection's number and each whole request on it. */
  async function start(
    on: (socket: Socket, connection: number, request: number) => void,
  ): Promise<HttpClient> {
    let connections = 0;
    server = createServer((socket) => {
      const connection = connections++;
      let requests = 0;
      socket.on('error', () => {});
      socket.on('data', (bytes) => {
        if (bytes.includes('\r\n\r\n')) on(socket, connection, requests++);
      });
    });
    await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    client = new HttpClient(new URL(`http://127.0.0.1:${port}`), { connect: 1000, head: 500, idle: 300 });
    return client;
  }

  function get(http: HttpClient): Promise<string> {
    return new Promise((resolve, reject) => {
      const parts: Buffer[] = [];
      http.request(
        { method: 'POST', path: '/', headers: {}, body: Buffer.alloc(0) },
        {
          head: () => {},
          data: (payload) => parts.push(payload) > 0,
          end: () => resolve(Buffer.concat(parts).toString()),
          fail: reject,
        },
      );
    });
  }
  const failure = (promise: Promise<unknown>) =>
    promise.then(
      () => 'none',
      (error: WireError) => error.failure,
    );
  const ok = (body: string) => text(`HTTP/1.1 200 OK\nContent-Length: ${body.length}`, body);

  it('uses a connection again, and opens as many as are needed', async () => {
    const http = await start((socket, connection) =>
      setTimeout(() => socket.write(ok(`c${connection}`)), 20),
    );
    expect(await get(http)).toBe('c0');
    expect(await get(http)).toBe('c0');
    expect((await Promise.all([get(http), get(http), get(http)])).toSorted()).toEqual(['c0', 'c1', 'c2']);
  });

  it('invariant 12: retries once, on a new connection, when a kept one turns out to be closed', async () => {
    const http = await start((socket, connection, request) => {
      if (connection === 0 && request === 1) socket.destroy();
      else socket.write(ok(`c${connection}`));
    });
    expect(await get(http)).toBe('c0');
    expect(await get(http)).toBe('c1');
  });

  it('does not retry on a new connection, nor after a byte of an answer', async () => {
    let asked = 0;
    const http = await start((socket, connection, request) => {
      asked += 1;
      if (connection === 0 && request === 0) socket.write(ok('first'));
      else socket.write('HTTP/1.1 2', () => socket.destroy());
    });
    await get(http);
    expect(await failure(get(http))).toBe('cut');
    expect(await failure(get(http))).toBe('cut');
    expect(asked).toBe(3);
  });

  it('ends in time when nothing comes, before the head and within the body', async () => {
    const http = await start((socket, connection) => {
      if (connection === 1) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe');
    });
    expect(await failure(get(http))).toBe('timeout');
    expect(await failure(get(http))).toBe('timeout');
  });

  it('says unreachable where nobody listens', async () => {
    client = new HttpClient(new URL('http://127.0.0.1:1'), { connect: 1000, head: 1000, idle: 1000 });
    expect(await failure(get(client))).toBe('unreachable');
  });

  it('stops reading while paused, and the next request on that connection is read again', async () => {
    const size = 8 * 1024 * 1024;
    const http = await start((socket, _connection, request) =>
      socket.write(request === 0 ? ok('x'.repeat(size)) : ok('next')),
    );
    let got = 0;
    const ended = new Promise<void>((resolve) => {
      const exchange = http.request(
        { method: 'GET', path: '/', headers: {}, body: Buffer.alloc(0) },
        {
          head: () => {},
          data: (payload) => {
            got += payload.length;
            setTimeout(() => exchange.resume(), 1);
            return false;
          },
          end: resolve,
          fail: () => {},
        },
      );
    });
    await ended;
    expect(got).toBe(size);
    expect(await get(http)).toBe('next');
  });

  it('a cancel closes the connection', async () => {
    const closed = new Promise<void>((resolve) => {
      void start((socket) => void socket.on('close', () => resolve())).then((http) => {
        const exchange = http.request(
          { method: 'GET', path: '/', headers: {}, body: Buffer.alloc(0) },
          { head: () => {}, data: () => true, end: () => {}, fail: () => {} },
        );
        setTimeout(() => exchange.cancel(), 50);
      });
    });
    await closed;
  });
});

import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { HttpClient, type WireError } from './client.ts';

const text = (head: string, body = '') => Buffer.from(`${head.replaceAll('\n', '\r\n')}\r\n\r\n${body}`);

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

  it('never reads surplus bytes that wait in the socket as the next answer', async () => {
    // One read's worth, to the byte: the answer ends with the read, and its surplus comes with the next.
    const room = 64 * 1024 - ok('x'.repeat(65_000)).length + 65_000;
    const http = await start((socket) =>
      socket.write(Buffer.concat([ok('x'.repeat(room)), ok('nobody asked')])),
    );
    // Each request is made in the very turn in which the last answer has ended.
    for (let request = 0; request < 20; request += 1)
      expect((await get(http)).slice(-12)).toBe('xxxxxxxxxxxx');
    expect(http.opened).toBe(20);
  });

  it('drops an idle connection that closes or sends bytes', async () => {
    const sockets: Socket[] = [];
    const http = await start((socket, connection) => {
      sockets[connection] = socket;
      socket.write(ok(`c${connection}`));
    });
    expect(await get(http)).toBe('c0');
    sockets[0]!.write('?');
    await sleep(30);
    expect(await get(http)).toBe('c1');
    sockets[1]!.end();
    await sleep(30);
    expect(await get(http)).toBe('c2');
    expect(http.retried).toBe(0);
    expect(http.opened).toBe(3);
  });

  it('passes bodies in place to a handler that borrows', async () => {
    const http = await start((socket) =>
      socket.write(text('HTTP/1.1 200 OK\nTransfer-Encoding: chunked', '3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n')),
    );
    const pieces: string[] = [];
    await new Promise<void>((resolve, reject) =>
      http.request(
        { method: 'GET', path: '/', headers: {}, body: Buffer.alloc(0) },
        {
          head: () => {},
          data: () => true,
          borrow: (bytes, from, to) => void pieces.push(bytes.toString('latin1', from, to)),
          end: (surplus) => (surplus ? reject(new Error('surplus')) : resolve()),
          fail: reject,
        },
      ),
    );
    expect(pieces).toEqual(['abc', 'de']);
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

  it('fails as unreachable if the port is closed', async () => {
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
          end: () => resolve(),
          fail: () => {},
        },
      );
    });
    await ended;
    expect(got).toBe(size);
    expect(await get(http)).toBe('next');
  });

  it('silence while it is paused is the reader’s, not the server’s', async () => {
    const http = await start((socket) => {
      const piece = Buffer.alloc(64 * 1024);
      socket.write(text(`HTTP/1.1 200 OK\nContent-Length: ${64 * piece.length}`));
      for (let i = 0; i < 64; i++) socket.write(piece);
    });
    let paused = false;
    await new Promise<void>((resolve, reject) => {
      const exchange = http.request(
        { method: 'GET', path: '/', headers: {}, body: Buffer.alloc(0) },
        {
          head: () => {},
          data: () => {
            if (paused) return true;
            paused = true;
            setTimeout(() => exchange.resume(), 900); // three times the deadline for silence
            return false;
          },
          end: () => resolve(),
          fail: reject,
        },
      );
    });
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

/**
 * Requests are the same however their bytes are cut, and whatever is accepted here, Node's parser reads the same way.
 */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cutAnywhere, request as requestBytes } from '../../test/support/http-cases.ts';
import { FramingError } from './fields.ts';
import { type RequestHead, RequestReader } from './request-reader.ts';

/** FUZZ_RUNS raises the number of runs. */
const RUNS = Number(process.env.FUZZ_RUNS ?? 3_000);

interface Read {
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly keepAlive: boolean;
}

/** The whole requests among the bytes, and whether more bytes than these were refused. */
function read(parts: readonly Buffer[], maxBody = 1 << 20): { requests: Read[]; refused: boolean } {
  const requests: Read[] = [];
  let head: RequestHead | null = null;
  let body = '';
  const reader = new RequestReader(
    {
      head: (one) => {
        head = one;
        body = '';
      },
      piece: (bytes, from, to) => {
        body += bytes.toString('latin1', from, to);
      },
      end: () => {
        const { method, target, headers, keepAlive } = head!;
        requests.push({ method, target, headers: { ...headers }, body, keepAlive });
      },
    },
    maxBody,
  );
  try {
    for (const part of parts) {
      const shared = Buffer.from(part);
      for (let at = 0; at < shared.length; ) at = reader.feed(shared, at);
      shared.fill(0xff); // nothing may be read from it later
    }
  } catch (error) {
    if (!(error instanceof FramingError)) throw error;
    return { requests, refused: true };
  }
  return { requests, refused: false };
}

const bytes = (text: string) => Buffer.from(text.replaceAll('\n', '\r\n'), 'latin1');

describe('RequestReader', () => {
  it('reads bodies by length, in chunks, and none, one request after another, for any cut', () => {
    const all = Buffer.concat([
      bytes('POST /v1/a?x=1 HTTP/1.1\nHost: h\nContent-Length: 5\n\nhello'),
      bytes('POST /b HTTP/1.1\nhost: h\ntransfer-encoding: Chunked\n\n3\nabc\n02;x=y\nde\n0\nt: 1\n\n'),
      bytes('GET /c HTTP/1.0\n\n'),
      bytes('GET /never HTTP/1.1\nhost: h\n\n'),
    ]);
    fc.assert(
      fc.property(cutAnywhere, (cut) => {
        expect(read(cut(all)).requests).toMatchObject([
          { method: 'POST', target: '/v1/a?x=1', body: 'hello', keepAlive: true },
          { target: '/b', body: 'abcde', keepAlive: true },
          { target: '/c', body: '', keepAlive: false },
        ]);
      }),
    );
  });

  it('accepts or refuses the same bytes however they are split', () => {
    fc.assert(
      fc.property(fc.array(requestBytes, { minLength: 1, maxLength: 3 }), cutAnywhere, (list, cut) => {
        const all = Buffer.concat(list);
        expect(read(cut(all))).toEqual(read([all]));
      }),
      { numRuns: RUNS },
    );
  });

  it.each([
    ['nonsense', 'nonsense\n\n'],
    ['an absolute target', 'GET http://h/ HTTP/1.1\nhost: h\n\n'],
    ['a space in the target', 'GET /a b HTTP/1.1\nhost: h\n\n'],
    ['another version', 'GET / HTTP/2.0\nhost: h\n\n'],
    ['no host', 'GET / HTTP/1.1\n\n'],
    ['two hosts', 'GET / HTTP/1.1\nhost: h\nHOST: g\n\n'],
    ['no colon', 'GET / HTTP/1.1\nhost: h\nno colon\n\n'],
    ['a blank before the colon', 'GET / HTTP/1.1\nhost: h\na : b\n\n'],
    ['a folded line', 'GET / HTTP/1.1\nhost: h\na: b\n c\n\n'],
    ['a bare line feed', 'GET / HTTP/1.1\r\nhost: h\na: b\r\n\r\n'.replace('h\r\n', 'h\n')],
    ['a null byte', 'GET / HTTP/1.1\nhost: h\na: \0\n\n'],
    ['a length that is none', 'POST / HTTP/1.1\nhost: h\ncontent-length: x\n\n'],
    ['a length with a sign', 'POST / HTTP/1.1\nhost: h\ncontent-length: +1\n\na'],
    ['two lengths', 'POST / HTTP/1.1\nhost: h\ncontent-length: 1\ncontent-length: 1\n\na'],
    ['a list of lengths', 'POST / HTTP/1.1\nhost: h\ncontent-length: 1, 1\n\na'],
    ['length and chunks', 'POST / HTTP/1.1\nhost: h\ncontent-length: 5\ntransfer-encoding: chunked\n\n0\n\n'],
    ['chunks in HTTP/1.0', 'POST / HTTP/1.0\nhost: h\ntransfer-encoding: chunked\n\n0\n\n'],
    ['a tab after a length', 'POST / HTTP/1.1\nhost: h\ncontent-length: 1\t\n\na'],
    ['a tab after a coding', 'POST / HTTP/1.1\nhost: h\ntransfer-encoding: chunked\t \n\n0\n\n'],
    ['another coding', 'POST / HTTP/1.1\nhost: h\ntransfer-encoding: gzip, chunked\n\n0\n\n'],
    ['a bad chunk size', 'POST / HTTP/1.1\nhost: h\ntransfer-encoding: chunked\n\n0x1\na\n0\n\n'],
    ['a chunk longer than its size', 'POST / HTTP/1.1\nhost: h\ntransfer-encoding: chunked\n\n1\nab\n0\n\n'],
    [
      'framing in a trailer',
      'POST / HTTP/1.1\nhost: h\ntransfer-encoding: chunked\n\n0\ncontent-length: 1\n\n',
    ],
    ['a head without end', `GET / HTTP/1.1\nhost: h\na: ${'a'.repeat(70_000)}`],
    ['too many fields', `GET / HTTP/1.1\nhost: h\n${'a:\n'.repeat(1_001)}\n`],
    [
      'trailers without end',
      `POST / HTTP/1.1\nhost: h\ntransfer-encoding: chunked\n\n0\n${'a: b\n'.repeat(20_000)}`,
    ],
  ])('refuses %s', (_name, text) => {
    const whole = text.includes('\r') ? Buffer.from(text, 'latin1') : bytes(text);
    expect(read([whole])).toEqual({ requests: [], refused: true });
  });

  it('bounds a body, told beforehand or in chunks', () => {
    expect(read([bytes('POST / HTTP/1.1\nhost: h\ncontent-length: 4\n\nabcd')], 3).refused).toBe(true);
    const chunks = 'POST / HTTP/1.1\nhost: h\ntransfer-encoding: chunked\n\n2\nab\n2\ncd\n0\n\n';
    expect(read([bytes(chunks)], 3).refused).toBe(true);
    expect(read([bytes(chunks)], 4).requests).toMatchObject([{ body: 'abcd' }]);
  });

  it('reports that a sender waits for 100 Continue', () => {
    const heads: RequestHead[] = [];
    const events = { head: (head: RequestHead) => void heads.push(head), piece: () => {}, end: () => {} };
    for (const head of [
      'expect: 100-Continue\ncontent-length: 2',
      'expect: 100-continue',
      'content-length: 2',
    ])
      new RequestReader(events, 10).feed(bytes(`POST / HTTP/1.1\nhost: h\n${head}\n\n`), 0);
    expect(heads.map(({ awaitsContinue }) => awaitsContinue)).toEqual([true, false, false]);
  });
});

describe('beside the parser of Node', () => {
  let server: Server;
  /** By the order of their heads; undefined where a body was not whole. */
  let seen: (Read | undefined)[] = [];
  const keep = async (request: IncomingMessage, keepAlive: boolean): Promise<void> => {
    const at = seen.push(undefined) - 1;
    const own = seen;
    let body = '';
    for await (const piece of request) body += (piece as Buffer).toString('latin1');
    const headers: Record<string, string> = {};
    for (let i = 0; i < request.rawHeaders.length; i += 2) {
      const name = request.rawHeaders[i]!.toLowerCase();
      const value = request.rawHeaders[i + 1]!;
      headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
    }
    own[at] = { method: request.method!, target: request.url!, headers, body, keepAlive };
  };

  beforeAll(async () => {
    server = createServer({ maxHeaderSize: 64 * 1024 }, (request, response) => {
      const { shouldKeepAlive } = response;
      void keep(request, shouldKeepAlive).then(
        () => response.end(),
        () => response.destroy(),
      );
    });
    server.on('checkContinue', (request, response) => server.emit('request', request, response));
    server.on('clientError', (_error, socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  /** What Node reads from the bytes, followed by the client's end. */
  function byNode(all: Buffer): Promise<(Read | undefined)[]> {
    seen = [];
    return new Promise((resolve) => {
      const socket: Socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
      socket.on('error', () => {});
      socket.on('close', () => resolve(seen));
      socket.resume();
      socket.end(all);
    });
  }

  it(
    'reads alike whatever it accepts',
    async () => {
      let accepted = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(requestBytes, { minLength: 1, maxLength: 3 }), async (list) => {
          const all = Buffer.concat(list);
          const { requests } = read([all]);
          if (requests.length === 0) return;
          accepted += requests.length;
          const theirs = await byNode(all);
          // We may close where Node would not, never the other way round.
          const alike = requests.map((one, at) => ({
            ...one,
            keepAlive: one.keepAlive || theirs[at]?.keepAlive,
          }));
          expect(theirs.slice(0, requests.length)).toEqual(alike);
        }),
        { numRuns: RUNS },
      );
      expect(accepted).toBeGreaterThan(RUNS / 6);
    },
    30_000 + RUNS * 20,
  );
});

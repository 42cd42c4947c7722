/** Requests are the same however their bytes are cut, and what is no request is refused. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BadRequest, type HttpRequest, RequestReader } from './request-reader.ts';

const BYTES = Buffer.from(
  'POST /v1/a?x=1 HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello' +
    'POST /b HTTP/1.1\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n' +
    'GET /c HTTP/1.0\r\n\r\n',
);

function read(cuts: readonly number[]): HttpRequest[] {
  const reader = new RequestReader();
  const at = [0, ...cuts.toSorted((a, b) => a - b), BYTES.length];
  return at.slice(1).flatMap((end, index) => reader.feed(BYTES.subarray(at[index], end)));
}

const shown = (request: HttpRequest) =>
  [request.method, request.path, request.body.toString(), request.keepAlive].join(' ');

it('reads bodies by length, in chunks, and none, for any cut', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(BYTES.length)), (cuts) => {
      expect(read(cuts).map(shown)).toEqual([
        'POST /v1/a hello true',
        'POST /b abcde false',
        'GET /c  false',
      ]);
    }),
  );
});

it.each([
  'nonsense\r\n\r\n',
  'GET / HTTP/1.1\r\nno colon\r\n\r\n',
  'POST / HTTP/1.1\r\ncontent-length: x\r\n\r\n',
  'a'.repeat(70_000),
])('refuses %#', (text) => {
  expect(() => new RequestReader().feed(Buffer.from(text))).toThrow(BadRequest);
});

it('notices a sender that waits for leave to send its body', () => {
  const reader = new RequestReader();
  reader.feed(Buffer.from('POST / HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n'));
  expect(reader.awaitsContinue).toBe(true);
  expect(reader.feed(Buffer.from('ok'))).toHaveLength(1);
  expect(reader.awaitsContinue).toBe(false);
});

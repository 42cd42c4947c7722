/** Responses are the same however their bytes are cut, and what does not fit its own head is noticed. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { NotHttp, ResponseReader } from './response-reader.ts';

interface Read {
  readonly status: number;
  readonly body: string;
  readonly ended: 'no' | 'reusable' | 'spent' | 'excess';
  readonly complete: boolean;
}

function read(text: string, cuts: readonly number[] = []): Read {
  const bytes = Buffer.from(text);
  let status = 0;
  let ended: Read['ended'] = 'no';
  const body: Buffer[] = [];
  const reader = new ResponseReader({
    head: (head) => {
      status = head.status;
    },
    body: (from, start, end) => void body.push(Buffer.from(from.subarray(start, end))),
    end: (reusable, excess) => {
      ended = excess ? 'excess' : reusable ? 'reusable' : 'spent';
    },
  });
  const at = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
  for (const [index, end] of at.slice(1).entries()) reader.feed(bytes, at[index]!, end);
  const complete = reader.closed();
  return { status, body: Buffer.concat(body).toString(), ended, complete };
}

const CHUNKED =
  'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\na;ext=1\r\n, wörld!!\r\n0\r\ntrailer: x\r\n\r\n';
const SIZED = 'HTTP/1.1 429 Too Many\r\nContent-Length: 4\r\nRetry-After: 2\r\n\r\nwait';

it.each([
  [CHUNKED, { status: 200, body: 'hello, wörld!!' }],
  [SIZED, { status: 429, body: 'wait' }],
])('%# reads the same for any cut', (text, expected) => {
  fc.assert(
    fc.property(fc.array(fc.nat(Buffer.byteLength(text))), (cuts) => {
      expect(read(text, cuts)).toMatchObject({ ...expected, ended: 'reusable', complete: true });
    }),
  );
});

it.each([
  ['a body short of its length', `${SIZED.slice(0, -1)}`, { ended: 'no', complete: false }],
  ['a body beyond its length', `${SIZED}!`, { body: 'wait', ended: 'excess' }],
  ['chunks without an end', CHUNKED.slice(0, -20), { ended: 'no', complete: false }],
  [
    'a body that lasts until the close',
    'HTTP/1.1 200 OK\r\n\r\nall',
    { body: 'all', ended: 'spent', complete: true },
  ],
  [
    'a server that will close',
    'HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n',
    { ended: 'spent' },
  ],
])('%s', (_, text, expected) => {
  expect(read(text)).toMatchObject(expected);
});

it.each(['SSH-2.0-x\r\n\r\n', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n'])(
  '%j is not HTTP',
  (text) => {
    expect(() => read(text)).toThrow(NotHttp);
  },
);

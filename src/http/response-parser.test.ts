import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutAnywhere, response } from '../../test/support/http-cases.ts';
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

/** FUZZ_RUNS raises the number of runs. */
const RUNS = Number(process.env.FUZZ_RUNS ?? 3_000);

const endless = (one: Read | 'refused') => (one === 'refused' ? one : { ...one, ends: one.ends.length });

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

  it('accepts or refuses the same bytes however they are split', () => {
    const seen = (chunks: readonly Buffer[]): Read | 'refused' => {
      try {
        return read(chunks, true);
      } catch {
        return 'refused';
      }
    };
    let accepted = 0;
    fc.assert(
      fc.property(response, cutAnywhere, (bytes, cut) => {
        const whole = seen([bytes]);
        const parts = seen(cut(bytes));
        // What follows the end is noticed only where it comes with it.
        expect(endless(parts)).toEqual(endless(whole));
        if (whole !== 'refused') accepted += 1;
      }),
      { numRuns: RUNS },
    );
    expect(accepted).toBeGreaterThan(RUNS / 6);
  });

  it('passes over interim responses, joins repeated fields and knows bodyless statuses', () => {
    const bytes = Buffer.concat([
      text('HTTP/1.1 100 Continue'),
      text('HTTP/1.1 103 Early Hints\nLink: x'),
      text('HTTP/1.1 204 No Content\nA: 1\na: 2'),
    ]);
    expect(read([bytes])).toMatchObject({ heads: [{ status: 204, headers: { a: '1, 2' } }], ends: [true] });
  });

  it('knows another protocol by its first bytes, whose head would never end', () => {
    for (const first of ['SSH-2.0-x', '-ERR', '\u0000', 'HTTP/2', 'HTTX']) {
      const bytes = Buffer.from(first, 'latin1');
      expect(() => read([bytes])).toThrow('not an HTTP/1 response');
      expect(() => read(Array.from(bytes, (byte) => Buffer.from([byte])))).toThrow('not an HTTP/1 response');
    }
    for (const begun of ['H', 'HTTP', 'HTTP/1.1 2']) expect(read([Buffer.from(begun)]).heads).toEqual([]);
  });

  it('does not reuse a connection after close, HTTP/1.0 or surplus bytes', () => {
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

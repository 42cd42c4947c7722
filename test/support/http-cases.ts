/** Requests and responses for tests: valid ones, mutants of them, and cuts of their bytes. */
import fc from 'fast-check';

/** Cuts bytes into parts at random places. */
export const cutAnywhere: fc.Arbitrary<(bytes: Buffer) => Buffer[]> = fc
  .array(fc.nat(), { maxLength: 20 })
  .map((cuts) => (bytes) => {
    const at = [0, ...cuts.map((one) => one % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
    return at.slice(1).map((end, index) => bytes.subarray(at[index], end));
  });

const header = fc.constantFrom(
  'Host: h',
  'host:h:1 ',
  'Content-Type: application/json',
  'accept: */*',
  'Accept: \t text/plain\t ',
  'x-empty:',
  'X-Latin: \xe4\xa0\xff',
  'x-latin: \xa0',
  'cookie: a=b; c=d',
  'Connection: close',
  'connection: keep-alive',
  'Connection: Keep-Alive, Close',
  'connection: upgrade',
  'Connection: x, Upgrade',
  'upgrade: h2c',
  'Expect: 100-continue',
  'TE: trailers',
  'Content-Length: 0',
  'content-length: 3',
  'Content-Length : 3',
  'content-length: 03',
  'content-length: 0\t',
  'transfer-encoding: chunked\t',
  'Transfer-Encoding: chunked',
  'transfer-encoding: identity',
  'transfer-encoding: chunked, chunked',
  'Transfer-Encoding: \tchunked ',
  ' folded: x',
  'Transfer_Encoding: chunked',
  'x-quote: "a, b"',
);
const content = fc.constantFrom('', 'abc', '{"a":1}', 'GET /x HTTP/1.1\r\nhost: h\r\n\r\n', '\r\n\r\n', 'ä');

const chunk = fc
  .tuple(content, fc.constantFrom('', '', '', ';a', ';a=b', ';a="b c"', '; a', ' ', '\t', ';'), fc.boolean())
  .map(([text, extension, padded]) =>
    text === ''
      ? ''
      : `${padded ? '00' : ''}${Buffer.byteLength(text, 'latin1').toString(16)}${extension}\r\n${text}\r\n`,
  );
const trailers = fc.constantFrom(
  '',
  '',
  '',
  'x-sum: 1\r\n',
  'content-length: 3\r\n',
  'bad line\r\n',
  ' x: y\r\n',
);
const chunkedBody = fc
  .tuple(fc.array(chunk, { maxLength: 3 }), trailers)
  .map(([chunks, end]) => `${chunks.join('')}0\r\n${end}\r\n`);

interface Framed {
  readonly field: readonly string[];
  readonly body: string;
}
const framed: fc.Arbitrary<Framed> = fc.oneof(
  fc.constant({ field: [], body: '' }),
  content.map((body) => ({ field: [`Content-Length: ${Buffer.byteLength(body, 'latin1')}`], body })),
  chunkedBody.map((body) => ({ field: ['Transfer-Encoding: chunked'], body })),
);

const requestLine = fc
  .tuple(
    fc.constantFrom(
      'GET',
      'POST',
      'POST',
      'POST',
      'PUT',
      'HEAD',
      'DELETE',
      'OPTIONS',
      'PATCH',
      'post',
      'BREW',
      'CONNECT',
    ),
    fc.constantFrom(
      '/',
      '/v1/chat/completions',
      '/a?b=c&d',
      '/%00"<>`{|}',
      '//x',
      '/a#b',
      '*',
      'http://h/x',
      '/\xe4',
      '',
    ),
    fc.constantFrom(
      'HTTP/1.1',
      'HTTP/1.1',
      'HTTP/1.1',
      'HTTP/1.1',
      'HTTP/1.0',
      'HTTP/1.2',
      'http/1.1',
      'HTTP/2.0',
    ),
  )
  .map((parts) => parts.join(' '));

const plainLine = fc.constantFrom('POST /v1/chat/completions HTTP/1.1', 'GET /v1/models HTTP/1.1');

/** One request, mostly a valid one; some with a few bytes changed, doubled or lost. */
export const request: fc.Arbitrary<Buffer> = fc
  .tuple(
    fc.oneof({ weight: 2, arbitrary: plainLine }, { weight: 1, arbitrary: requestLine }),
    fc.oneof({ weight: 6, arbitrary: fc.constant(['Host: h']) }, { weight: 1, arbitrary: fc.constant([]) }),
    fc.array(header, { maxLength: 3 }),
    framed,
  )
  .map(([line, host, more, { field, body }]) => {
    const head = [line, ...host, ...more, ...field].join('\r\n');
    return Buffer.from(`${head}\r\n\r\n${body}`, 'latin1');
  })
  .chain((whole) =>
    fc.oneof({ weight: 3, arbitrary: fc.constant(whole) }, { weight: 1, arbitrary: mutant(whole) }),
  );

const oddByte = fc.constantFrom(...[...'\r\n\t :;,0aF\0\x7f\xa0\xff'].map((one) => one.charCodeAt(0)));

/** The bytes with up to three changed, inserted or removed. */
export function mutant(whole: Buffer): fc.Arbitrary<Buffer> {
  const change = fc.tuple(fc.nat(), fc.constantFrom('set', 'insert', 'remove'), oddByte);
  return fc.array(change, { minLength: 1, maxLength: 3 }).map((changes) => {
    const bytes = [...whole];
    for (const [place, how, byte] of changes) {
      const at = place % (bytes.length + 1);
      if (how === 'insert') bytes.splice(at, 0, byte);
      else if (at < bytes.length) bytes.splice(at, 1, ...(how === 'set' ? [byte] : []));
    }
    return Buffer.from(bytes);
  });
}

const statusLine = fc.constantFrom(
  'HTTP/1.1 200 OK',
  'HTTP/1.1 200 OK',
  'HTTP/1.1 200',
  'HTTP/1.0 200 OK',
  'HTTP/1.1 204 No Content',
  'HTTP/1.1 500 \xe4',
  'HTTP/1.1 101 Switching Protocols',
  'HTTP/2 200',
  'HTTP/1.1 99 X',
);

/** One response, mostly a valid one, some behind interim ones, some with bytes after their end, and mutants. */
export const response: fc.Arbitrary<Buffer> = fc
  .tuple(
    fc.constantFrom('', '', 'HTTP/1.1 100 Continue\r\n\r\n', 'HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n'),
    statusLine,
    fc.array(header, { maxLength: 3 }),
    framed,
    fc.constantFrom('', '', '', 'x', 'HTTP/1.1 200 OK\r\n\r\n'),
  )
  .map(([interim, line, more, { field, body }, surplus]) =>
    Buffer.from(`${interim}${[line, ...more, ...field].join('\r\n')}\r\n\r\n${body}${surplus}`, 'latin1'),
  )
  .chain((whole) =>
    fc.oneof({ weight: 3, arbitrary: fc.constant(whole) }, { weight: 1, arbitrary: mutant(whole) }),
  );

/** What may come on a connection in place of a request: plain ones, unusual ones, and any of them with bytes changed. */
import type { Random } from '../src/core/random.ts';

const LINES = [
  'POST /v1/chat/completions HTTP/1.1',
  'POST /v1/chat/completions HTTP/1.1',
  'POST /v1/completions?a=b HTTP/1.1',
  'GET /v1/models HTTP/1.1',
  'GET /%00"<>`{|}~\\^ HTTP/1.1',
  'GET //x HTTP/1.1',
];
const ODD_LINES = [
  'HEAD / HTTP/1.1',
  'PUT /x HTTP/1.1',
  'post / HTTP/1.1',
  'POST http://h/x HTTP/1.1',
  'POST * HTTP/1.1',
  'GET /a#b HTTP/1.1',
  'GET / HTTP/1.0',
  'GET / HTTP/1.2',
  'GET / http/1.1',
  'GET  / HTTP/1.1',
  'GET / HTTP/1.1 ',
  'GET /\xe4 HTTP/1.1',
  'CONNECT h:80 HTTP/1.1',
  'PRI * HTTP/2.0',
  ' GET / HTTP/1.1',
  '\r\nGET / HTTP/1.1',
];
const FIELDS = [
  'content-type: application/json',
  'Content-Type: application/json; charset=utf-8',
  'accept: */*',
  'Accept-Encoding: gzip, deflate',
  'User-Agent: OpenAI/Python 1.0',
  'Authorization: Bearer er-abc',
  'x-api-key:abc',
  'X-Stainless-Lang: \t python \t',
  'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  'x-empty:',
  'x-blank: \t ',
  'cookie: a=b; c=d',
  'Connection: keep-alive',
  'connection:Keep-Alive ',
  'x-colon: a:b:c',
  'x-quote: "a, b"',
];
const ODD_FIELDS = [
  'Host: other',
  'connection: close',
  'Connection: keep-alive, close',
  'connection: upgrade',
  'Connection: x, Upgrade',
  'connection: content-length',
  'upgrade: h2c',
  'Expect: 100-continue',
  'expect: x',
  'TE: trailers',
  'Trailer: x',
  'keep-alive: timeout=5',
  'Transfer-Encoding: chunked',
  'transfer-encoding: identity',
  'Transfer-Encoding: \tchunked ',
  'transfer-encoding : chunked',
  'Transfer_Encoding: chunked',
  'Content-Length: 0',
  'content-length: 3',
  'content-length: 03',
  'content-length: +3',
  'content-length: 3, 3',
  'content-length: 3,4',
  'content-length: 0x3',
  'content-length: 3 ',
  'content-length:\t3',
  'content-length: -1',
  'content-length: 99999999999999999999',
  'content-length:',
  'Content-Length : 3',
  'x-latin: \xe4\xa0\xff',
  'accept: second',
  'set-cookie: a',
  '__proto__: x',
  'constructor: x',
  'x_y: z',
  ' folded: x',
  '\tfolded',
  'no colon',
  ': no name',
  'x-bare: a\rb',
  'x-bare: a\nb',
  'x-null: a\0b',
  'x-del: \x7f',
  `x-long: ${'a'.repeat(17_000)}`,
];
const BODIES = ['', 'abc', '{"model":"auto"}', 'GET /x HTTP/1.1\r\nhost: h\r\n\r\n', '\r\n\r\n', '\xe4\0'];
const ODD_BODIES = ['3\r\nabc\r\n0\r\n\r\n', '0\r\n\r\n', '3;x=y\r\nabc\r\n0\r\nt: x\r\n\r\n'];
const ODD_BYTES = Buffer.from('\r\n\t :;,0aFgP/H\0\x7f\xa0\xff', 'latin1');

/** Bytes as a client may send them: half of them one plain request. */
export function sentRequest(random: Random): Buffer {
  const one = (list: readonly string[]): string => list[random.below(list.length)]!;
  const odd = random.below(2) === 0;
  const rarely = (): boolean => odd && random.below(4) === 0;
  const line = rarely() ? one(ODD_LINES) : one(LINES);
  const body = rarely() ? one(ODD_BODIES) : line.startsWith('GET') ? '' : one(BODIES);
  const fields = random.below(20) === 0 ? [] : ['Host: localhost:8080'];
  for (let count = random.below(6); count > 0; count -= 1)
    fields.push(rarely() ? one(ODD_FIELDS) : one(FIELDS));
  const length = body.length + (rarely() ? random.below(5) - 2 : 0);
  if (!line.startsWith('GET') && !rarely()) fields.push(`Content-Length: ${length}`);
  shuffle(fields, random);
  const end = rarely() ? one(['\n', '\r', '\r\n ']) : '\r\n';
  const more = rarely() ? one(['x', '\r\n', 'GET / HTTP/1.1\r\nhost: h\r\n\r\n']) : '';
  const whole = Buffer.from(`${[line, ...fields].join(end)}\r\n\r\n${body}${more}`, 'latin1');
  return odd && random.below(2) === 0 ? mutant(whole, random) : whole;
}

function shuffle(list: string[], random: Random): void {
  for (let at = list.length - 1; at > 0; at -= 1) {
    const other = random.below(at + 1);
    [list[at], list[other]] = [list[other]!, list[at]!];
  }
}

/** With up to three bytes changed, inserted or removed, mostly in the head. */
function mutant(whole: Buffer, random: Random): Buffer {
  let bytes = whole;
  for (let count = 1 + random.below(3); count > 0; count -= 1) {
    const at = random.below(bytes.length + 1);
    const byte = random.below(4) === 0 ? random.below(256) : ODD_BYTES[random.below(ODD_BYTES.length)]!;
    const how = random.below(3);
    const put = how === 2 ? [] : [byte];
    bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from(put), bytes.subarray(how === 1 ? at : at + 1)]);
  }
  return bytes;
}

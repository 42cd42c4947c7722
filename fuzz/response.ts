/**
 * The reader of experts' answers: wherever the bytes are cut, it reads the same, and what it takes for a whole answer
 * Node's client reads with the same status and body, if it reads it at all.
 */
import { request } from 'node:http';
import { Duplex } from 'node:stream';
import type { Random } from '../src/core/random.ts';
import { FramingError } from '../src/http/fields.ts';
import { ResponseParser } from '../src/http/response-parser.ts';
import { cut, damaged, oneOf } from './mutate.ts';

/** An answer as it was read. */
interface Read {
  status: number;
  body: string;
  end: 'open' | 'whole' | 'refused';
}

const LINES = [
  'HTTP/1.1 200 OK',
  'HTTP/1.1 200 ',
  'HTTP/1.1 200',
  'HTTP/1.0 200 OK',
  'HTTP/1.1 404 Not Found',
  'HTTP/1.1 500 x y z',
];
const ODD_LINES = [
  'HTTP/1.1 100 Continue',
  'HTTP/1.1 103 Early Hints',
  'HTTP/1.1 204 x',
  'HTTP/1.1 304 x',
  'HTTP/1.1 99 x',
  'HTTP/2 200 OK',
  'HTTP/1.1  200 OK',
  'http/1.1 200 OK',
  ' HTTP/1.1 200 OK',
  'HTTP/1.1 2000 OK',
  'HTTP/1.1 200 \xe4',
  'ICY 200 OK',
];
const FIELDS = [
  'content-type: application/json',
  'x-a: b',
  'x-empty:',
  'connection: close',
  'Connection: keep-alive',
  'x-tab: \t a \t',
  'date: now',
];
const ODD_FIELDS = [
  'content-length: 3',
  'content-length: +3',
  'content-length: 3, 3',
  'content-length: 0x3',
  'content-length: ',
  'transfer-encoding: chunked',
  'transfer-encoding: gzip, chunked',
  'Transfer-Encoding: xchunked',
  'x : y',
  'no colon',
  ' folded: x',
  'x-\xe4: y',
  'trailer: x',
  'upgrade: h2c',
  'content-length: 99999999999999999999',
];
const CHUNK_ENDS = [
  '0\r\n\r\n',
  '0\r\nx: y\r\n\r\n',
  '00\r\n\r\n',
  '0;a=b\r\n\r\n',
  '0\r\n',
  '0\n\n',
  '\r\n',
];
const SIZES = ['', ';x', ';x="a;b"', ' ', '\t'];

function response(random: Random): Buffer {
  const odd = random.next() < 0.4;
  const body = 'x'.repeat(random.below(oneOf([1, 4, 40, 3_000], random)));
  const lines = [oneOf(odd ? [...LINES, ...ODD_LINES] : LINES, random)];
  for (let i = random.below(4); i > 0; i -= 1) lines.push(oneOf(FIELDS, random));
  if (odd) for (let i = random.below(3); i > 0; i -= 1) lines.push(oneOf(ODD_FIELDS, random));
  const how = random.below(3);
  if (how === 0) lines.push(`content-length: ${body.length}`);
  if (how === 1) lines.push('transfer-encoding: chunked');
  const head = `${lines.join(odd && random.next() < 0.1 ? '\n' : '\r\n')}\r\n\r\n`;
  const after = odd && random.next() < 0.3 ? oneOf(['\r\n', 'HTTP/1.1 200 OK\r\n\r\n', 'y'], random) : '';
  const bytes = Buffer.from(`${head}${how === 1 ? chunked(body, random, odd) : body}${after}`, 'latin1');
  return odd ? damaged(bytes, random) : bytes;
}

function chunked(body: string, random: Random, odd: boolean): string {
  let text = '';
  for (let at = 0; at < body.length; ) {
    const size = Math.min(body.length - at, 1 + random.below(200));
    text += `${size.toString(16)}${odd ? oneOf(SIZES, random) : ''}\r\n${body.slice(at, at + size)}\r\n`;
    at += size;
  }
  return text + (odd ? oneOf(CHUNK_ENDS, random) : CHUNK_ENDS[0]);
}

function readHere(pieces: readonly Buffer[]): Read {
  const read: Read = { status: 0, body: '', end: 'open' };
  const parser = new ResponseParser({
    head: ({ status }) => {
      read.status = status;
    },
    data: (payload) => {
      read.body += payload.toString('latin1');
    },
    end: () => {
      read.end = 'whole';
    },
  });
  try {
    for (const piece of pieces) parser.feed(Buffer.from(piece)); // its own memory, as a socket's
    if (read.end === 'open') parser.close();
  } catch (error) {
    if (!(error instanceof FramingError)) throw error;
    return { ...read, end: 'refused' };
  }
  return read;
}

/** A connection in memory that has its answer ready. */
class Wire extends Duplex {
  override _read(): void {}
  override _write(_chunk: unknown, _encoding: string, done: () => void): void {
    done();
  }
}

function readByNode(bytes: Buffer): Promise<Read> {
  return new Promise((resolve) => {
    const wire = new Wire();
    const read: Read = { status: 0, body: '', end: 'open' };
    const done = (end: Read['end']): void => {
      wire.destroy();
      resolve({ ...read, end });
    };
    const asked = request({ createConnection: () => wire as never, host: 'x' }, (answer) => {
      read.status = answer.statusCode!;
      answer.setEncoding('latin1');
      answer.on('data', (text: string) => {
        read.body += text;
      });
      answer.on('end', () => done(answer.complete ? 'whole' : 'open'));
      answer.on('error', () => done('refused'));
    });
    asked.on('error', () => done('refused'));
    asked.on('upgrade', () => done('refused'));
    asked.end();
    wire.push(bytes);
    wire.push(null);
  });
}

export async function fuzzResponses(
  random: Random,
  runs: number,
  progress: (tried: number) => void = () => {},
): Promise<number> {
  let taken = 0;
  for (let tried = 0; tried < runs; tried += 1) {
    const bytes = response(random);
    const whole = readHere([bytes]);
    const inPieces = readHere(cut(bytes, random));
    // An error may come before or after the bytes of the same read.
    const alike = whole.end === inPieces.end && (whole.end === 'refused' || whole.body === inPieces.body);
    if (!alike || whole.status !== inPieces.status) fail('Cut, it is read otherwise', bytes, whole, inPieces);
    if (whole.end === 'whole') {
      taken += 1;
      const there = await readByNode(bytes);
      const same = there.end === 'whole' && there.status === whole.status && there.body === whole.body;
      // Node is stricter about what stands in a head; where an answer ends there is only one opinion.
      if (!same && there.end !== 'refused') fail('Node reads it otherwise', bytes, whole, there);
    }
    progress(tried + 1);
  }
  return taken;
}

function fail(what: string, bytes: Buffer, here: Read, there: Read): never {
  const text = JSON.stringify(bytes.toString('latin1'));
  throw new Error(`${what}: ${text}\nhere ${JSON.stringify(here)}\nthere ${JSON.stringify(there)}`);
}

/**
 * The reader of plain requests beside Node's parser: whatever it takes, Node reads as the same method, target, fields
 * and body, and as one request whose connection may be kept. What it does not take is Node's to read, so nothing is
 * asked of it there.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Duplex } from 'node:stream';
import type { Random } from '../src/core/random.ts';
import { readPlainRequest } from '../src/http/plain-request.ts';
import { sentRequest } from './request-inputs.ts';

/** A request as a parser reads it. */
interface Read {
  readonly method: string;
  readonly target: string;
  /** Names in lower case and values, by name. */
  readonly fields: readonly string[];
  /** In latin1. */
  readonly body: string;
  readonly keepAlive: boolean;
}

/** A connection in memory. */
class Wire extends Duplex {
  constructor() {
    super({ allowHalfOpen: true });
  }
  override _read(): void {}
  override _write(_chunk: unknown, _encoding: string, done: () => void): void {
    done();
  }
}

/** Node's server, which tells what it reads. */
class NodeReader {
  readonly #server: Server;
  #settle: (seen: readonly (Read | 'refused')[]) => void = () => {};
  #seen: (Read | 'refused')[] = [];

  constructor() {
    this.#server = createServer((request, response) => this.#read(request, response));
    this.#server.on('checkContinue', () => this.#done('refused'));
    this.#server.on('checkExpectation', () => this.#done('refused'));
    this.#server.on('upgrade', () => this.#done('refused'));
    this.#server.on('connect', () => this.#done('refused'));
    this.#server.on('clientError', () => this.#done('refused'));
  }

  /** What comes of bytes that the reader takes for one whole request; a second thing in the list is one too many. */
  async read(bytes: Buffer): Promise<readonly (Read | 'refused')[]> {
    const wire = new Wire();
    this.#seen = [];
    const done = new Promise<readonly (Read | 'refused')[]>((resolve) => {
      this.#settle = resolve;
    });
    this.#server.emit('connection', wire);
    wire.push(bytes);
    wire.on('end', () => setImmediate(() => this.#settle(this.#seen)));
    wire.push(null);
    wire.resume();
    const seen = await done;
    wire.destroy();
    return seen;
  }

  #read(request: IncomingMessage, response: ServerResponse): void {
    const body: Buffer[] = [];
    const at = this.#seen.push('refused') - 1;
    const seen = this.#seen;
    request.on('data', (piece: Buffer) => body.push(piece));
    request.on('end', () => {
      seen[at] = {
        method: request.method!,
        target: request.url!,
        fields: fieldsOf(request.headers, request.rawHeaders.length / 2),
        body: Buffer.concat(body).toString('latin1'),
        keepAlive: response.shouldKeepAlive,
      };
      response.end();
    });
  }

  #done(what: 'refused'): void {
    this.#seen.push(what);
  }
}

/** @param count how many lines there were: a repeated field would be lost otherwise */
function fieldsOf(headers: IncomingMessage['headers'] | Readonly<Record<string, string>>, count: number) {
  const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return [...fields.sort(), `${count} fields`];
}

/**
 * Tries so many inputs.
 * @param progress called after each with how many were tried
 * @returns how many of them the reader took @throws Error with the input that the two read differently
 */
export async function fuzzRequests(
  random: Random,
  runs: number,
  progress: (tried: number) => void = () => {},
): Promise<number> {
  const node = new NodeReader();
  let taken = 0;
  for (let tried = 0; tried < runs; tried += 1) {
    const input = sentRequest(random);
    const request = readPlainRequest(input);
    if (request !== null) {
      taken += 1;
      const end = request.bodyAt + request.bodyLength;
      // A body that is not all there comes, one that is too long is the next request's beginning.
      const missing = Buffer.alloc(Math.min(1_000_000, Math.max(0, end - input.length)), 'x');
      const bytes = Buffer.concat([input, missing]).subarray(0, end);
      const { method, target, headers, bodyAt } = request;
      const own: Read = {
        method,
        target,
        fields: fieldsOf(headers, Object.keys(headers).length),
        body: bytes.toString('latin1', bodyAt),
        keepAlive: true,
      };
      const [theirs, ...more] = bytes.length === end ? await node.read(bytes) : [own];
      if (more.length > 0 || JSON.stringify(theirs) !== JSON.stringify(own))
        throw new Error(
          `Read differently: ${JSON.stringify(input.toString('latin1'))}\nhere ${JSON.stringify(own)}\nthere ${JSON.stringify([theirs, ...more])}`,
        );
    }
    progress(tried + 1);
  }
  return taken;
}

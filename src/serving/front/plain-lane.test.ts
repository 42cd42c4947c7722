/** A connection is answered alike by the plain lane with Node behind it, and by Node alone, however its bytes are cut. */
import { createServer as createHttp, type Server as HttpServer } from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sentRequest } from '../../../fuzz/request-inputs.ts';
import { rawClient } from '../../../test/support/raw-client.ts';
import { bind } from '../../core/bind.ts';
import { seededRandom } from '../../core/random.ts';
import { readBody } from './body.ts';
import { answerExpectations } from './continue.ts';
import type { ClientRequest, ClientResponse } from './exchange.ts';
import { answerMalformed, tooLate } from './malformed.ts';
import { whenItsTurn } from './pipeline.ts';
import { PlainLane } from './plain-lane.ts';
import type { PlainResponse } from './plain-response.ts';

const TIMEOUTS = { keepAliveTimeout: 75_000, headersTimeout: 20_000, requestTimeout: 120_000 };

/** Requests that the lane answered itself. */
let plain = 0;
let now = 0;
/** Responses that are ended by hand, for requests whose target says so. */
let open: PlainResponse[] = [];
let alone: HttpServer;
let behind: HttpServer;
let front: Server;
let lane: PlainLane;
const port = { alone: 0, front: 0 };

async function echo(request: ClientRequest, response: ClientResponse): Promise<void> {
  const { bytes } = await readBody({ request, response }, 1);
  const said = Buffer.concat([Buffer.from(`${request.method} ${request.url} `), bytes]);
  if (request.url?.includes('a=b')) {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(said);
    response.end('data: [DONE]\n\n');
  } else response.writeHead(201, { 'x-some': 'field', 'content-length': said.length }).end(said);
}

const failed = (response: ClientResponse) => () => void response.destroy();

beforeAll(async () => {
  const listen = async (server: Server) => Number(new URL(await bind(server, '127.0.0.1', 0)).port);
  const node = () => {
    const server = createHttp({ keepAliveTimeout: 75_000 }, (request, response) => {
      whenItsTurn(response, () => void echo(request, response).catch(failed(response)));
    });
    answerExpectations(server);
    answerMalformed(server);
    return server;
  };
  alone = node();
  behind = node();
  lane = new PlainLane({
    handle: (request, response) => {
      plain += 1;
      if (request.url === '/later') open.push(response);
      else echo(request, response).catch(failed(response));
    },
    toNode: (socket: Socket) => {
      behind.emit('connection', socket);
      socket.resume();
    },
    tooLate,
    now: () => now,
    timeouts: TIMEOUTS,
  });
  front = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => lane.accept(socket));
  port.alone = await listen(alone);
  port.front = await listen(front);
});
afterAll(() => {
  lane.closeAll();
  for (const server of [alone, behind]) server.closeAllConnections();
  for (const server of [alone, front]) server.close();
});
beforeEach(() => {
  plain = 0;
  open = [];
});

const request = (target: string, body = ''): string =>
  `POST ${target} HTTP/1.1\r\nhost: h\r\ncontent-length: ${body.length}\r\n\r\n${body}`;

describe('the plain lane', () => {
  it('answers what is plain, one request after another, in one packet each', async () => {
    const client = rawClient(port.front);
    for (const [at, body] of ['one', 'two', ''].entries()) {
      client.send(request('/x', body));
      const seen = await client.see((_text, packets) => packets.length > at);
      expect(seen.packets[at]!.toString().endsWith(`\r\n\r\nPOST /x ${body}`)).toBe(true);
    }
    expect(plain).toBe(3);
    client.close();
  });

  it('takes a body that follows its head, byte by byte', async () => {
    const client = rawClient(port.front);
    const bytes = request('/x', 'abcdef');
    const head = bytes.indexOf('abc');
    client.send(bytes.slice(0, head));
    for (const byte of bytes.slice(head)) {
      await sleep(2);
      client.send(byte);
    }
    const { text } = await client.see((all) => all.endsWith('POST /x abcdef'));
    expect(text).toMatch(/^HTTP\/1\.1 201 Created\r\n.*x-some: field\r\n/s);
    expect(plain).toBe(1);
    client.close();
  });

  it.each([
    ['several requests at once', `${request('/x', 'a')}${request('/x', 'b')}`],
    ['a head in two pieces', [request('/x', 'a').slice(0, 20), request('/x', 'a').slice(20)]],
    ['a large body', request('/x', 'a'.repeat(70_000))],
    ['chunks', 'POST /x HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n'],
    ['an expectation', `${request('/x', 'a').replace('host', 'expect: 100-continue\r\nhost')}`],
  ])('leaves to Node %s, after what it answered itself', async (_name, sent) => {
    const client = rawClient(port.front);
    client.send(request('/x', 'first'));
    await client.see((text) => text.endsWith('first'));
    for (const piece of [sent].flat()) {
      client.send(piece);
      await sleep(20);
    }
    const seen = await client.see(
      (text) => /first.*POST \/x (a|b)+$/s.test(text) && !(sent.includes('b') && text.endsWith('a')),
    );
    expect(seen.text.match(/HTTP\/1\.1 201/g)!.length).toBe(sent.includes('POST', 5) ? 3 : 2);
    expect(plain).toBe(1);
    client.close();
  });

  it('answers what comes before its turn afterwards', async () => {
    const client = rawClient(port.front);
    client.send(request('/later'));
    await until(() => open.length === 1);
    client.send(request('/x', 'second'));
    await sleep(30);
    expect(plain).toBe(1);
    open[0]!.end('first');
    const { text } = await client.see((all) => all.endsWith('second'));
    expect(text).toMatch(/first.*second$/s);
    client.close();
  });

  it('tells a response that its client has gone', async () => {
    const client = rawClient(port.front);
    client.send(request('/later'));
    await until(() => open.length === 1);
    let closed = 0;
    open[0]!.once('close', () => {
      closed += 1;
    });
    client.close();
    await until(() => closed === 1);
    expect(open[0]).toMatchObject({ destroyed: true, writableFinished: false });
  });

  it('sets no field that could be taken for two', async () => {
    const client = rawClient(port.front);
    client.send(request('/later'));
    await until(() => open.length === 1);
    expect(() => open[0]!.setHeader('x-a', 'b\r\nset-cookie: c')).toThrow('no header may have');
    expect(() => open[0]!.writeHead(200, { 'x-a': 'b\n' })).toThrow('no header may have');
    client.close();
  });

  it.each([
    ['says nothing', '', 'headersTimeout', '408'],
    ['does not finish its body', request('/x', 'abc').slice(0, -1), 'requestTimeout', '408'],
    ['sends no further request', request('/x', 'abc'), 'keepAliveTimeout', '201'],
  ] as const)('ends the connection of a client that %s', async (_name, bytes, limit, status) => {
    const client = rawClient(port.front);
    client.send(bytes);
    await client.see((text) => text.endsWith('abc'), 50);
    lane.look();
    now += TIMEOUTS[limit] - 1;
    lane.look();
    expect((await client.see(undefined, 20)).end).toBe('open');
    now += 1;
    lane.look();
    const { text, end } = await client.see();
    expect(end).toBe('closed');
    expect(text).toContain(`HTTP/1.1 ${status} `);
    client.close();
  });
});

describe('beside Node alone', () => {
  /** Everything that comes back to both, without what differs by the clock. */
  async function answers(pieces: readonly Buffer[]): Promise<readonly [string, string]> {
    const clients = [rawClient(port.front), rawClient(port.alone)] as const;
    for (const piece of pieces) {
      for (const client of clients) client.send(piece);
      await sleep(4);
    }
    const seen = async (client: (typeof clients)[0]) => normal((await client.see(undefined, 5)).text);
    await sleep(15);
    // On a busy machine one of them may need longer.
    for (const deadline = performance.now() + 5_000; ; ) {
      const both = [await seen(clients[0]), await seen(clients[1])] as const;
      if (!alike(...both) && performance.now() < deadline) continue;
      for (const client of clients) client.close();
      return both;
    }
  }

  it('a connection gets the same answers', async () => {
    const random = seededRandom(Date.now() % 1_000_000);
    for (let run = 0; run < 120; run += 1) {
      const list = Array.from({ length: 1 + random.below(3) }, () => sentRequest(random));
      const all = Buffer.concat(list);
      const cuts = Array.from({ length: random.below(4) }, () => random.below(all.length + 1));
      const at = [0, ...cuts.sort((a, b) => a - b), all.length];
      const cut = at.slice(1).map((end, index) => all.subarray(at[index], end));
      const pieces = random.below(2) === 0 ? list : cut;
      const [ours, theirs] = await answers(pieces);
      if (!alike(ours, theirs)) expect(ours, JSON.stringify(all.toString('latin1'))).toBe(theirs);
    }
    expect(plain).toBeGreaterThan(5);
  });
});

/**
 * What is malformed ends the connection. Requests sent along before it may be answered or not, and what is answered says
 * that the connection closes if the malformed bytes had come by then.
 */
function alike(ours: string, theirs: string): boolean {
  if (ours === theirs) return true;
  const malformed = [ours, theirs].some(
    (text) => text === '' || /HTTP\/1\.1 4|^connection: close/m.test(text),
  );
  const answered = (text: string) =>
    text.split('HTTP/1.1 4')[0]!.replaceAll(/^(?:connection|keep-alive): .*\r\n/gm, '');
  const [own, other] = [answered(ours), answered(theirs)];
  return malformed && (own.startsWith(other) || other.startsWith(own));
}

/** Fields in one order and case, and no date. */
function normal(text: string): string {
  return text.replaceAll(/^date: .*\r\n/gim, '').replaceAll(/^[\w-]+(?=: )/gm, (name) => name.toLowerCase());
}

async function until(holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error('never happened');
    await sleep(5);
  }
}

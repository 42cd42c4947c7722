/** Whatever an expert sends without end, the gateway takes a bounded part of it, answers, and goes on serving others. */
import { createServer, type ServerResponse } from 'node:http';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bind } from '../src/core/bind.ts';
import { eventually, gateway } from './support/gateway.ts';

const MB = 1024 * 1024;
/** Beyond this the gateway takes anything. */
const ENDLESS = 256 * MB;
const PIECE = Buffer.alloc(MB / 4, 'x');

/** Bytes that the gateway took, by what was sent. */
const taken: Record<string, number> = {};

function pour(response: ServerResponse, what: string, piece: Buffer = PIECE): void {
  taken[what] = 0;
  const next = (): void => {
    if (response.destroyed || taken[what]! >= ENDLESS) return void response.destroy();
    taken[what]! += piece.length;
    response.write(piece, next);
  };
  next();
}

const server = createServer((request, response) => {
  const [, what = '', ...rest] = request.url!.split('/');
  request.resume();
  const path = rest.join('/');
  if (path.endsWith('metrics')) {
    response.writeHead(200, { 'content-type': 'text/plain' });
    return pour(
      response,
      'metrics',
      Buffer.from('vllm:num_requests_running{model_name="m"} 1\n'.repeat(4_000)),
    );
  }
  if (path.endsWith('models'))
    return void response.writeHead(200).end('{"data":[{"id":"m","object":"model"}]}');
  const type = what === 'error' || what === 'whole' ? 'application/json' : 'text/event-stream';
  response.writeHead(what === 'error' ? 500 : 200, { 'content-type': type });
  if (what === 'line') response.write('data: {"choices":[{"index":0,"delta":{"content":"');
  pour(response, what, what === 'comments' ? Buffer.from(': nothing\n\n'.repeat(20_000)) : PIECE);
});
let url: string;

beforeAll(async () => {
  url = await bind(server, '127.0.0.1', 0);
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

it.each(['error', 'line', 'comments'])(
  '%s without end',
  async (what) => {
    const router = await gateway(
      `experts: [{ id: e, kind: openai, url: '${url}/${what}/v1', first_token_timeout: 20s }, { id: a, kind: anthropic, url: '${url}/${what}-a/v1' }]`,
    );
    const ask = { messages: [{ role: 'user', content: 'hi' }], stream: what !== 'error' };
    for (const model of ['e', 'a']) {
      const response = await router.post('/v1/chat/completions', { model, ...ask });
      // A stream that has begun is the client's to read or to leave; it is not held here.
      if (response.ok) await response.body!.cancel();
      else await response.text();
      if (what === 'error') expect(response.status).toBeGreaterThanOrEqual(500);
    }
    for (const [name, bytes] of Object.entries(taken)) expect([name, bytes < 64 * MB]).toEqual([name, true]);
    expect((await fetch(`${router.url}/health`)).status).toBe(200);
    await router.close();
  },
  60_000,
);

it('a page of metrics without end', async () => {
  const router = await gateway(
    `experts: [{ id: e, kind: openai, url: '${url}/m/v1', metrics_url: '${url}/m/metrics' }]`,
    { probes: true },
  );
  await eventually('the page was asked for', () => taken.metrics !== undefined);
  await eventually('the gateway has had enough', async () => {
    const before = taken.metrics!;
    await new Promise((resolve) => setTimeout(resolve, 200));
    return taken.metrics! <= before;
  });
  expect(taken.metrics).toBeLessThan(64 * MB);
  await router.close();
}, 15_000);

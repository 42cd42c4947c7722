/** A client that leaves is noticed by every answer of its connection, also by those that wait behind another. */
import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, gateway, type RunningGateway } from './support/gateway.ts';
import { chatRequest, rawClient } from './support/raw-client.ts';
import { type Upstream, upstream } from './support/upstream.ts';

const answering = new Set<ServerResponse>();
let asked = 0;
let expert: Upstream;
let router: RunningGateway;

// Begins every answer and never ends one.
beforeAll(async () => {
  expert = await upstream((response) => {
    asked += 1;
    answering.add(response);
    response.on('close', () => answering.delete(response));
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n');
  });
  router = await gateway(`experts: [{ id: one, kind: openai, url: '${expert.url}' }]`);
});
afterAll(async () => {
  await router.close();
  await expert.close();
});

it.each([1, 2, 15])('%d pipelined requests end at the expert when their client leaves', async (count) => {
  asked = 0;
  const client = rawClient(Number(new URL(router.url).port));
  client.send(chatRequest({ model: 'auto', stream: true }).repeat(count));
  await eventually('all requests reach the expert', () => asked === count);
  expect(answering.size).toBe(count);
  client.close();
  await eventually('all answers end', () => answering.size === 0);
  expect(await router.metric('expert_router_inflight{expert="one"}')).toBe(0);
});

describe('a body that breaks off from HTTP', () => {
  const head = 'POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n';

  it.each([
    ['a chunk of no size', `${head}transfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n`],
    ['a chunk longer than its size', `${head}transfer-encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n`],
    ['a coding that is none', `${head}transfer-encoding: xchunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`],
  ])('is told what is wrong: %s', async (_what, bytes) => {
    const client = rawClient(Number(new URL(router.url).port));
    client.send(bytes);
    const seen = await client.see();
    expect(seen.text).toMatch(/^HTTP\/1\.1 400 /);
    expect(seen.text).toContain('This is not an HTTP/1.1 request');
    expect(seen.end).toBe('closed');
    client.close();
  });
});

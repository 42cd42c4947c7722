/** Pipelined requests are begun one after another, and a client that leaves is noticed by all of its connection's. */
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

it.each([1, 2, 15])(
  'of %d pipelined requests one is begun, and it ends when its client leaves',
  async (count) => {
    asked = 0;
    const client = rawClient(Number(new URL(router.url).port));
    client.send(chatRequest({ model: 'auto', stream: true }).repeat(count));
    await client.see((text) => text.includes('"content":"a"'));
    expect([asked, answering.size]).toEqual([1, 1]);
    client.close();
    await eventually('the answer ends', () => answering.size === 0);
    await eventually(
      'nothing is in flight',
      async () => (await router.metric('expert_router_inflight{expert="one"}')) === 0,
    );
    expect(asked).toBe(1);
  },
);

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

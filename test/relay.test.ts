/** Bytes out are bytes in: whatever an expert streams, however it is cut, reaches the client unchanged. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gateway, type RunningGateway } from './support/gateway.ts';
import { type Upstream, upstream } from './support/upstream.ts';

let pieces: readonly Uint8Array[] = [];
let expert: Upstream;
let router: RunningGateway;

beforeAll(async () => {
  expert = await upstream(async (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const piece of pieces) {
      response.write(piece);
      await new Promise((resolve) => setImmediate(resolve));
    }
    response.end();
  });
  router = await gateway(`experts: [{ id: one, kind: openai, url: '${expert.url}' }]`);
});

afterAll(async () => {
  await router.close();
  await expert.close();
});

/** Fragments as servers send them: comments, event fields, CRLF, code points cut in two, no final newline. */
const fragment = fc.oneof(
  fc
    .constantFrom(
      ': ping\n\n',
      'event: x\r\n',
      'data: {"a":1}\n\n',
      'data: [DONE]\n\n',
      '\r\n\r\n',
      'data:',
      '0\r\n\r\n',
      'HTTP/1.1 200 OK\r\n\r\n',
    )
    .map((text) => Buffer.from(text)),
  fc.string({ unit: 'grapheme' }).map((text) => Buffer.from(text)),
  fc.constantFrom('🦊', '語').map((text) => Buffer.from(text).subarray(0, 2)),
  fc.uint8Array({ minLength: 1, maxLength: 200 }),
);

/** Without any content it would be no answer. */
const BEGIN = Buffer.from('data: {"choices":[{"delta":{"content":"a"}}]}\n\n');
const END = Buffer.from('\n\ndata: [DONE]\n\n');

/** What the client gets of a stream of those pieces. */
async function relayed(list: readonly Uint8Array[]): Promise<Buffer> {
  pieces = list.filter((piece) => piece.length > 0);
  const messages = [{ role: 'user', content: 'x' }];
  const response = await router.post('/v1/chat/completions', { stream: true, messages });
  return Buffer.from(await response.arrayBuffer());
}

describe('the relay', () => {
  it('invariant 3: changes no byte of any stream', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fragment, { maxLength: 30 }), async (list) => {
        const got = await relayed([BEGIN, ...list, END]);
        expect(got.equals(Buffer.concat(pieces))).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it('holds for a large body and a slow reader', async () => {
    const big = Buffer.alloc(20_000_000, 'token ');
    pieces = [...Array.from({ length: 200 }, (_, i) => big.subarray(i * 100_000, (i + 1) * 100_000)), END];
    const response = await router.post('/v1/chat/completions', {
      stream: true,
      messages: [{ role: 'user', content: 'x' }],
    });
    let length = 0;
    for await (const chunk of response.body!) {
      length += (chunk as Uint8Array).length;
      if (length % 7 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect(length).toBe(Buffer.concat(pieces).length);
  });
});

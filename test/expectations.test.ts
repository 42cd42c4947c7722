/** `Expect: 100-continue`: who is refused by the head alone sends no body for nothing. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { hashKey } from '../src/serving/front/auth.ts';
import { gateway, type RunningGateway } from './support/gateway.ts';
import { rawClient } from './support/raw-client.ts';

let router: RunningGateway;

beforeAll(async () => {
  router = await gateway(`
max_body_mb: 1
keys: [{ name: one, hash: '${hashKey('k')}' }]
experts: [{ id: one, kind: emulated }]
`);
});
afterAll(() => router.close());

const BODY = JSON.stringify({ model: 'one', max_tokens: 2, messages: [{ role: 'user', content: 'Hi' }] });
const head = (path: string, length: number, key = 'k'): string =>
  `POST ${path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${key}\r\n` +
  `content-type: application/json\r\nexpect: 100-continue\r\ncontent-length: ${length}\r\n\r\n`;

it.each([
  ['without a key', head('/v1/chat/completions', 100, 'x'), 401],
  ['with a body that is too large', head('/v1/chat/completions', 2_000_000), 413],
  ['at a path where nothing is', head('/v1/nothing', 100), 404],
])(
  '%s a client is refused before it sends its body, and the connection ends',
  async (_who, bytes, status) => {
    const client = rawClient(Number(new URL(router.url).port));
    client.send(bytes);
    const seen = await client.see((text) => text.includes('\r\n\r\n{'));
    expect(seen.text).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(seen.text).toMatch(/\r\nconnection: close\r\n/i);
    client.close();
  },
);

it('whoever may go on is told so, and keeps the connection', async () => {
  const client = rawClient(Number(new URL(router.url).port));
  for (const _turn of [1, 2]) {
    client.send(head('/v1/chat/completions', BODY.length));
    await client.see((text) => text.endsWith('HTTP/1.1 100 Continue\r\n\r\n'));
    client.send(BODY);
    const seen = await client.see((text) => text.trimEnd().endsWith('}'));
    expect(seen.text).toMatch(/HTTP\/1\.1 200 OK\r\n/);
    expect(seen.text).toMatch(/\r\nconnection: keep-alive\r\n/i);
  }
  client.close();
});

/** A body that differs from its promise ends the connection, and nothing beyond the promise is written. */
import { createServer } from 'node:http';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { rawClient } from '../../../test/support/raw-client.ts';
import { bind } from '../../core/bind.ts';
import { PromisedBody } from './promised-body.ts';

let pieces: readonly string[] = [];
const server = createServer((_request, response) => {
  const body = new PromisedBody(response);
  body.promise('6');
  for (const piece of pieces) body.write(Buffer.from(piece));
  body.end();
});
let port: number;

beforeAll(async () => {
  port = Number(new URL(await bind(server, '127.0.0.1', 0)).port);
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

it.each([
  ['all of it', ['abc', 'def'], 'abcdef', 'open'],
  ['less', ['abc', 'de'], 'abcde', 'closed'],
  ['more, in a piece of its own', ['abcdef', 'X'], 'abcdef', 'closed'],
  ['more, in the last piece', ['abc', 'defX'], 'abc', 'closed'],
])('%s', async (_name, list, written, end) => {
  pieces = list;
  const client = rawClient(port);
  client.send('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  await client.see((text) => text.includes('\r\n\r\n') && text.endsWith(written));
  const seen = await client.see(undefined, end === 'open' ? 50 : 5_000);
  client.close();
  expect(seen.end).toBe(end);
  expect(seen.text === '' ? '' : written).toContain(seen.text.split('\r\n\r\n')[1] ?? '');
  expect(seen.text).not.toContain('X');
  if (end === 'open') expect(seen.text.endsWith('\r\n\r\nabcdef')).toBe(true);
});

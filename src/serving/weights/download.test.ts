/** Downloads against a real server on loopback that misbehaves on purpose. */
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { download, RefusedDownload } from './download.ts';
import { type Http, openHttp, withoutCredentials } from './http.ts';

const content = Buffer.from(Array.from({ length: 50_000 }, (_, index) => index % 251));
let server: Server;
let http: Http;
let url: string;
let partial: string;
let ranges: (string | undefined)[];
let answer: (request: IncomingMessage, response: ServerResponse) => void;

beforeEach(async () => {
  ranges = [];
  server = createServer((request, response) => {
    ranges.push(request.headers.range);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/file.gguf`;
  partial = join(await mkdtemp(join(tmpdir(), 'download-')), 'file.partial');
  http = openHttp({});
});
afterEach(async () => {
  await http.close();
  server.closeAllConnections();
  server.close();
});

const get = (more = {}) =>
  download(url, partial, { http, signal: AbortSignal.timeout(10_000), backoffMs: 1, ...more });

function withRanges(request: IncomingMessage, response: ServerResponse): void {
  const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
  if (from >= content.length) return void response.writeHead(416).end();
  const headers = { 'content-length': content.length - from, 'content-range': `bytes ${from}-49999/50000` };
  response.writeHead(request.headers.range ? 206 : 200, headers).end(content.subarray(from));
}

it('goes on where an earlier try stopped, and asks for nothing twice', async () => {
  answer = withRanges;
  await writeFile(partial, content.subarray(0, 20_000));
  const seen: [number, number | undefined][] = [];
  await get({ onProgress: (done: number, total?: number) => seen.push([done, total]) });
  expect(ranges).toEqual(['bytes=20000-']);
  expect(await readFile(partial)).toEqual(content);
  expect(seen.at(-1)).toEqual([50_000, 50_000]);
  await get();
  expect(await readFile(partial)).toEqual(content);
});

it('starts again when the server ignores ranges', async () => {
  answer = (_, response) => response.writeHead(200, { 'content-length': content.length }).end(content);
  await writeFile(partial, 'something else entirely');
  await get();
  expect(await readFile(partial)).toEqual(content);
});

it('survives a cut connection and a busy server', async () => {
  let calls = 0;
  let cut = () => {};
  answer = (request, response) => {
    calls += 1;
    if (calls === 1) return void response.writeHead(503).end();
    if (calls > 2) return withRanges(request, response);
    response.writeHead(200, { 'content-length': content.length });
    response.write(content.subarray(0, 10_000));
    cut = () => response.destroy();
  };
  // Cut only once bytes have arrived: what is still on the way is lost with the connection.
  await get({ onProgress: () => cut() });
  expect(calls).toBe(3);
  expect(ranges[2]).toMatch(/^bytes=\d+-$/);
  expect(await readFile(partial)).toEqual(content);
});

it('does not ask again when refused, and stops when aborted', async () => {
  answer = (_, response) => response.writeHead(404).end();
  await expect(get()).rejects.toBeInstanceOf(RefusedDownload);
  expect(ranges).toHaveLength(1);
  answer = (_, response) => void response.writeHead(200, { 'content-length': 9 }).flushHeaders();
  const abort = new AbortController();
  const begun = setInterval(() => existsSync(partial) && abort.abort(), 5);
  await expect(get({ signal: abort.signal })).rejects.toThrow(/abort/i);
  clearInterval(begun);
  expect((await stat(partial)).size).toBe(0);
});

it('moves credentials from the address into a header', () => {
  expect(withoutCredentials('https://me:p%40ss@host/simple/')).toEqual({
    url: 'https://host/simple/',
    authorization: `Basic ${Buffer.from('me:p@ss').toString('base64')}`,
  });
});

/** A changed config is taken up while serving: running streams are untouched, a bad one is refused with the reason. */
import { mkdtempSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { eventually } from './support/gateway.ts';
import { type RouterProcess, routerProcess } from './support/process.ts';
import { polite, type Upstream, upstream } from './support/upstream.ts';

let running: { close?(): Promise<void>; stop?(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const one of running) await (one.stop?.() ?? one.close?.());
  running = [];
});

const chat = (router: RouterProcess, more: object = {}) =>
  fetch(`${router.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { connection: 'close' },
    body: JSON.stringify({ messages: [{ role: 'user', content: 'hello' }], ...more }),
  });
const servedBy = async (router: RouterProcess) => (await chat(router)).headers.get('x-expert-router-expert');

describe('invariant 17: reload', () => {
  it.each([1, 2])('takes up what is new and leaves running streams alone: %d workers', async (workers) => {
    let finish = (): void => {};
    const old: Upstream = await upstream((response, request) => {
      if (!request.body.includes('"stream":true')) return polite(response, request);
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: {}\n\n');
      finish = () => void response.end('data: [DONE]\n\n');
    });
    const file = join(mkdtempSync(join(tmpdir(), 'expert-router-')), 'config.yaml');
    const config = (id: string) =>
      `experts: [{ id: ${id}, kind: openai, url: '${old.url}', max_concurrent: 3 }]\n`;
    writeFileSync(file, config('before'));
    const router = await routerProcess(['--config', file, '--workers', String(workers)]);
    running.push(router, old);
    expect(await servedBy(router)).toBe('before');
    const stream = await chat(router, { stream: true });

    writeFileSync(file, config('before').replace('kind', 'knd'));
    router.process.kill('SIGHUP');
    await eventually(
      'the bad config is refused',
      () => router.output().includes("did you mean 'kind'?") || router.output().includes('Not reloaded'),
    );
    expect(await servedBy(router)).toBe('before');

    writeFileSync(`${file}.new`, config('after'));
    renameSync(`${file}.new`, file);
    await eventually('the new config serves', async () =>
      (await Promise.all([1, 2, 3, 4, 5, 6].map(() => servedBy(router)))).every((one) => one === 'after'),
    );
    finish();
    expect(await stream.text()).toBe('data: {}\n\ndata: [DONE]\n\n');
  });
});

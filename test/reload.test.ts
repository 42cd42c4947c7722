/** A changed config is taken up while serving: running streams are untouched, a bad one is refused with the reason. */
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { hashKey } from '../src/serving/front/auth.ts';
import { command } from './support/command.ts';
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

const TOKEN = 'data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}\n\n';
const END = 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n';

describe('signals', () => {
  it.each([1, 2])(
    'a reload that is asked for too soon is none, and no debugger opens: %d workers',
    async (workers) => {
      let early = (): void => {};
      const slow = await upstream((response, request) => {
        if (request.method === 'GET') early();
        return polite(response, request);
      });
      running.push(slow);
      const file = join(mkdtempSync(join(tmpdir(), 'expert-router-')), 'config.yaml');
      writeFileSync(file, `experts: [{ id: one, kind: openai, url: '${slow.url}' }]\n`);
      const started = command('serve', '--config', file, '--port', '0', '--workers', String(workers));
      running.push({
        stop: () => {
          started.process.kill('SIGKILL');
          return started.ended;
        },
      });
      early = () => {
        early = () => {};
        started.process.kill('SIGHUP');
        started.process.kill('SIGUSR1');
      };
      await started.said(/Ctrl-C stops it/);
      started.process.kill('SIGUSR1');
      writeFileSync(file, `experts: [{ id: two, kind: openai, url: '${slow.url}' }]\n`);
      await started.said(/Reloaded/);
      expect(started.output()).not.toContain('Debugger');
    },
  );

  it('where it listens is told for as long as the config says otherwise', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'expert-router-')), 'config.yaml');
    const config = (listen: string) => `listen: ${listen}\nexperts: [{ id: one, kind: emulated }]\n`;
    writeFileSync(file, config('127.0.0.1:0'));
    const router = await routerProcess(['--config', file, '--workers', '1']);
    running.push(router);
    for (const [turn, listen] of ['0.0.0.0:0', '127.0.0.1:81', '127.0.0.1:0'].entries()) {
      writeFileSync(file, config(listen));
      await eventually('it is taken up', () => router.output().split('Reloaded ').length === turn + 2);
    }
    const told = router.output().match(/the config said .* now\./g);
    expect(told).toEqual([
      'the config said 127.0.0.1:0 then, and says 0.0.0.0:0 now.',
      'the config said 127.0.0.1:0 then, and says 127.0.0.1:81 now.',
    ]);
  });
});

describe('invariant 17: reload', () => {
  it.each([1, 2])('applies the new config without touching running streams: %d workers', async (workers) => {
    let finish = (): void => {};
    const old: Upstream = await upstream((response, request) => {
      if (!request.body.includes('"stream":true')) return polite(response, request);
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(TOKEN);
      finish = () => void response.end(END);
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
    expect(await stream.text()).toBe(TOKEN + END);
  });
});

describe('a bad reload is refused', () => {
  const KEYS = `keys:\n  - { name: a, hash: '${hashKey('er-a')}' }\n`;

  async function serveKeyed(workers: number, more = '') {
    const expert = await upstream(polite);
    const file = join(mkdtempSync(join(tmpdir(), 'expert-router-')), 'config.yaml');
    const experts = (...ids: string[]) =>
      `experts:\n${ids.map((id) => `  - { id: ${id}, kind: openai, url: '${expert.url}' }\n`).join('')}`;
    const whole = experts('one') + more + KEYS;
    writeFileSync(file, whole);
    const router = await routerProcess(['--config', file, '--workers', String(workers)]);
    running.push(router, expert);
    const ask = (key = '') =>
      fetch(`${router.url}/v1/models`, { headers: { connection: 'close', authorization: `Bearer ${key}` } });
    /** In every process, whichever takes a connection. */
    const statuses = async (key?: string) =>
      new Set((await Promise.all(Array.from({ length: 8 }, () => ask(key)))).map(({ status }) => status));
    let refused = 0;
    const refusals = () => router.output().split('Not reloaded').length - 1;
    const refusedWith = async (reason: string | RegExp) => {
      refused += 1;
      router.process.kill('SIGHUP');
      await eventually(`a refusal for ${reason}`, () => refusals() >= refused);
      refused = refusals();
      expect(router.output().split('Not reloaded').at(-1)).toMatch(reason);
      expect(await statuses()).toEqual(new Set([401]));
      expect(await statuses('er-a')).toEqual(new Set([200]));
    };
    return { file, whole, experts, router, statuses, refusedWith, ask };
  }

  it.each([
    ['without keys', (whole: string) => whole.replace(KEYS, ''), /lost its keys/],
    ['with an empty list of keys', (whole: string) => whole.replace(KEYS, 'keys: []\n'), /lost its keys/],
    ['cut before the keys', (whole: string) => whole.slice(0, whole.indexOf('keys:')), /lost its keys/],
    ['cut within the keys', (whole: string) => whole.slice(0, whole.indexOf('keys:') + 6), /keys/],
    ['cut in a line that still reads', (whole: string) => whole.slice(0, -1), /middle of a line/],
    ['empty', () => '', /middle of a line|is empty/],
    [
      'with a key from an empty variable',
      (whole: string) => whole.replace(/'sha256.*'/, "'${NONE:-}'"),
      /hash/,
    ],
    [
      'with a variable that is not set',
      (whole: string) => whole.replace(/'sha256.*'/, "'${NOT_SET}'"),
      /not set/,
    ],
    ['with a lost model', (whole: string) => `router: gone.safetensors\n${whole}`, /router model/],
  ])('from a file %s', async (_name, spoilt, reason) => {
    const { file, whole, refusedWith } = await serveKeyed(1);
    writeFileSync(file, spoilt(whole));
    await refusedWith(reason);
  });

  it('from a file that is gone, or a folder', async () => {
    const { file, refusedWith } = await serveKeyed(1);
    rmSync(file);
    await refusedWith(/ENOENT/);
    mkdirSync(file);
    await refusedWith(/EISDIR/);
  });

  it('on its own, while a file is being saved', async () => {
    const { file, whole, router, statuses } = await serveKeyed(1);
    writeFileSync(file, whole.replace(KEYS, ''));
    await eventually('the half is refused', () => router.output().includes('lost its keys'));
    expect(await statuses()).toEqual(new Set([401]));
    writeFileSync(file, whole.replace('id: one', 'id: two'));
    await eventually('the whole is taken up', () => router.output().includes('Reloaded'));
    expect(await statuses()).toEqual(new Set([401]));
  });

  it('in any worker, nor in one that takes the place of another', async () => {
    const { file, whole, router, refusedWith, statuses } = await serveKeyed(2);
    writeFileSync(file, whole.replace(KEYS, ''));
    await refusedWith(/lost its keys/);
    expect(router.output().match(/Not reloaded/g)).toHaveLength(1);
    const children = () =>
      readFileSync(`/proc/${router.process.pid}/task/${router.process.pid}/children`, 'utf8')
        .trim()
        .split(' ');
    const before = children();
    process.kill(Number(before[0]), 'SIGKILL');
    await eventually('the dead worker is replaced', () => {
      const now = children();
      return now.length === 2 && !now.includes(before[0]!);
    });
    for (let round = 0; round < 20; round++) {
      expect(await statuses()).toEqual(new Set([401]));
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  });

  it('in some workers only: all follow together, and so does one that takes a place meanwhile', async () => {
    const { file, experts, router, ask } = await serveKeyed(2);
    const models = async () => await (await ask('er-a')).text();
    const stopped = Number(
      readFileSync(`/proc/${router.process.pid}/task/${router.process.pid}/children`, 'utf8').split(' ')[0],
    );
    process.kill(stopped, 'SIGSTOP');
    writeFileSync(file, experts('new') + KEYS);
    router.process.kill('SIGHUP');
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(router.output()).not.toContain('Reloaded');
    process.kill(stopped, 'SIGKILL');
    await eventually('the new config is in force', () => router.output().includes('Reloaded'));
    expect(router.output().match(/Reloaded/g)).toHaveLength(1);
    for (let round = 0; round < 20; round++) {
      for (const text of await Promise.all([1, 2, 3, 4].map(models))) expect(text).toContain('"new"');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  });
});

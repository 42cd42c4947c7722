/** `start` and `stop` from the outside: real commands, with the emulator as the server. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bind, unbind } from '../src/core/bind.ts';
import { command } from './support/command.ts';
import { eventually } from './support/gateway.ts';
import { type RouterProcess, routerProcess } from './support/process.ts';

const BIN = join(import.meta.dirname, '..', 'bin', 'expert-router.js');

let folder: string;
let port: number;
let router: RouterProcess | null = null;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'started-'));
  const server = createServer();
  port = Number(new URL(await bind(server, '127.0.0.1', 0)).port);
  await unbind(server);
});
afterEach(async () => {
  await router?.stop();
  router = null;
  rmSync(folder, { recursive: true });
});

const emulator = (): string[] => [
  process.execPath,
  BIN,
  'emulate',
  '--experts',
  '1',
  '--port',
  String(port),
  '--ttft',
  '1ms',
  '--tpot',
  '1ms',
];
const shell = (...words: readonly string[]): string => words.map((word) => `'${word}'`).join(' ');

async function serve(expert: object, ...args: string[]): Promise<RouterProcess> {
  const config = join(folder, 'experts.yaml');
  const one = { id: 'code', kind: 'openai', url: `http://127.0.0.1:${port}`, ...expert };
  writeFileSync(config, JSON.stringify({ experts: [one] }));
  router = await routerProcess(['--config', config, ...args]);
  return router;
}

const ask = (more = {}): Promise<Response> =>
  fetch(`${router!.url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({
      model: 'code',
      max_tokens: 4,
      messages: [{ role: 'user', content: 'Hello' }],
      ...more,
    }),
  });
const answers = (): Promise<boolean> =>
  fetch(`http://127.0.0.1:${port}/health`).then(
    () => true,
    () => false,
  );
const count = (text: string): number => router!.output().split(text).length - 1;

describe('a server that is the started process itself', () => {
  it.each([1, 2])(
    'is started once by %d processes, stopped when idle, and ends with the gateway',
    async (workers) => {
      await serve({ start: emulator(), idle: '1s' }, '--workers', String(workers));
      expect(await answers()).toBe(false);
      const first = await Promise.all(Array.from({ length: 6 }, () => ask()));
      expect(first.map(({ status }) => status)).toEqual(Array(6).fill(200));
      expect(count("Expert 'code' is started: ")).toBe(1);
      expect(router!.output()).toMatch(/Expert 'code' says: .*http:\/\/127\.0\.0\.1/);
      await eventually('it is stopped', async () => !(await answers()));
      expect(router!.output()).toContain("Expert 'code' is stopped after 1 s without a request.");
      const stream = await ask({ stream: true });
      expect(await stream.text()).toMatch(/\[DONE\]\s*$/);
      expect(count("Expert 'code' is started: ")).toBe(2);
      expect(await answers()).toBe(true);
      expect(await router!.stop()).toBe(0);
      expect(await answers()).toBe(false);
    },
  );
});

it("is there once an Ollama client's request to load it has been answered, without a token asked for", async () => {
  await serve({ start: emulator() });
  expect(await answers()).toBe(false);
  const loaded = await fetch(`${router!.url}/api/generate`, {
    method: 'POST',
    body: JSON.stringify({ model: 'code:latest', keep_alive: '5m' }),
  });
  expect([loaded.status, await loaded.json()]).toEqual([
    200,
    expect.objectContaining({ response: '', done: true, done_reason: 'load' }),
  ]);
  expect(await answers()).toBe(true);
  expect(count("Expert 'code' is started: ")).toBe(1);
  expect((await ask()).status).toBe(200);
  expect(count("Expert 'code' is started: ")).toBe(1);
});

it.each([1, 2])('a second signal ends the started server too, with %d processes', async (workers) => {
  const slow = [...emulator().slice(0, -1), '1s'];
  await serve({ start: slow }, '--workers', String(workers));
  const answer = await ask({ stream: true, max_tokens: 100 });
  const broken = answer.text().catch(() => 'broken');
  router!.process.kill('SIGINT');
  await eventually(
    'it finishes answers',
    async () =>
      !(await fetch(`${router!.url}/ready`).then(
        ({ ok }) => ok,
        () => false,
      )),
  );
  expect(await answers()).toBe(true);
  router!.process.kill('SIGINT');
  await eventually('the server has ended', async () => !(await answers()));
  await broken;
});

it('check refuses a start that is waited for longer than a request may take', async () => {
  const config = join(folder, 'experts.yaml');
  const expert = { id: 'code', kind: 'openai', url: 'http://gpu1', start: ['true'] };
  const cases: [object, RegExp][] = [
    [
      { request_timeout: '2m' },
      /experts\[0\].start_timeout: at most request_timeout \(120 s\), .*; 5m when absent is longer/,
    ],
    [{ request_timeout: '2m', experts: [{ ...expert, start_timeout: '3m' }] }, /; this is longer/],
  ];
  for (const [more, why] of cases) {
    writeFileSync(config, JSON.stringify({ experts: [expert], ...more }));
    const check = command('check', '--config', config);
    expect(await check.ended).not.toBe(0);
    expect(check.output()).toMatch(why);
  }
});

describe('commands that return', () => {
  it('start a server that outlives the gateway, and stop it when it is idle', async () => {
    const pid = join(folder, 'pid');
    const start = ['sh', '-c', `${shell(...emulator())} >/dev/null 2>&1 & echo $! > ${pid}`];
    const stop = ['sh', '-c', `kill $(cat ${pid}) && rm ${pid} && echo gone`];
    await serve({ start, stop, idle: '2s' });
    expect((await ask()).status).toBe(200);
    expect(await router!.stop()).toBe(0);
    expect(await answers()).toBe(true);
    // The next gateway finds it running, and stops it.
    await serve({ start, stop, idle: '2s' });
    expect((await ask()).status).toBe(200);
    expect(count("Expert 'code' is started: ")).toBe(0);
    await eventually('it is stopped', () => !existsSync(pid));
    await eventually('its words are told', () => router!.output().includes("Expert 'code' says: gone"));
    expect(await answers()).toBe(false);
  });
});

describe('a command that fails', () => {
  it.each<[string[], RegExp]>([
    [['dockr', 'start', 'code'], /there is no program 'dockr' \(from .*\); correct its name, or the PATH/],
    [
      ['sh', '-c', 'echo No such image: code >&2; exit 125'],
      /it ended with code 125, having said 'No such image: code'; run it by hand/,
    ],
  ])('as %j does is named, and nobody is held for it', async (start, why) => {
    await serve({ start });
    const refused = await ask();
    expect(refused.status).toBe(503);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await refused.json()).toMatchObject({
      error: { code: 'expert_not_ready', message: expect.stringMatching(why) },
    });
    expect(router!.output()).toMatch(why);
    // While it is left alone, nobody waits for it either.
    expect((await ask()).status).toBe(503);
    expect(count("Expert 'code' is started: ")).toBe(1);
  });
});

it('is validated by check, which says what it does not find', async () => {
  const config = join(folder, 'experts.yaml');
  const expert = { id: 'code', kind: 'openai', url: 'http://gpu1', start: ['dockr', 'start', 'code'] };
  writeFileSync(config, JSON.stringify({ experts: [expert] }));
  const check = command('check', '--config', config);
  expect(await check.ended).toBe(0);
  expect(check.output()).toMatch(/! 'code' cannot be started: there is no program 'dockr'/);
  expect(readFileSync(config, 'utf8')).toContain('dockr');
});

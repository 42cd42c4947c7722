/** The load test and the emulated experts as processes: what one has sent the other has counted. */
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { LoadTestResult } from '../src/load/loadtest/result.ts';
import { command, type RunningCommand } from './support/command.ts';

let folder: string;
let emulator: RunningCommand;
let url: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'loadtest-'));
});

async function startEmulator(): Promise<void> {
  emulator = command(
    'emulate',
    '--experts',
    '1',
    '--port',
    '0',
    '--tokens-per-second',
    '200',
    '--ttft',
    '5ms',
  );
  url = (await emulator.said(/(http:\S+)\/v1\n/))[1]!;
}
async function stopEmulator(): Promise<void> {
  emulator.process.kill();
  await emulator.ended;
}

const run = (...args: readonly string[]): RunningCommand =>
  command('loadtest', url, '--duration', '1', '--lengths', '10:20', ...args);
const figures = async (file: string) => JSON.parse(await readFile(file, 'utf8')) as LoadTestResult;

async function sent(): Promise<{ requests: number; tokens: number; abandoned: number }> {
  emulator.process.kill('SIGTERM');
  await emulator.ended;
  const [, requests, tokens, abandoned] = /(\d+) requests, (\d+) tokens, (\d+) abandoned/.exec(
    emulator.output(),
  )!;
  return { requests: Number(requests), tokens: Number(tokens), abandoned: Number(abandoned) };
}

describe('expert-router loadtest', { timeout: 60_000 }, () => {
  beforeEach(startEmulator);
  afterEach(stopEmulator);

  it('counts in stages what the experts sent, and draws charts', async () => {
    const [json, html] = [join(folder, 'closed.json'), join(folder, 'closed.html')];
    const test = run('--users', '1,10', '--out', json, '--html', html);
    expect(await test.ended).toBe(0);
    const { schema, version, stages } = await figures(json);
    expect({ schema, version, users: stages.map((stage) => stage.users) }).toEqual({
      schema: 'expert-router/load-test',
      version: 1,
      users: [1, 10],
    });
    const sum = (of: 'requests' | 'tokens' | 'errors'): number =>
      stages.reduce((total, stage) => total + stage[of], 0);
    expect({ requests: sum('requests'), tokens: sum('tokens'), abandoned: sum('errors') }).toEqual(
      await sent(),
    );
    for (const stage of stages)
      for (const of of ['ttft_ms', 'tpot_ms', 'itl_ms', 'e2e_ms'] as const) {
        const { p50, p95, p99, max } = stage[of];
        expect([p50, p95, p99, max].toSorted((a, b) => a - b)).toEqual([p50, p95, p99, max]);
        expect(p50).toBeGreaterThan(0);
      }
    const page = await readFile(html, 'utf8');
    expect(page.match(/<svg/g)!.length).toBeGreaterThanOrEqual(6);
    expect(page).not.toMatch(/NaN|undefined|(?:src|href)=/);
  });

  it('reconciles traces and Poisson arrivals too', async () => {
    const trace = join(folder, 'trace.jsonl');
    const rows = Array.from({ length: 30 }, (_, i) => ({
      timestamp: i * 100,
      input_length: 8,
      output_length: 4,
    }));
    await writeFile(trace, rows.map((row) => JSON.stringify(row)).join('\n'));
    const files = [join(folder, 'trace.json'), join(folder, 'poisson.json')] as const;
    expect(await run('--trace', trace, '--speedup', '5', '--out', files[0]).ended).toBe(0);
    expect(await run('--rate', '40', '--burst', '4', '--out', files[1]).ended).toBe(0);
    const [traced, poisson] = (await Promise.all(files.map(figures))).map((result) => result.stages[0]!);
    expect(traced).toMatchObject({ loop: 'open', requests: 30, succeeded: 30, tokens: 120 });
    expect(poisson!.requests).toBe(poisson!.succeeded);
    const { requests, tokens } = await sent();
    expect(traced!.requests + poisson!.requests).toBe(requests);
    expect(traced!.tokens + poisson!.tokens).toBe(tokens);
  });

  it('writes what was measured when interrupted by Ctrl-C', async () => {
    const json = join(folder, 'cut.json');
    const test = run('--users', '4,8', '--duration', '60', '--out', json);
    await test.said(/[1-9]\d* requests/);
    test.process.kill('SIGINT');
    expect(await test.ended).toBe(130);
    const { interrupted, stages } = await figures(json);
    expect(interrupted).toBe(true);
    expect(stages).toHaveLength(1);
    const [{ requests, succeeded, errors, interrupted: cut }] = stages as [LoadTestResult['stages'][0]];
    expect(requests).toBe(succeeded + errors + cut);
    expect((await sent()).requests).toBe(requests);
  });

  it('compares runs side by side', async () => {
    const [a, b] = [join(folder, 'a.json'), join(folder, 'b.json')];
    expect(await run('--users', '2', '--name', 'plain', '--out', a).ended).toBe(0);
    const failing = run(
      '--users',
      '2',
      '--name',
      'failing',
      '--header',
      'x-emulate: cut-after=3',
      '--out',
      b,
    );
    expect(await failing.ended).toBe(0);
    expect(failing.output()).toMatch(/2 users: \d+ errors: \d+ cut\./);
    const html = join(folder, 'compared.html');
    const compared = command('loadtest', '--compare', a, b, '--html', html);
    expect(await compared.ended).toBe(0);
    expect(compared.output()).toMatch(/^plain[\s\S]*^failing/m);
    expect(await readFile(html, 'utf8')).toContain('failing');
  });
});

describe('an invalid load test', { timeout: 60_000 }, () => {
  it.each([
    [1, ['http://192.0.2.1:80'], '--allow-remote'],
    [1, ['http://127.0.0.1:1'], 'Cannot connect to 127.0.0.1:1'],
    [2, ['http://127.0.0.1:1', '--users', '0'], 'not a number of users'],
    [2, ['http://127.0.0.1:1', '--burst', '3'], '--burst needs --rate'],
    [2, ['http://127.0.0.1:1', '--lengths', 'long'], 'chat'],
    [1, ['--compare', '/nowhere.json'], 'Cannot read /nowhere.json'],
  ] as const)('ends with %i for %j, with its reason', async (code, args, why) => {
    const test = command('loadtest', ...args);
    expect(await test.ended).toBe(code);
    expect(test.output()).toContain(why);
  });
});

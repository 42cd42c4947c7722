/**
 * Runs one stage with the real programs: emulated experts, the gateway and a load test. Times are scaled back by the
 * slow-down.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../../src/core/errors.ts';
import type { LoadTestResult } from '../../src/load/loadtest/result.ts';
import { command, type RunningCommand } from '../../test/support/command.ts';
import type { Figures, Stage } from './stage.ts';

export interface LiveFigures extends Figures {
  /** The client lacked CPU, so that its figures include its own slowness. */
  readonly starved: boolean;
  readonly requests: number;
  readonly errors: number;
}

export async function measureLive(stage: Stage): Promise<LiveFigures> {
  const folder = await mkdtemp(join(tmpdir(), 'emulated-'));
  const running: RunningCommand[] = [];
  const start = (...args: readonly string[]): RunningCommand => {
    const started = command(...args);
    running.push(started);
    return started;
  };
  try {
    const urls = await startExperts(stage, start);
    const target = stage.gateway ? await startGateway(urls, folder, start) : urls[0]!;
    return await loadTest(stage, target, join(folder, 'figures.json'));
  } finally {
    for (const { process } of running) process.kill('SIGTERM');
    await Promise.all(running.map(({ ended }) => ended));
    await rm(folder, { recursive: true, force: true });
  }
}

async function startExperts(
  { deployment: { model, gpu, precision }, experts, slowDown }: Stage,
  start: (...args: readonly string[]) => RunningCommand,
): Promise<readonly string[]> {
  const names = ['--model', model, '--gpu', gpu, '--precision', precision];
  const emulator = start(
    ...['emulate', ...names, '--experts', `${experts}`, '--slow-down', `${slowDown}`, '--port', '0'],
  );
  await emulator.said(/experts are ready/);
  return [...emulator.output().matchAll(/(http:\S+)\/v1\n/g)].map((found) => found[1]!);
}

async function startGateway(
  urls: readonly string[],
  folder: string,
  start: (...args: readonly string[]) => RunningCommand,
): Promise<string> {
  const experts = urls.map(
    (url, i) =>
      `  - { id: expert-${i + 1}, kind: openai, url: "${url}", max_concurrent: 2048, first_token_timeout: 10m }\n`,
  );
  const config = join(folder, 'experts.yaml');
  await writeFile(config, `policy: round-robin\nexperts:\n${experts.join('')}`);
  const gateway = start('serve', '--config', config, '--port', '0', '--workers', '1');
  return (await gateway.said(/experts? on (http:\/\/\S+)/))[1]!;
}

async function loadTest(stage: Stage, target: string, json: string): Promise<LiveFigures> {
  const { users, seconds, rampSeconds, slowDown, lengths, seed } = stage;
  // Like the simulation, it does not count answers that end after the stage.
  const test = command(
    ...[
      'loadtest',
      target,
      '--users',
      `${users}`,
      '--lengths',
      lengths,
      '--exact-length',
      '--seed',
      `${seed}`,
    ],
    ...['--duration', `${seconds * slowDown}`, '--ramp', `${rampSeconds * slowDown}`, '--drain', '0'],
    ...['--timeout', '600', '--out', json],
  );
  if ((await test.ended) !== 0) throw new UserError(`The load test failed:\n${test.output()}`);
  const { stages } = JSON.parse(await readFile(json, 'utf8')) as LoadTestResult;
  const { ttft_ms, tpot_ms, tokens_per_second, requests, errors, client } = stages[0]!;
  return {
    ttft: { p50: ttft_ms.p50 / slowDown, p95: ttft_ms.p95 / slowDown, mean: ttft_ms.mean / slowDown },
    tpot: { p50: tpot_ms.p50 / slowDown, p95: tpot_ms.p95 / slowDown, mean: tpot_ms.mean / slowDown },
    tokensPerSecond: tokens_per_second * slowDown,
    starved: client.starved,
    requests,
    errors,
  };
}

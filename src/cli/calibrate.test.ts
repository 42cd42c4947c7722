import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { printed } from '../../test/support/printed.ts';
import { UserError } from '../core/errors.ts';
import { type EmulatedServers, startEmulatedServers } from '../load/emulator/servers.ts';
import { simpleEngine } from '../load/emulator/simple-pacer.ts';
import { calibrateCommand } from './calibrate.ts';
import { planCommand } from './plan.ts';
import { simulateCommand } from './simulate.ts';

const folder = mkdtempSync(join(tmpdir(), 'calibrate-'));
const file = join(folder, 'calibration.yaml');
let emulated: EmulatedServers;
let url: string;

beforeAll(async () => {
  const costs = {
    firstTokenMs: 20,
    prefillPerSecond: 20_000,
    perTokenMs: { alone: 20, full: 29 },
    maxBatch: 4,
    kvTokens: 100_000,
  };
  emulated = await startEmulatedServers({
    experts: 1,
    host: '127.0.0.1',
    port: 0,
    engine: simpleEngine(costs),
    outputTokens: 48,
    seed: 1,
    mishaps: [],
    created: 0,
  });
  url = `http://127.0.0.1:${emulated.servers[0]!.port}/v1`;
});
afterAll(() => emulated.close());

describe('calibrate', () => {
  it('measures an engine, and plan and simulate then go by its times and say so', async () => {
    const text = await printed(calibrateCommand(), [url, '--concurrency', '4', '-o', file]);
    expect(text).toMatch(/a token +[\d.]+ ms/);
    const written = parse(readFileSync(file, 'utf8'));
    expect(written.engine).toBe(url);
    for (const name of ['first_token', 'per_step']) expect(written[name]).toBeGreaterThan(0);
    // Requests were bounded: one to warm up, ten alone, three rounds of two and of four.
    expect(emulated.servers[0]!.stats.requests).toBe(1 + 10 + 3 * (2 + 4));
    const told = await printed(calibrateCommand(), [url, '--concurrency', '2', '--json', '-o', file]);
    expect(JSON.parse(told)).toEqual(parse(readFileSync(file, 'utf8')));

    const plan = await printed(planCommand(), ['--model', 'llama-3.1-8b', '--calibrated', file]);
    expect(plan).toMatch(/as calibrated/);
    expect(plan).toMatch(/those measured on an engine of your own/);
    const scenario = join(folder, 's.yaml');
    writeFileSync(
      scenario,
      `users: 4\nseconds: 20\nwarmup: 5\nlengths: { prompt: 50, output: 40 }\nplacements: [{ model: llama-3.1-8b, calibrated: ${file} }]\n`,
    );
    const json = join(folder, 's.json');
    await printed(simulateCommand(), [scenario, '--out', json]);
    const { tpot_ms } = JSON.parse(readFileSync(json, 'utf8')).runs[0].stages[0];
    // What was measured is what is simulated, whatever it was.
    const expected = 1000 * (written.per_step + 4 * written.per_sequence);
    expect(Math.abs(tpot_ms.p50 / expected - 1)).toBeLessThan(0.25);
  }, 60_000);

  it('asks again where an answer is too short to time, and gives up where all are', async () => {
    let asked = 0;
    let short = (n: number): boolean => n % 3 === 0;
    const server = createServer((_, response) => {
      const tokens = short(++asked) ? 2 : 12;
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const piece = (delta: object, finish: string | null): string =>
        `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
      for (let i = 0; i < tokens; i++) response.write(piece({ content: 'a ' }, null));
      response.end(`${piece({}, 'stop')}data: [DONE]\n\n`);
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
    const args = [at, '--model', 'm', '--concurrency', '2', '--json', '-o', join(folder, 'short.yaml')];
    try {
      expect(JSON.parse(await printed(calibrateCommand(), args))).toMatchObject({ model: 'm' });
      expect(asked).toBeGreaterThan(1 + 10 + 3 * 2);
      short = () => true;
      await expect(printed(calibrateCommand(), args)).rejects.toThrow(/fewer than 8 tokens/);
    } finally {
      server.close();
    }
  }, 30_000);

  it('ends at its limit, in the middle of an answer too, and says so', async () => {
    const server = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}\n\n');
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
    const args = [at, '--model', 'm', '--limit', '1', '-o', join(folder, 'late.yaml')];
    try {
      await expect(printed(calibrateCommand(), args)).rejects.toThrow(
        /took longer than allowed; raise --limit/,
      );
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it.each([
    [['http://127.0.0.1:1/v1'], /nothing answers at http:\/\/127\.0\.0\.1:1\/v1/],
    [['http://127.0.0.1:1/v1', '--model', 'm'], /is unreachable/],
    [['http://127.0.0.1:1/v1', '--key-env', 'NO_SUCH_KEY'], /NO_SUCH_KEY is not set/],
  ])('%j is refused by name', async (args, message) => {
    await expect(printed(calibrateCommand(), args)).rejects.toThrow(UserError);
    await expect(printed(calibrateCommand(), args)).rejects.toThrow(message);
  });

  it('is not read from a file that is none', async () => {
    const bad = join(folder, 'bad.yaml');
    writeFileSync(bad, 'engine: x\nmodel: y\nmeasured: z\nfirst_token: soon\n');
    const args = ['--model', 'llama-3.1-8b', '--calibrated'];
    await expect(printed(planCommand(), [...args, bad])).rejects.toThrow(/first_token/);
    await expect(printed(planCommand(), [...args, 'nowhere.yaml'])).rejects.toThrow(
      /expert-router calibrate writes it/,
    );
  });
});

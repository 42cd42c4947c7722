/** Stages against an emulated server in this process: what is counted, what is waited for, what is an error. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../core/random.ts';
import { zipfShares } from '../../simulating/workload/clusters.ts';
import { type EmulatedServers, startEmulatedServers } from '../emulator/servers.ts';
import { simpleEngine } from '../emulator/simple-pacer.ts';
import { generated } from './prompts.ts';
import type { StageResult } from './result.ts';
import { loadClient, runStage, type StageOptions } from './stage.ts';

let servers: EmulatedServers;

beforeAll(async () => {
  servers = await startEmulatedServers({
    experts: 1,
    host: '127.0.0.1',
    port: 0,
    outputTokens: 12,
    seed: 1,
    mishaps: [],
    created: 0,
    engine: simpleEngine({
      firstTokenMs: 5,
      prefillPerSecond: 1e6,
      perTokenMs: { alone: 5, full: 5 },
      maxBatch: 100,
      kvTokens: 100_000,
    }),
  });
});
afterAll(() => servers.close());

interface Case extends Partial<Omit<StageOptions, 'requestOptions'>> {
  readonly misbehaviour?: string;
  readonly stream?: boolean;
  readonly stop?: AbortSignal;
}

async function run({ misbehaviour, stream = true, stop, ...options }: Case): Promise<StageResult> {
  const { port } = servers.servers[0]!;
  const client = loadClient(new URL(`http://127.0.0.1:${port}`));
  const lengths = {
    kind: 'independent',
    prompt: { kind: 'fixed', tokens: 5 },
    output: { kind: 'fixed', tokens: 12 },
  } as const;
  const random = seededRandom(1);
  const result = await runStage(
    {
      arrivals: { kind: 'closed', users: 5, thinkSeconds: 0 },
      traced: null,
      seconds: 0.5,
      rampSeconds: 0,
      drainSeconds: 5,
      timeoutMs: 5_000,
      maxInFlight: 100,
      maxRequests: 1000,
      prompts: generated(lengths, zipfShares(8, 0), null, random),
      random,
      requestOptions: {
        path: '/v1/chat/completions',
        model: 'm',
        key: null,
        stream,
        exactLength: false,
        headers: misbehaviour ? { 'x-emulate': misbehaviour } : {},
      },
      ...options,
    },
    client,
    stop ?? new AbortController().signal,
    () => {},
  );
  client.close();
  expect(result.requests).toBe(result.succeeded + result.errors + result.interrupted);
  return result;
}

describe('a stage', () => {
  it('of users counts every request and token that the server counts', async () => {
    const before = { ...servers.servers[0]!.stats };
    const result = await run({});
    const { requests, tokens } = servers.servers[0]!.stats;
    expect(result.requests).toBe(requests - before.requests);
    expect(result.tokens).toBe(tokens - before.tokens);
    expect(result).toMatchObject({
      errors: 0,
      interrupted: 0,
      users: 5,
      loop: 'closed',
      tokens_source: 'usage',
    });
    expect(result.succeeded).toBeGreaterThanOrEqual(5);
    expect(result.connections_opened).toBe(5);
    expect(result.tokens_per_second).toBeGreaterThan(0);
    expect(result.ttft_ms.p50).toBeLessThanOrEqual(result.e2e_ms.p50);
    expect(result.experts).toMatchObject([{ id: 'unnamed', share: 1 }]);
  });

  it('without usage counts pieces, and says so', async () => {
    const result = await run({ misbehaviour: 'no-usage' });
    expect(result).toMatchObject({ errors: 0, tokens_source: 'content-chunks' });
    expect(result.tokens).toBe(12 * result.succeeded);
  });

  it('of whole answers has no time to first token', async () => {
    const result = await run({ stream: false });
    expect(result).toMatchObject({ errors: 0, tokens_source: 'usage', ttft_ms: { max: 0 } });
    expect(result.tokens).toBe(12 * result.succeeded);
    expect(result.e2e_ms.p50).toBeGreaterThan(0);
  });

  it('of arrivals measures latency from the intended start, even if the client delayed the request', async () => {
    const arrivals = { kind: 'trace', times: Array.from({ length: 8 }, () => 0.01) } as const;
    const result = await run({ arrivals, maxInFlight: 1 });
    expect(result).toMatchObject({ requests: 8, succeeded: 8, loop: 'open' });
    // The last left after seven others had been answered, and its user has waited since the beginning.
    expect(result.start_lag_ms.max).toBeGreaterThan(6 * 50);
    expect(result.e2e_ms.max).toBeGreaterThan(result.start_lag_ms.max);
    expect(result.ttft_ms.max).toBeGreaterThan(result.start_lag_ms.max);
  });

  it('stops by itself at its number of requests', async () => {
    const result = await run({ maxRequests: 7, seconds: 30 });
    expect(result).toMatchObject({ requests: 7, succeeded: 7 });
  });

  it('stops at once when aborted, and counts pending requests as interrupted', async () => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 200);
    const result = await run({ stop: stop.signal, seconds: 30, misbehaviour: 'stall-after=3' });
    expect(result).toMatchObject({ requests: 5, errors: 0, interrupted: 5, tokens: 15 });
    expect(result.seconds).toBeLessThan(30);
  });

  it('times out requests without an answer', async () => {
    const result = await run({ misbehaviour: 'hang', timeoutMs: 100 });
    expect(result.errors_by_kind).toEqual({ timeout: 5 });
  });

  it('retries a request whose connection was closed while idle', async () => {
    const result = await run({ misbehaviour: 'close-reused' });
    expect(result.errors).toBe(0);
    expect(result.reconnects).toBeGreaterThan(0);
  });

  it.each([
    ['cut-after=2', 'cut', 2],
    ['refuse', 'reset', 0],
    ['429', 'http_429', 0],
    ['500', 'http_500', 0],
    ['content-filter', 'http_400', 0],
    ['error-event-after=2', 'error_event', 2],
    ['malformed-json-after=2', 'malformed', 2],
    ['no-done', 'no_done', 12],
    ['wrong-content-type', 'wrong_content_type', 12],
    ['length-too-short', 'wrong_length', 12],
    ['length-too-long', 'cut', 12],
  ])('calls %s %s, and counts the tokens that came', async (misbehaviour, kind, tokens) => {
    const result = await run({ misbehaviour });
    expect(result.errors_by_kind).toEqual({ [kind]: 5 });
    expect(result.tokens).toBe(5 * tokens);
  });
});

/**
 * A thousand users who read streams of 10 tokens a second, without the gateway and through it: `npm run bench:users`.
 * Says what the gateway adds to their waits, what it loses, and what it needs.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { StageResult } from '../src/loadtest/result.ts';
import { type Experts, startExperts, startGateway } from './kit/candidates.ts';
import { counter, put } from './kit/load.ts';
import { Bench, cpuMicroseconds, peakMegabytes } from './kit/processes.ts';

const { values } = parseArgs({
  options: {
    users: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '60' },
    workers: { type: 'string', default: '1' },
  },
});
const users = Number(values.users);
const seconds = Number(values.seconds);
const ANSWER_TOKENS = 100;

const bench = new Bench();
try {
  const experts = await startExperts(
    bench,
    1,
    ...[
      '--prefill',
      '1000000',
      '--tokens-per-second',
      '10',
      '--max-batch',
      '20000',
      '--kv-tokens',
      '100000000',
    ],
  );
  const gateway = await startGateway(bench, experts.ports, {
    workers: Number(values.workers),
    expert: () => ({ max_concurrent: 20_000 }),
  });
  const load = (port: number, length: number): Promise<StageResult> =>
    put({
      port,
      seconds: length,
      arrivals: { kind: 'closed', users, thinkSeconds: 0 },
      stream: true,
      promptTokens: 40,
      answerTokens: ANSWER_TOKENS,
      // Answers take ten seconds: without it all users would ask in the same moment, again and again.
      rampSeconds: Math.min(10, length / 3),
      drainSeconds: 30,
    });
  const direct = await load(experts.ports[0]!, seconds);
  show('without', direct, 0);
  await load(gateway.port, 5);
  const cpu = cpuMicroseconds(gateway.process.pid);
  const sentBefore = await sent(experts);
  const through = await load(gateway.port, seconds);
  const lost = (await sent(experts)) - sentBefore - through.tokens;
  const used = cpuMicroseconds(gateway.process.pid) - cpu;
  show('through', through, lost);
  const added = (of: 'ttft_ms' | 'itl_ms', at: 'p50' | 'p99'): string =>
    `${(through[of][at] - direct[of][at]).toFixed(1)} ms`;
  console.log(
    `added: TTFT p50 ${added('ttft_ms', 'p50')}, p99 ${added('ttft_ms', 'p99')}; between tokens p99 ${added('itl_ms', 'p99')}`,
  );
  console.log(
    `gateway: ${(used / through.tokens).toFixed(1)} µs of CPU a token, all included; ` +
      `${(used / 1e4 / through.seconds).toFixed(0)} % of a core; ` +
      `peak memory ${peakMegabytes(gateway.process.pid).toFixed(0)} MB`,
  );
  await sleep(500);
  const [inFlight, queued] = await Promise.all(
    ['expert_router_inflight', 'expert_router_queued'].map((name) => counter(gateway.port, name)),
  );
  console.log(`afterwards: ${inFlight} in flight, ${queued} queued`);
} finally {
  await bench.end();
}

function sent({ ports }: Experts): Promise<number> {
  return counter(ports[0]!, 'vllm:generation_tokens_total');
}

function show(name: string, result: StageResult, lost: number): void {
  const { requests, errors, errors_by_kind, tokens, tokens_per_second, ttft_ms, itl_ms, client } = result;
  const spans = [ttft_ms, itl_ms].map((ms) => `p50 ${ms.p50.toFixed(1)}, p99 ${ms.p99.toFixed(1)} ms`);
  console.log(
    `${name}: ${requests} requests, ${errors} errors${errors > 0 ? ` ${JSON.stringify(errors_by_kind)}` : ''}, ` +
      `${tokens} tokens (${tokens_per_second.toFixed(0)}/s), ${lost} lost; ` +
      `TTFT ${spans[0]}; between tokens ${spans[1]}; ` +
      `client ${(100 * client.cpu).toFixed(0)} % of a core${client.starved ? ', starved' : ''}`,
  );
}

/**
 * Measures users who read streams of 10 tokens per second, with and without the gateway: `npm run bench:users`, about
 * three minutes; `-- --users 1000,2000,5000` for one stage each. Reports added latency, lost or altered bytes, and CPU
 * and memory. `--pictures` redraws the charts of docs/benchmarks-gateway.md.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { writeFileAtomically } from '../src/core/files.ts';
import type { StageResult } from '../src/load/loadtest/result.ts';
import { lineChart } from '../src/report/line-chart.ts';
import { standaloneSvg } from '../src/report/page.ts';
import { type Experts, type Served, startExperts, startGateway } from './kit/candidates.ts';
import { counter, put } from './kit/load.ts';
import { Bench, cpuMicroseconds, peakMegabytes } from './kit/processes.ts';

const { values } = parseArgs({
  options: {
    users: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '60' },
    workers: { type: 'string', default: '1' },
    pictures: { type: 'boolean', default: false },
  },
});
const stages = values.users.split(',').map(Number);
const seconds = Number(values.seconds);
const ANSWER_TOKENS = 100;
const MOST_STREAMS = 20_000;
const EXPERT_OPTIONS =
  `--prefill 1000000 --tokens-per-second 10 --max-batch ${MOST_STREAMS} --kv-tokens 100000000`.split(' ');

/** One measurement, direct or through the gateway, with one number of users. */
interface Passage {
  readonly result: StageResult;
  /** Tokens that experts sent and clients did not get. */
  readonly lostTokens: number;
  /** Whether all complete streams have equal checksums as sent and as received. */
  readonly sameBytes: boolean;
}

interface Stage {
  readonly users: number;
  readonly direct: Passage;
  readonly through: Passage;
}

const bench = new Bench();
try {
  const experts = await startExperts(bench, 1, ...EXPERT_OPTIONS);
  const gateway = await startGateway(bench, experts.ports, {
    workers: Number(values.workers),
    expert: () => ({ max_concurrent: MOST_STREAMS }),
  });
  await passage(gateway.port, experts, 50, 5); // warms up
  const done: Stage[] = [];
  for (const users of stages) done.push(await stage(users, experts, gateway));
  if (values.pictures) await draw(done);
} finally {
  await bench.end();
}

async function stage(users: number, experts: Experts, gateway: Served): Promise<Stage> {
  console.log(`\n${users} users, ${seconds} s each way`);
  const direct = await passage(experts.ports[0]!, experts, users, seconds);
  show('without', direct);
  const before = cpuMicroseconds(gateway.process.pid);
  const through = await passage(gateway.port, experts, users, seconds);
  const used = cpuMicroseconds(gateway.process.pid) - before;
  show('through', through);
  const added = (of: 'ttft_ms' | 'itl_ms', at: 'p50' | 'p99'): string =>
    `${(through.result[of][at] - direct.result[of][at]).toFixed(1)} ms`;
  console.log(
    `added: TTFT p50 ${added('ttft_ms', 'p50')}, p99 ${added('ttft_ms', 'p99')}; between tokens p99 ${added('itl_ms', 'p99')}`,
  );
  console.log(
    `gateway: ${(used / through.result.tokens).toFixed(1)} µs of CPU a token, all included; ` +
      `${(used / 1e4 / through.result.seconds).toFixed(0)} % of a core; ` +
      `peak memory ${peakMegabytes(gateway.process.pid).toFixed(0)} MB`,
  );
  await sleep(500);
  const [inFlight, queued] = await Promise.all(
    ['expert_router_inflight', 'expert_router_queued'].map((name) => counter(gateway.port, name)),
  );
  console.log(`afterwards: ${inFlight} in flight, ${queued} queued`);
  return { users, direct, through };
}

async function passage(port: number, experts: Experts, users: number, length: number): Promise<Passage> {
  const tokensBefore = await sent(experts, 'vllm:generation_tokens_total');
  const crcBefore = await sent(experts, 'emulator_streamed_crc32_total');
  let read = 0;
  const result = await put({
    port,
    seconds: length,
    arrivals: { kind: 'closed', users, thinkSeconds: 0 },
    stream: true,
    promptTokens: 40,
    answerTokens: ANSWER_TOKENS,
    // Answers take ten seconds: without a ramp all users would send requests at the same moment, again and again.
    rampSeconds: Math.min(10, length / 3),
    drainSeconds: 30,
    watch: {
      onWhole: (crc) => {
        read += crc;
      },
    },
  });
  const written = (await sent(experts, 'emulator_streamed_crc32_total')) - crcBefore;
  const lostTokens = (await sent(experts, 'vllm:generation_tokens_total')) - tokensBefore - result.tokens;
  return { result, lostTokens, sameBytes: written === read };
}

function sent({ ports }: Experts, name: string): Promise<number> {
  return counter(ports[0]!, name);
}

function show(name: string, { result, lostTokens, sameBytes }: Passage): void {
  const { requests, errors, errors_by_kind, tokens, tokens_per_second, ttft_ms, itl_ms, client } = result;
  const spans = [ttft_ms, itl_ms].map((ms) => `p50 ${ms.p50.toFixed(1)}, p99 ${ms.p99.toFixed(1)} ms`);
  console.log(
    `${name}: ${requests} requests, ${errors} errors${errors > 0 ? ` ${JSON.stringify(errors_by_kind)}` : ''}, ` +
      `${tokens} tokens (${tokens_per_second.toFixed(0)}/s), ${lostTokens} lost, ` +
      `bytes ${sameBytes ? 'as sent' : 'NOT as sent'}; ` +
      `TTFT ${spans[0]}; between tokens ${spans[1]}; ` +
      `client ${(100 * client.cpu).toFixed(0)} % of a core${client.starved ? ', starved' : ''}`,
  );
}

async function draw(done: readonly Stage[]): Promise<void> {
  const series = (of: 'ttft_ms' | 'itl_ms', at: 'p50' | 'p99') =>
    (['direct', 'through'] as const).map((way) => ({
      name: `${way === 'direct' ? 'without' : 'through'}, ${at}`,
      dashed: way === 'direct',
      points: done.map((one) => ({ x: one.users, y: one[way].result[of][at] })),
    }));
  const chart = (title: string, of: 'ttft_ms' | 'itl_ms'): string =>
    standaloneSvg(
      lineChart({
        title,
        x: { label: 'users, each reading a stream', ticks: stages },
        y: { label: 'ms' },
        series: [...series(of, 'p50'), ...series(of, 'p99')],
      }),
    );
  await writeFileAtomically('docs/pictures/users-ttft.svg', chart('Time to first token', 'ttft_ms'));
  await writeFileAtomically('docs/pictures/users-itl.svg', chart('Between two tokens', 'itl_ms'));
  console.log('wrote docs/pictures/users-ttft.svg and users-itl.svg');
}

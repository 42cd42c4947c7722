/**
 * What the gateway costs in CPU beside plain proxies: `npm run bench:gateway`, about three minutes.
 * The same emulated experts and the same offered load for all, in alternating order; medians over rounds.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { StageResult } from '../src/loadtest/result.ts';
import {
  type Experts,
  type Served,
  startExperts,
  startGateway,
  startHaproxy,
  startNginx,
} from './kit/candidates.ts';
import { counter, type Load, median, put } from './kit/load.ts';
import { Bench, cpuMicroseconds } from './kit/processes.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '4' },
    rate: { type: 'string', default: '1000' },
    streams: { type: 'string', default: '500' },
  },
});
const rounds = Number(values.rounds);
const seconds = Number(values.seconds);
const WARM_UP_SECONDS = 6;
/** Until a round's load has settled; its CPU is counted after. */
const SETTLE_SECONDS = 1.5;

interface Phase {
  readonly title: string;
  /** Of the emulated experts. */
  readonly expertOptions: readonly string[];
  /** Counts what the CPU is divided by. */
  readonly counter: string;
  readonly load: Omit<Load, 'port' | 'seconds'>;
}

const REQUESTS: Phase = {
  title: `µs a request (not streamed, ${values.rate} a second offered)`,
  expertOptions: ['--ttft', '20ms', '--prefill', '1000000', '--tokens-per-second', '100000'],
  counter: 'emulator_requests_total',
  load: {
    arrivals: { kind: 'poisson', perSecond: Number(values.rate) },
    stream: false,
    promptTokens: 40,
    answerTokens: 140,
  },
};

const TOKENS: Phase = {
  title: `µs a streamed token (${values.streams} streams of 10 tokens/s)`,
  expertOptions: ['--prefill', '1000000', '--tokens-per-second', '10', '--max-batch', '2000'],
  counter: 'vllm:generation_tokens_total',
  load: {
    arrivals: { kind: 'closed', users: Number(values.streams), thinkSeconds: 0 },
    stream: true,
    promptTokens: 40,
    answerTokens: 1000,
    rampSeconds: 1,
    drainSeconds: 0,
  },
};

/** What each candidate took, a value a round. */
type Costs = Map<string, number[]>;

const bench = new Bench();
try {
  for (const phase of [REQUESTS, TOKENS]) report(phase, await measured(phase));
} finally {
  await bench.end();
}

async function measured(phase: Phase): Promise<Costs> {
  const experts = await startExperts(bench, 8, ...phase.expertOptions);
  const started = [
    await startHaproxy(bench, experts.ports),
    await startNginx(bench, experts.ports),
    await startGateway(bench, experts.ports, {
      workers: 1,
      expert: () => ({ max_concurrent: 2000 }),
    }),
  ];
  const candidates = started.filter((one) => one !== null);
  for (const { port } of candidates) await put({ ...phase.load, port, seconds: WARM_UP_SECONDS });
  const costs: Costs = new Map(candidates.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    const order = candidates.map((_, index) => candidates[(index + round) % candidates.length]!);
    for (const one of order) costs.get(one.name)!.push(await once(phase, one, experts));
  }
  for (const { process } of [...candidates, experts]) await process.end();
  return costs;
}

async function once(phase: Phase, { name, port, process }: Served, experts: Experts): Promise<number> {
  const total = SETTLE_SECONDS + seconds + 0.5;
  const load = put({ ...phase.load, port, seconds: total });
  await sleep(SETTLE_SECONDS * 1000);
  const before = { count: await counted(phase, experts), cpu: cpuMicroseconds(process.pid) };
  await sleep(seconds * 1000);
  const after = { count: await counted(phase, experts), cpu: cpuMicroseconds(process.pid) };
  const result = await load;
  const units = after.count - before.count;
  const cost = (after.cpu - before.cpu) / units;
  const rate = (units / seconds).toFixed(0);
  console.log(`  ${name}: ${cost.toFixed(1)} µs at ${rate}/s${remarks(result)}`);
  return cost;
}

async function counted(phase: Phase, experts: Experts): Promise<number> {
  const each = await Promise.all(experts.ports.map((port) => counter(port, phase.counter)));
  return each.reduce((sum, one) => sum + one, 0);
}

/** What would make a round's figure doubtful. */
function remarks({ errors, errors_by_kind, client }: StageResult): string {
  const failed = errors > 0 ? `, ${errors} errors: ${JSON.stringify(errors_by_kind)}` : '';
  return client.starved ? `${failed}, the client lacked CPU` : failed;
}

function report(phase: Phase, costs: Costs): void {
  const base = costs.get('haproxy');
  console.log(`\n${phase.title}`);
  for (const [name, each] of costs) {
    const ratio = base ? `${(median(each) / median(base)).toFixed(2)} × haproxy` : '';
    console.log(
      [
        name.padEnd(14),
        median(each).toFixed(1).padStart(7),
        ratio.padStart(18),
        `  rounds ${each.map((cost) => cost.toFixed(1)).join(', ')}`,
      ].join(' '),
    );
  }
  console.log();
}

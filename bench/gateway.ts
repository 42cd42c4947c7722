/**
 * Compares the gateway's CPU cost with plain proxies and installed peers: `npm run bench:gateway`. All use the same
 * emulated experts, in alternating order, under the same offered load, except peers that could not carry it. Figures
 * are medians over rounds. `--phase dialects` compares the dialects of the gateway itself.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { StageResult } from '../src/load/loadtest/result.ts';
import { benchDialects } from './dialects.ts';
import {
  type Candidate,
  type Experts,
  type Served,
  startEnvoy,
  startEnvoyWithProcessor,
  startExperts,
  startGateway,
  startHaproxy,
  startNginx,
} from './kit/candidates.ts';
import { counter, type Load, median, put } from './kit/load.ts';
import { peers } from './kit/peers.ts';
import { Bench, cpuMicroseconds, residentMegabytes } from './kit/processes.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '4' },
    rate: { type: 'string', default: '1000' },
    streams: { type: 'string', default: '500' },
    only: { type: 'string' },
    phase: { type: 'string' },
    /** Seconds until a round's load has settled; CPU is counted after. */
    settle: { type: 'string', default: '1.5' },
    /** A built checkout of another version, measured in the same run. */
    beside: { type: 'string' },
  },
});
const rounds = Number(values.rounds);
const seconds = Number(values.seconds);
const only = values.only?.split(',');
const WARM_UP_SECONDS = 6;
const settleSeconds = Number(values.settle);

interface Phase {
  readonly name: 'requests' | 'tokens';
  readonly title: string;
  /** Options of the emulated experts. */
  readonly expertOptions: readonly string[];
  /** Counter of what the experts serve. */
  readonly counter: string;
  readonly load: Omit<Load, 'port' | 'seconds'>;
}

/** Answers continue until max_tokens even if a peer drops `ignore_eos`. */
const LONG = ['--output-tokens', '2000'];

const REQUESTS: Phase = {
  name: 'requests',
  title: `µs per request (not streamed, ${values.rate} per second offered)`,
  expertOptions: [...LONG, '--ttft', '20ms', '--prefill', '1000000', '--tokens-per-second', '100000'],
  counter: 'emulator_requests_total',
  load: {
    arrivals: { kind: 'poisson', perSecond: Number(values.rate) },
    stream: false,
    promptTokens: 40,
    answerTokens: 140,
  },
};

const TOKENS: Phase = {
  name: 'tokens',
  title: `µs per streamed token (${values.streams} streams of 10 tokens/s)`,
  expertOptions: [...LONG, '--prefill', '1000000', '--tokens-per-second', '10', '--max-batch', '2000'],
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

/** Microseconds so far, of a candidate's own process and of the one beside it. */
interface Cpu {
  readonly own: number;
  readonly beside: number;
}

/** CPU cost of each candidate, one value per round. */
type Costs = Map<string, number[]>;

const dialects = values.phase === 'dialects';
const phases = [REQUESTS, TOKENS].filter(({ name }) => (values.phase ?? name) === name);
if (phases.length === 0 && !dialects)
  throw new Error(`--phase ${values.phase}: must be requests, tokens or dialects.`);

const bench = new Bench();
try {
  if (dialects) await benchDialects(bench, rounds, seconds);
  for (const phase of phases) report(phase, await measured(phase));
} finally {
  await bench.end();
}

async function measured(phase: Phase): Promise<Costs> {
  const experts = await startExperts(bench, 8, ...phase.expertOptions);
  const candidates: Served[] = [];
  for (const candidate of chosen(experts.ports)) {
    const served = await ready(candidate);
    if (served) candidates.push(served);
  }
  for (const one of candidates) await put({ ...loadOf(phase, one), seconds: WARM_UP_SECONDS });
  const costs: Costs = new Map(candidates.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    const order = candidates.map((_, index) => candidates[(index + round) % candidates.length]!);
    for (const one of order) {
      const cost = await once(phase, one, experts);
      if (cost !== null) costs.get(one.name)!.push(cost);
    }
  }
  for (const { process, beside } of candidates) await Promise.all([process.end(), beside?.end()]);
  await experts.process.end();
  return costs;
}

function chosen(experts: readonly number[]): readonly Candidate[] {
  const expert = () => ({ max_concurrent: 2000 });
  const all: readonly Candidate[] = [
    { name: 'haproxy', start: () => startHaproxy(bench, experts) },
    { name: 'nginx', start: () => startNginx(bench, experts) },
    { name: 'envoy', start: () => startEnvoy(bench, experts) },
    { name: 'envoy+extproc', start: () => startEnvoyWithProcessor(bench, experts) },
    { name: 'expert-router', start: () => startGateway(bench, experts, { workers: 1, expert }) },
    ...beside(experts, expert),
    ...peers(bench, experts),
  ];
  const unknown = only?.filter((name) => !all.some((one) => one.name === name)) ?? [];
  if (unknown.length > 0)
    throw new Error(
      `--only ${unknown.join(',')}: unknown; known: ${all.map(({ name }) => name).join(', ')}.`,
    );
  return all.filter(({ name }) => only?.includes(name) ?? true);
}

function beside(experts: readonly number[], expert: () => object): readonly Candidate[] {
  const checkout = values.beside;
  if (checkout === undefined) return [];
  return [{ name: 'beside', start: () => startGateway(bench, experts, { workers: 1, checkout, expert }) }];
}

/** Null, with the reason printed, if it does not start or does not relay an expert's text. */
async function ready({ name, start }: Candidate): Promise<Served | null> {
  let served: Served | null = null;
  try {
    served = await start();
    if (served) await passesText(served);
    return served;
  } catch (error) {
    console.log(`${name}: left out, ${(error as Error).message.slice(-600)}`);
    await served?.process.end();
    return null;
  }
}

/** @throws unless a plain and a streamed answer contain the emulated expert's text */
async function passesText({ port, ask }: Served): Promise<void> {
  for (const stream of [false, true]) {
    const answer = await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...ask?.headers },
      body: JSON.stringify({
        model: ask?.model ?? 'auto',
        messages: [{ role: 'user', content: 'What do you say?' }],
        max_tokens: 5,
        stream,
      }),
      signal: AbortSignal.timeout(30_000),
    });
    const text = await answer.text();
    if (answer.status !== 200 || !text.includes('emulated '))
      throw new Error(`${stream ? 'a stream' : 'a request'} was answered with ${answer.status}: ${text}`);
  }
}

/** The phase's load for one candidate, reduced if it could not carry all of it. */
function loadOf({ load }: Phase, { port, ask, share = 1 }: Served): Omit<Load, 'seconds'> {
  const { arrivals } = load;
  const scaled =
    arrivals.kind === 'poisson'
      ? { ...arrivals, perSecond: arrivals.perSecond * share }
      : arrivals.kind === 'closed'
        ? { ...arrivals, users: Math.max(1, Math.round(arrivals.users * share)) }
        : arrivals;
  return { ...load, arrivals: scaled, port, ...(ask ? { ask } : {}) };
}

/** Null if it relayed nothing in that time. */
async function once(phase: Phase, one: Served, experts: Experts): Promise<number | null> {
  const { name, process, beside, share = 1 } = one;
  const cpu = (): Cpu => ({
    own: cpuMicroseconds(process.pid),
    beside: beside ? cpuMicroseconds(beside.pid) : 0,
  });
  const total = settleSeconds + seconds + 0.5;
  const load = put({ ...loadOf(phase, one), seconds: total });
  await sleep(settleSeconds * 1000);
  const before = { count: await counted(phase, experts), cpu: cpu() };
  await sleep(seconds * 1000);
  const after = { count: await counted(phase, experts), cpu: cpu() };
  const memory = residentMegabytes(process.pid).toFixed(0);
  const result = await load;
  const served = after.count - before.count;
  // Some peers keep reading after their client has disconnected, so not all that the experts stream is relayed.
  const units = phase.name === 'tokens' ? result.tokens_per_second * seconds : served;
  const offered = share === 1 ? '' : ` (${share} of the load offered)`;
  if (units <= 0) {
    console.log(`  ${name}: nothing served${offered}${remarks(result)}`);
    return null;
  }
  const own = (after.cpu.own - before.cpu.own) / units;
  const other = (after.cpu.beside - before.cpu.beside) / units;
  const cost = own + other;
  const parts = beside ? ` (${own.toFixed(1)} itself, ${other.toFixed(1)} beside)` : '';
  const rate = (units / seconds).toFixed(0);
  const unread = served > 1.05 * units ? `, the experts served ${(served / seconds).toFixed(0)}/s` : '';
  console.log(
    `  ${name}: ${cost.toFixed(1)} µs${parts} at ${rate}/s${offered}, ${memory} MB${unread}${remarks(result)}`,
  );
  return cost;
}

async function counted(phase: Phase, experts: Experts): Promise<number> {
  const each = await Promise.all(experts.ports.map((port) => counter(port, phase.counter)));
  return each.reduce((sum, one) => sum + one, 0);
}

/** Anything that makes a round's figure doubtful. */
function remarks({ errors, errors_by_kind, client }: StageResult): string {
  const failed = errors > 0 ? `, ${errors} errors: ${JSON.stringify(errors_by_kind)}` : '';
  return client.starved ? `${failed}, the client lacked CPU` : failed;
}

function report(phase: Phase, costs: Costs): void {
  const yardstick = ['haproxy', 'envoy'].find((name) => costs.get(name)?.length);
  const base = yardstick === undefined ? undefined : costs.get(yardstick);
  console.log(`\n${phase.title}`);
  for (const [name, each] of costs) {
    if (each.length === 0) {
      console.log(`${name.padEnd(14)} served nothing`);
      continue;
    }
    const ratio = base ? `${(median(each) / median(base)).toFixed(2)} × ${yardstick}` : '';
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

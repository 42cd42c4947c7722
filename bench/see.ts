/**
 * What watching costs: `npm run bench:see`. Gateways of one process each, side by side under the same load, so that whatever
 * else the machine does falls on all of them: with the dashboard off, served and closed, open, with decisions recorded, with
 * every request traced to a collector, and with a shadow model. A busy machine makes single slices of time differ by a fifth,
 * so there are many short ones, and the differences are told with their bounds (a bootstrap over slices, so that what
 * befalls all gateways at once befalls both sides).
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { quantileOf } from '../src/core/quantile.ts';
import { seededRandom } from '../src/core/random.ts';
import { DEFAULT_MODEL } from '../src/deciding/model/file.ts';
import { startExperts, startGateway } from './kit/candidates.ts';
import { counter, put } from './kit/load.ts';
import { Bench, cpuMicroseconds } from './kit/processes.ts';

const { values } = parseArgs({
  options: {
    slices: { type: 'string', default: '100' },
    seconds: { type: 'string', default: '2' },
    /** In all. */
    users: { type: 'string', default: '1200' },
    /** Seconds that a user reads before the next question. */
    think: { type: 'string', default: '2' },
    /** Besides the first, those whose name has one of these words, with commas. */
    only: { type: 'string', default: '' },
  },
});
const slices = Number(values.slices);
const seconds = Number(values.seconds);
const users = Number(values.users);
const WARM_UP_SECONDS = 15;
const ANSWER_TOKENS = 30;
const DRAWS = 1_000;

interface Way {
  readonly name: string;
  readonly settings: object;
  readonly open?: true;
  readonly recorded?: true;
  readonly traced?: true;
}

const ALL: readonly Way[] = [
  { name: 'dashboard off', settings: { dashboard: false } },
  { name: 'dashboard closed', settings: {} },
  { name: 'dashboard open', settings: {}, open: true },
  { name: 'recorded', settings: { dashboard: false }, recorded: true },
  { name: 'traced', settings: { dashboard: false }, traced: true },
  { name: 'shadowed', settings: { dashboard: false, shadow: DEFAULT_MODEL } },
];

const wanted = values.only.split(',');
const WAYS = ALL.filter(({ name }, at) => at === 0 || wanted.some((word) => name.includes(word)));

interface Slice {
  /** Processor time and time, in microseconds. */
  readonly cpu: number;
  readonly elapsed: number;
  readonly requests: number;
}

const bench = new Bench();
const experts = await startExperts(bench, 8, '--tpot', '100ms', '--ttft', '50ms', '--max-batch', '2000');
let spans = 0;
const collector = createServer((request, response) => {
  request.on('data', (chunk: Buffer) => {
    spans += chunk.toString('latin1').split('"spanId"').length - 1;
  });
  request.on('end', () => response.writeHead(200).end('{}'));
});
await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;

const stop = new AbortController();
const watched: Promise<number | null>[] = [];
const running = [];
for (const way of WAYS) running.push(await start(way));
await sleep(WARM_UP_SECONDS * 1000);
const results = new Map<string, Slice[]>(WAYS.map(({ name }) => [name, []]));
for (let slice = 0; slice < slices; slice++) {
  const measured = await Promise.all(running.map(({ port, pid }) => measure(port, pid)));
  for (const [index, one] of measured.entries()) results.get(WAYS[index]!.name)!.push(one);
}
stop.abort();
const [frame = null] = await Promise.all(watched);
collector.close();

const base = results.get(WAYS[0]!.name)!;
console.log(
  `${users} users in all, ${ANSWER_TOKENS} tokens an answer, ${slices} slices of ${seconds} s; differences to the first, with the bounds of 95 %`,
);
for (const [name, all] of results) {
  const more = around(all, (own, others) => 100 * (costOf(own) / costOf(others) - 1));
  const points = around(all, (own, others) => 100 * (shareOf(own) - shareOf(others)));
  console.log(
    `${name.padEnd(18)} ${costOf(all).toFixed(0).padStart(6)} µs a request (${more} %)   ` +
      `${(100 * shareOf(all)).toFixed(2)} % of a core (${points} points)`,
  );
}
console.log(`${spans} spans arrived; frames of ${((frame ?? 0) / 1000).toFixed(1)} kB`);
process.exit(0);

/** Microseconds of processor time a request. */
function costOf(all: readonly Slice[]): number {
  return sum(all, ({ cpu }) => cpu) / sum(all, ({ requests }) => requests);
}

/** Of a core. */
function shareOf(all: readonly Slice[]): number {
  return sum(all, ({ cpu }) => cpu) / sum(all, ({ elapsed }) => elapsed);
}

function sum(all: readonly Slice[], of: (slice: Slice) => number): number {
  return all.reduce((total, slice) => total + of(slice), 0);
}

/** A difference to the first gateway over all slices, and where 95 of 100 draws of as many of the same slices find it. */
function around(
  own: readonly Slice[],
  difference: (own: readonly Slice[], base: readonly Slice[]) => number,
): string {
  const random = seededRandom(1);
  const draws = Array.from({ length: DRAWS }, () => {
    const drawn = own.map(() => Math.floor(random.next() * own.length));
    return difference(
      drawn.map((at) => own[at]!),
      drawn.map((at) => base[at]!),
    );
  });
  const [low, high] = [0.025, 0.975].map((share) => quantileOf(draws, share));
  return `${signed(difference(own, base))}, ${signed(low!)} to ${signed(high!)}`;
}

function signed(value: number): string {
  return `${value < 0 ? '' : '+'}${value.toFixed(1)}`;
}

async function start({ settings, open, recorded, traced }: Way): Promise<{ port: number; pid: number }> {
  process.env.OTEL_EXPORTER_OTLP_ENDPOINT = traced ? endpoint : '';
  const { port, process: started } = await startGateway(bench, experts.ports, {
    workers: 1,
    settings: {
      policy: 'least-loaded',
      ...settings,
      ...(recorded ? { records: { dir: join(bench.folder, 'records') } } : {}),
    },
  });
  void put(
    {
      port,
      arrivals: { kind: 'closed', users: users / WAYS.length, thinkSeconds: Number(values.think) },
      stream: true,
      promptTokens: 60,
      answerTokens: ANSWER_TOKENS,
      rampSeconds: 2,
      drainSeconds: 0,
      seconds: 120 + slices * seconds,
    },
    stop.signal,
  ).catch(() => {});
  if (open) watched.push(watch(port, stop.signal));
  return { port, pid: started.pid };
}

/** The metrics page is read outside the slice. */
async function measure(port: number, pid: number): Promise<Slice> {
  const name = 'expert_router_requests_total';
  const done = await counter(port, name);
  const [cpu, at] = [cpuMicroseconds(pid), performance.now()];
  await sleep(seconds * 1000);
  const [used, elapsed] = [cpuMicroseconds(pid) - cpu, 1000 * (performance.now() - at)];
  return { cpu: used, elapsed, requests: (await counter(port, name)) - done };
}

/** Reads the event stream as a page does. @returns the mean size of a frame, in bytes */
async function watch(port: number, signal: AbortSignal): Promise<number | null> {
  const sizes: number[] = [];
  try {
    const response = await fetch(`http://127.0.0.1:${port}/ui/api/stream`, { signal });
    let held = '';
    for await (const text of response.body!.pipeThrough(new TextDecoderStream())) {
      const events = (held + text).split('\n\n');
      held = events.pop()!;
      sizes.push(...events.filter((event) => event.startsWith('data:')).map((event) => event.length));
    }
  } catch {} // cut at the end
  return sizes.length === 0 ? null : sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
}

/**
 * What watching costs: `npm run bench:see`. Gateways of one process each, side by side under the same load, so that whatever
 * else the machine does falls on all of them: with the dashboard off, served and closed, open, with decisions recorded, with
 * every request traced to a collector, and with a shadow model. A busy machine makes single slices of time differ by a fifth,
 * so there are many short ones: of the differences to the first gateway in the same slice it tells the median, and between
 * which bounds that lies in 95 of 100 runs, whatever their distribution (the binomial interval of ranks).
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { DEFAULT_MODEL } from '../src/deciding/model/file.ts';
import { startExperts, startGateway } from './kit/candidates.ts';
import { counter, median, put } from './kit/load.ts';
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
  /** Of a core. */
  readonly share: number;
  readonly microsecondsPerRequest: number;
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
  `${users} users in all, ${ANSWER_TOKENS} tokens an answer, ${slices} slices of ${seconds} s; medians, and those of the differences to the first in the same slice with their 95 % intervals`,
);
for (const [name, all] of results) {
  const more = all.map(
    (one, slice) => 100 * (one.microsecondsPerRequest / base[slice]!.microsecondsPerRequest - 1),
  );
  const points = all.map((one, slice) => 100 * (one.share - base[slice]!.share));
  const cost = median(all.map((one) => one.microsecondsPerRequest));
  console.log(
    `${name.padEnd(18)} ${cost.toFixed(0).padStart(6)} µs a request (${around(more)} %)   ` +
      `${(100 * median(all.map(({ share }) => share))).toFixed(2)} % of a core (${around(points)} points)`,
  );
}
console.log(`${spans} spans arrived; frames of ${((frame ?? 0) / 1000).toFixed(1)} kB`);
process.exit(0);

/** The median, and the two ranks between which that of more slices lies in 95 of 100 runs. */
function around(differences: readonly number[]): string {
  const sorted = differences.toSorted((a, b) => a - b);
  const half = 0.98 * Math.sqrt(sorted.length);
  const rank = (from: number): number => Math.min(sorted.length - 1, Math.max(0, Math.round(from)));
  const [low, high] = [rank(sorted.length / 2 - half - 0.5), rank(sorted.length / 2 + half - 0.5)];
  return `${signed(median(differences))}, ${signed(sorted[low]!)} to ${signed(sorted[high]!)}`;
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
  const [used, elapsed] = [cpuMicroseconds(pid) - cpu, performance.now() - at];
  const ended = (await counter(port, name)) - done;
  return { share: used / 1000 / elapsed, microsecondsPerRequest: used / ended };
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

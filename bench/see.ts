/**
 * What watching costs: `npm run bench:see`. Gateways with the dashboard off, open, with decisions recorded, and with every
 * request traced to a collector stand in one process, so that compiled code, heap and machine are the same for all. The same
 * users go to one of them after the other, in an order that is drawn anew for every round; what each costs is compared with
 * the first in the same round, and told with its bounds (a bootstrap over rounds).
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { stringify } from 'yaml';
import { quantileOf } from '../src/core/quantile.ts';
import { type Random, seededRandom } from '../src/core/random.ts';
import { DEFAULT_MODEL } from '../src/deciding/model/file.ts';
import { startExperts } from './kit/candidates.ts';
import { put } from './kit/load.ts';
import { Bench } from './kit/processes.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '36' },
    /** Of each gateway in a round, after a pause in which what others have begun ends. */
    seconds: { type: 'string', default: '2' },
    users: { type: 'string', default: '600' },
    /** Seconds that a user reads before the next question. */
    think: { type: 'string', default: '2' },
    /** Besides the first, those whose name has one of these words, with commas. */
    only: { type: 'string', default: 'open,recorded,traced' },
  },
});
const rounds = Number(values.rounds);
const seconds = Number(values.seconds);
const WARM_UP_ROUNDS = 2;
const SETTLE_MS = 1_000;
const ANSWER_TOKENS = 30;
const DRAWS = 1_000;

interface Way {
  readonly name: string;
  readonly settings: object;
  readonly aim?: string;
  readonly open?: true;
  readonly recorded?: true;
  readonly traced?: true;
}

const ALL: readonly Way[] = [
  { name: 'dashboard off', settings: { dashboard: false } },
  { name: 'dashboard closed', settings: {} },
  { name: 'dashboard open', settings: {}, open: true, aim: '1 point' },
  { name: 'recorded', settings: { dashboard: false }, recorded: true, aim: '3 %' },
  { name: 'traced', settings: { dashboard: false }, traced: true, aim: '8 %' },
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
const experts = await startExperts(bench, 8, '--tpot', '20ms', '--ttft', '50ms', '--max-batch', '2000');
let spans = 0;
const collector = createServer((request, response) => {
  request.on('data', (chunk: Buffer) => {
    spans += chunk.toString('latin1').split('"spanId"').length - 1;
  });
  request.on('end', () => response.writeHead(200).end('{}'));
});
await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
const [teller, ...ports] = await startGateways();

let active = ports[0]!;
let ended = 0;
const stop = new AbortController();
const load = put(
  {
    port: active,
    portNow: () => active,
    arrivals: { kind: 'closed', users: Number(values.users), thinkSeconds: Number(values.think) },
    stream: true,
    promptTokens: 60,
    answerTokens: ANSWER_TOKENS,
    rampSeconds: 2,
    drainSeconds: 0,
    seconds: 3_600,
    watch: { onWhole: () => (ended += 1) },
  },
  stop.signal,
);
const random = seededRandom(1);
const results: Slice[][] = WAYS.map(() => []);
const frames: number[] = [];
for (let round = -WARM_UP_ROUNDS; round < rounds; round++)
  for (const way of shuffled(WAYS.length, random)) {
    const slice = await measure(way);
    if (round >= 0) results[way]!.push(slice);
  }
stop.abort();
await load.catch(() => {});
collector.close();
report();
process.exit(0);

async function startGateways(): Promise<number[]> {
  const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
  const gateways = WAYS.map(({ settings, recorded, traced }, at) => ({
    config: stringify({
      policy: 'least-loaded',
      ...settings,
      ...(recorded ? { records: { dir: join(bench.folder, `records-${at}`) } } : {}),
      experts: experts.ports.map((port, index) => ({
        id: `e${index + 1}`,
        kind: 'openai',
        url: `http://127.0.0.1:${port}/v1`,
      })),
    }),
    environment: traced ? { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint } : {},
  }));
  const script = fileURLToPath(new URL('./see-gateways.js', import.meta.url));
  const child = bench.start(process.execPath, [script, JSON.stringify(gateways)]);
  for (const until = performance.now() + 60_000; performance.now() < until; await sleep(50)) {
    const told = /^\[[\d,]+\]$/m.exec(child.output());
    if (told) return JSON.parse(told[0]) as number[];
  }
  throw new Error(`the gateways did not start: ${child.output()}`);
}

/** Sends the users to a gateway, waits until those before have ended elsewhere, and measures. */
async function measure(way: number): Promise<Slice> {
  active = ports[way]!;
  const watching = new AbortController();
  const watched = WAYS[way]!.open ? watch(active, watching.signal) : null;
  await sleep(SETTLE_MS);
  const [cpu, at, before] = [await cpuTold(), performance.now(), ended];
  await sleep(seconds * 1000);
  const slice = {
    cpu: (await cpuTold()) - cpu,
    elapsed: 1000 * (performance.now() - at),
    requests: ended - before,
  };
  watching.abort();
  await watched;
  return slice;
}

async function cpuTold(): Promise<number> {
  return Number(await (await fetch(`http://127.0.0.1:${teller}`)).text());
}

/** Reads the event stream as a page does, and notes the sizes of its frames. */
async function watch(port: number, signal: AbortSignal): Promise<void> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/ui/api/stream`, { signal });
    let held = '';
    for await (const text of response.body!.pipeThrough(new TextDecoderStream())) {
      const events = (held + text).split('\n\n');
      held = events.pop()!;
      frames.push(...events.filter((event) => event.startsWith('data:')).map((event) => event.length));
    }
  } catch {} // cut at the end
}

function report(): void {
  const [base = []] = results;
  console.log(
    `${values.users} users, ${ANSWER_TOKENS} tokens an answer, ${rounds} rounds of ${seconds} s each, ` +
      `${(sum(base, ({ requests }) => requests) / (rounds * seconds)).toFixed(0)} requests a second; ` +
      'differences to the first, with the bounds of 95 %',
  );
  for (const [at, { name, aim = '' }] of WAYS.entries()) {
    const own = results[at]!;
    const more = around(own, base, (a, b) => 100 * (costOf(a) / costOf(b) - 1));
    const points = around(own, base, (a, b) => 100 * (shareOf(a) - shareOf(b)));
    console.log(
      `${name.padEnd(18)} ${costOf(own).toFixed(0).padStart(6)} µs a request (${more} %)   ` +
        `${(100 * shareOf(own)).toFixed(2)} % of a core (${points} points)${aim && `   aim: ${aim}`}`,
    );
  }
  const mean = sum(frames, (size) => size) / Math.max(1, frames.length);
  console.log(`${spans} spans arrived; frames of ${(mean / 1000).toFixed(1)} kB`);
}

/** Microseconds of processor time a request. */
function costOf(all: readonly Slice[]): number {
  return sum(all, ({ cpu }) => cpu) / sum(all, ({ requests }) => requests);
}

/** Of a core. */
function shareOf(all: readonly Slice[]): number {
  return sum(all, ({ cpu }) => cpu) / sum(all, ({ elapsed }) => elapsed);
}

function sum<T>(all: readonly T[], of: (one: T) => number): number {
  return all.reduce((total, one) => total + of(one), 0);
}

/** A difference over all rounds, and where 95 of 100 draws of as many of the same rounds find it. */
function around(
  own: readonly Slice[],
  base: readonly Slice[],
  difference: (own: readonly Slice[], base: readonly Slice[]) => number,
): string {
  const draw = seededRandom(1);
  const draws = Array.from({ length: DRAWS }, () => {
    const drawn = own.map(() => Math.floor(draw.next() * own.length));
    return difference(
      drawn.map((at) => own[at]!),
      drawn.map((at) => base[at]!),
    );
  });
  const [low, high] = [0.025, 0.975].map((share) => quantileOf(draws, share));
  return `${signed(difference(own, base))}, ${signed(low!)} to ${signed(high!)}`;
}

function signed(value: number): string {
  return `${value < 0 ? '' : '+'}${value.toFixed(2)}`;
}

/** The numbers below `count` in an order of chance. */
function shuffled(count: number, order: Random): readonly number[] {
  return Array.from({ length: count }, (_, at) => ({ at, by: order.next() }))
    .sort((a, b) => a.by - b.by)
    .map(({ at }) => at);
}

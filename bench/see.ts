/**
 * What watching costs: `npm run bench:see`. One gateway process under the same streams with the dashboard off, with it
 * served and closed, open in one browser's place, and with every request traced to a collector; rounds in alternating
 * order, medians of the CPU it used.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startExperts, startGateway } from './kit/candidates.ts';
import { counter, median, put } from './kit/load.ts';
import { Bench, cpuMicroseconds } from './kit/processes.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '10' },
    users: { type: 'string', default: '500' },
  },
});
const rounds = Number(values.rounds);
const seconds = Number(values.seconds);
const users = Number(values.users);
const SETTLE_SECONDS = 4;
const WARM_UP_SECONDS = 6;
const ANSWER_TOKENS = 30;
/** A user reads for a while before the next question, so that requests and tokens both weigh in. */
const THINK_SECONDS = 2;

interface Way {
  readonly name: string;
  readonly settings: object;
  readonly open?: true;
  readonly traced?: true;
}

const WAYS: readonly Way[] = [
  { name: 'dashboard off', settings: { dashboard: false } },
  { name: 'dashboard closed', settings: {} },
  { name: 'dashboard open', settings: {}, open: true },
  { name: 'traced', settings: { dashboard: false }, traced: true },
];

interface Measured {
  /** Of a core. */
  readonly share: number;
  readonly requestsPerSecond: number;
  readonly frameBytes: number | null;
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

const results = new Map<string, Measured[]>(WAYS.map(({ name }) => [name, []]));
for (let round = 0; round < rounds; round++)
  for (const way of round % 2 === 0 ? WAYS : WAYS.toReversed()) {
    const measured = await measure(way);
    results.get(way.name)!.push(measured);
    console.error(`round ${round + 1}, ${way.name}: ${(100 * measured.share).toFixed(1)} % of a core`);
  }
collector.close();

const base = median(results.get('dashboard off')!.map(({ share }) => share));
console.log(
  `${users} users, ${ANSWER_TOKENS} tokens an answer, 10 tokens/s; one gateway process; medians of ${rounds} rounds`,
);
for (const [name, all] of results) {
  const share = median(all.map((one) => one.share));
  const range = all.map((one) => (100 * one.share).toFixed(1)).sort();
  const frames = all.flatMap(({ frameBytes }) => frameBytes ?? []);
  console.log(
    `${name.padEnd(18)} ${(100 * share).toFixed(2).padStart(6)} % of a core (${range[0]}–${range.at(-1)})   ` +
      `${(100 * (share - base)).toFixed(2).padStart(6)} points, ${((100 * (share - base)) / base).toFixed(1)} % more   ` +
      `${median(all.map((one) => one.requestsPerSecond)).toFixed(0)} requests/s` +
      (frames.length === 0 ? '' : `   frames of ${(median(frames) / 1000).toFixed(1)} kB`),
  );
}
console.log(`${spans} spans arrived`);
process.exit(0);

async function measure({ settings, open, traced }: Way): Promise<Measured> {
  process.env.OTEL_EXPORTER_OTLP_ENDPOINT = traced ? endpoint : '';
  const gateway = await startGateway(bench, experts.ports, {
    workers: 1,
    settings: { policy: 'least-loaded', ...settings },
  });
  const stop = new AbortController();
  const load = {
    port: gateway.port,
    arrivals: { kind: 'closed', users, thinkSeconds: THINK_SECONDS },
    stream: true,
    promptTokens: 60,
    answerTokens: ANSWER_TOKENS,
    rampSeconds: 2,
    drainSeconds: 0,
  } as const;
  const running = put({ ...load, seconds: WARM_UP_SECONDS + SETTLE_SECONDS + seconds + 4 }, stop.signal);
  await sleep(WARM_UP_SECONDS * 1000);
  const watching = open ? watch(gateway.port, stop.signal) : null;
  await sleep(SETTLE_SECONDS * 1000);
  const name = 'expert_router_requests_total';
  const done = await counter(gateway.port, name);
  const [cpu, at] = [cpuMicroseconds(gateway.process.pid), performance.now()];
  await sleep(seconds * 1000);
  const elapsed = (performance.now() - at) / 1000;
  const used = (cpuMicroseconds(gateway.process.pid) - cpu) / 1e6;
  const ended = (await counter(gateway.port, name)) - done;
  stop.abort();
  await running.catch(() => {});
  await gateway.process.end();
  return {
    share: used / elapsed,
    requestsPerSecond: ended / elapsed,
    frameBytes: watching ? ((await watching) ?? null) : null,
  };
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

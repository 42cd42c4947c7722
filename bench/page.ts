/**
 * What the dashboard costs its reader: `npm run bench:page`. A real Chromium at a gateway under load: time until the page
 * shows live figures, what it weighs on the wire, and its memory and processor time over some minutes.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { startExperts, startGateway } from './kit/candidates.ts';
import { median, put } from './kit/load.ts';
import { Bench } from './kit/processes.ts';

const { values } = parseArgs({
  options: {
    users: { type: 'string', default: '1000' },
    minutes: { type: 'string', default: '10' },
    chromium: { type: 'string', default: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium' },
  },
});
const minutes = Number(values.minutes);
const OPENINGS = 5;
const RAMP_SECONDS = 5;
const SETTLE_SECONDS = 15;

const bench = new Bench();
const experts = await startExperts(bench, 8, '--tpot', '200ms', '--ttft', '50ms', '--max-batch', '4000');
const gateway = await startGateway(bench, experts.ports, {
  workers: 1,
  settings: { policy: 'least-loaded' },
});
const stop = new AbortController();
const load = put(
  {
    port: gateway.port,
    arrivals: { kind: 'closed', users: Number(values.users), thinkSeconds: 5 },
    stream: true,
    promptTokens: 60,
    answerTokens: 30,
    rampSeconds: RAMP_SECONDS,
    drainSeconds: 0,
    seconds: 60 * minutes + 120,
  },
  stop.signal,
);
await sleep(2_000 * RAMP_SECONDS);

const root = process.getuid?.() === 0;
const browser = await chromium.launch({
  executablePath: values.chromium,
  args: root ? ['--no-sandbox'] : [],
});
const url = `http://127.0.0.1:${gateway.port}/ui`;
const openings: number[] = [];
let bytes = 0;
for (let i = 0; i < OPENINGS; i++) {
  const context = await browser.newContext();
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  await session.send('Network.enable');
  bytes = 0;
  session.on('Network.loadingFinished', ({ encodedDataLength }) => {
    bytes += encodedDataLength;
  });
  const started = performance.now();
  await page.goto(`${url}#/now`);
  await page.locator('.status.live').waitFor();
  openings.push(performance.now() - started);
  await context.close();
}
console.log(
  `live figures after ${median(openings).toFixed(0)} ms (${OPENINGS} openings without a cache); ${(bytes / 1000).toFixed(0)} kB on the wire`,
);

const VIEWS = ['now', 'map', 'requests'];
const watched = await Promise.all(VIEWS.map(watch));
await sleep(SETTLE_SECONDS * 1_000);
for (let minute = 0; minute <= minutes; minute++) {
  if (minute > 0) await sleep(60_000);
  for (const { readings, busy, read } of watched) {
    const { heap, seconds } = await read();
    readings.push(heap);
    busy.push({ seconds, at: performance.now() / 1000 });
  }
  console.error(
    `minute ${minute}: ${watched.map(({ readings }) => toMegabytes(readings.at(-1)!)).join(', ')} MB`,
  );
}
for (const { view, readings, busy } of watched) {
  const [first, last] = [busy[0]!, busy.at(-1)!];
  const share = (last.seconds - first.seconds) / Math.max(1, last.at - first.at);
  const grown = slope(readings.slice(-Math.ceil(readings.length / 2)));
  console.log(
    `${view}: ${readings.map(toMegabytes).join(', ')} MB of heap, a minute apart, ${values.users} users; ` +
      `${(grown / 1e3).toFixed(0)} kB a minute in the second half; ${(100 * share).toFixed(1)} % of a core`,
  );
}
stop.abort();
await load.catch(() => {});
await browser.close();
process.exit(0);

/** A page of its own, whose heap is read after all garbage is collected, with the time that it has worked before that. */
async function watch(view: string) {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${url}#/${view}`);
  await page.locator('.status.live').waitFor();
  const session = await context.newCDPSession(page);
  await session.send('Performance.enable');
  let collected = 0;
  const worked = async (): Promise<number> => {
    const { metrics } = await session.send('Performance.getMetrics');
    return metrics.find(({ name }) => name === 'TaskDuration')!.value;
  };
  const read = async (): Promise<{ heap: number; seconds: number }> => {
    const seconds = (await worked()) - collected;
    // What a first collection ends may free more: weak references, detached parts of the page.
    for (let i = 0; i < 3; i++) await session.send('HeapProfiler.collectGarbage');
    const { usedSize: heap } = await session.send('Runtime.getHeapUsage');
    // Collecting is our doing.
    collected = (await worked()) - seconds;
    return { heap, seconds };
  };
  return { view, readings: [] as number[], busy: [] as { seconds: number; at: number }[], read };
}

function toMegabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(2);
}

/** Of the straight line with the least squares, per reading. */
function slope(values: readonly number[]): number {
  const middle = (values.length - 1) / 2;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const up = values.reduce((sum, value, at) => sum + (at - middle) * (value - mean), 0);
  return up / values.reduce((sum, _, at) => sum + (at - middle) ** 2, 0);
}

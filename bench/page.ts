/**
 * What the dashboard costs its reader: `npm run bench:page`. A real Chromium at a gateway under load: time until the page
 * shows live figures, what it weighs on the wire, and its memory over some minutes.
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

const context = await browser.newContext();
for (const view of ['now', 'map'] as const) {
  const page = await context.newPage();
  await page.goto(`${url}#/${view}`);
  const session = await context.newCDPSession(page);
  const heap = async (): Promise<string> => {
    await session.send('HeapProfiler.collectGarbage');
    const { usedSize } = await session.send('Runtime.getHeapUsage');
    return (usedSize / 1e6).toFixed(1);
  };
  const readings: string[] = [];
  for (let minute = 0; minute <= minutes / 2; minute++) {
    await sleep(minute === 0 ? 15_000 : 60_000);
    readings.push(await heap());
  }
  console.log(`${view}: ${readings.join(', ')} MB of heap, a minute apart, ${values.users} users`);
  await page.close();
}
stop.abort();
await load.catch(() => {});
await browser.close();
process.exit(0);

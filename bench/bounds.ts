/**
 * Measures what the worst requests cost the event loop: `npm run bench:bounds [-- part of a name]`. The gateway runs in
 * the main thread; client and expert run in another.
 */
import { once } from 'node:events';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { createGateway } from '../src/index.ts';
import { WORST_INPUTS } from './kit/worst-inputs.ts';

const other = new Worker(new URL('./kit/other-side.js', import.meta.url));
const [expert] = (await once(other, 'message')) as [string];
const experts = [
  'coding-python-expert',
  'mathematics-reasoner',
  'general-assistant-7b',
  'japanese-translation',
].map((id) => ({ id, kind: 'openai', url: expert, quirks: 'vllm', metrics_url: false }));
const gateway = await createGateway({ experts }, { log: console.error, probes: false });
const url = await gateway.listen({ port: 0 });

interface Measured {
  readonly status: number;
  readonly mb: number;
  /** Milliseconds the event loop was busy with the request. */
  readonly busy: number;
  /** Milliseconds of the longest block of the event loop. */
  readonly block: number;
}

async function measure(name: string): Promise<Measured> {
  globalThis.gc?.();
  await pause(50);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await pause(20);
  delay.reset();
  const before = performance.eventLoopUtilization();
  other.postMessage({ url, name });
  const [{ status, bytes }] = (await once(other, 'message')) as [{ status: number; bytes: number }];
  const busy = performance.eventLoopUtilization(before).active;
  await pause(5);
  delay.disable();
  return { status, mb: bytes / 1024 / 1024, busy, block: delay.max / 1e6 };
}

const [, , part = ''] = process.argv;
const names = Object.keys(WORST_INPUTS).filter((name) => name.includes(part));
for (let round = 0; round < 50; round += 1) await measure('an ordinary request');
console.log(`${'request'.padEnd(46)}      MB status  loop ms  longest block ms (median of 5)`);
for (const name of names) {
  const runs: Measured[] = [];
  for (let run = 0; run < 5; run += 1) runs.push(await measure(name));
  const median = (of: (one: Measured) => number): number => runs.map(of).sort((a, b) => a - b)[2]!;
  const { mb, status } = runs[0]!;
  const figures = [median((one) => one.busy), median((one) => one.block)].map((ms) =>
    ms.toFixed(1).padStart(8),
  );
  console.log(
    `${name.padEnd(46)} ${mb.toFixed(1).padStart(7)} ${String(status).padStart(6)} ${figures.join('  ')}`,
  );
}
await gateway.close({ graceMs: 0 });
await other.terminate();
process.exit(0);

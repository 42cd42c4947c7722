/**
 * Checks whether memory grows with time: `npm run bench:soak -- --minutes 120`. Users send requests without a pause,
 * and some disconnect midway; the result is the slope of resident memory after warm-up.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startExperts, startGateway } from './kit/candidates.ts';
import { counter, put } from './kit/load.ts';
import { Bench, residentMegabytes } from './kit/processes.ts';

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '3' }, users: { type: 'string', default: '100' } },
});
const minutes = Number(values.minutes);
const SAMPLE_MS = 5_000;

const bench = new Bench();
try {
  const experts = await startExperts(bench, 2, '--tokens-per-second', '100', '--max-batch', '5000');
  const gateway = await startGateway(bench, experts.ports, {
    workers: 1,
    expert: () => ({ max_concurrent: 5_000 }),
  });
  const load = put({
    port: gateway.port,
    seconds: minutes * 60,
    arrivals: { kind: 'closed', users: Number(values.users), thinkSeconds: 0 },
    stream: true,
    promptTokens: 200,
    answerTokens: 50,
    rampSeconds: 5,
    drainSeconds: 10,
  });
  const samples = await memoryDuring(gateway.process.pid, load);
  const result = await load;
  // The first third is warm-up: code is compiled and pools are filled.
  const settled = samples.slice(Math.floor(samples.length / 3));
  console.log(`${result.requests} requests, ${result.errors} errors in ${minutes} minutes`);
  console.log(
    `memory: ${Math.round(samples[0]!.megabytes)} MB at first, ${Math.round(settled[0]!.megabytes)} MB when warm, ${Math.round(settled.at(-1)!.megabytes)} MB at the end`,
  );
  console.log(`slope when warm: ${slope(settled).toFixed(2)} MB per minute`);
  console.log(`in flight afterwards: ${await counter(gateway.port, 'expert_router_inflight')}`);
} finally {
  await bench.end();
}

interface Sample {
  readonly minute: number;
  readonly megabytes: number;
}

async function memoryDuring(pid: number, load: Promise<unknown>): Promise<readonly Sample[]> {
  const samples: Sample[] = [];
  let over = false;
  void load.finally(() => {
    over = true;
  });
  const began = performance.now();
  while (!over) {
    samples.push({ minute: (performance.now() - began) / 60_000, megabytes: residentMegabytes(pid) });
    await sleep(SAMPLE_MS);
  }
  return samples;
}

/** Least squares, in megabytes per minute. */
function slope(samples: readonly Sample[]): number {
  const n = samples.length;
  const x = samples.reduce((sum, sample) => sum + sample.minute, 0) / n;
  const y = samples.reduce((sum, sample) => sum + sample.megabytes, 0) / n;
  const xy = samples.reduce((sum, sample) => sum + (sample.minute - x) * (sample.megabytes - y), 0);
  const xx = samples.reduce((sum, sample) => sum + (sample.minute - x) ** 2, 0);
  return xx === 0 ? 0 : xy / xx;
}

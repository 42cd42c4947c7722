/**
 * Kills experts, workers and clients at random while many users read streams: `npm run bench:chaos`, under a minute.
 * Workers are also stopped (SIGSTOP), and killed again while they start; the config is reloaded all the time, every fourth
 * time with a broken one; and nothing that the gateway prints can be written, as on a full disk. The outcome of every request is counted; no request may fail that could have been saved, and no counter may leak.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { seededRandom } from '../src/core/random.ts';
import type { HttpClient, OutgoingRequest } from '../src/http/client.ts';
import { requestOf } from '../src/load/loadtest/prompts.ts';
import { loadClient } from '../src/load/loadtest/stage.ts';
import { TOPIC_COUNT, topicText } from '../src/load/loadtest/topics.ts';
import { type Experts, startExperts, startGateway } from './kit/candidates.ts';
import { counter } from './kit/load.ts';
import { Bench, tree } from './kit/processes.ts';
import { ACCEPTABLE_OUTCOMES, type Ended, OUTCOMES, runRequest } from './kit/victim.ts';

const { values } = parseArgs({
  options: {
    users: { type: 'string', default: '300' },
    seconds: { type: 'string', default: '30' },
    workers: { type: 'string', default: '2' },
    seed: { type: 'string', default: '1' },
  },
});
const EXPERTS = 4;
const ANSWER_TOKENS = 30;
/** Share of requests whose client disconnects. */
const LEAVING_SHARE = 0.05;
/** A connection that is lost within this time of a worker's death is attributed to it. */
const WORKER_SHADOW_MS = 750;
const OPTIONS = ['--prefill', '1000000', '--tokens-per-second', '10', '--max-batch', '1000'];

const random = seededRandom(Number(values.seed));
const bench = new Bench();
const ends = new Map<string, number>();
const details = new Map<string, number>();
const killed = { experts: 0, workers: 0, starting: 0, stopped: 0 };
let reloads = 0;
const workerKills: number[] = [];

try {
  const experts = await Promise.all(
    Array.from({ length: EXPERTS }, (_, index) => startExperts(bench, 1, ...OPTIONS, '--seed', `${index}`)),
  );
  const ports = experts.map((one) => one.ports[0]!);
  const gateway = await startGateway(bench, ports, {
    workers: Number(values.workers),
    expert: () => ({ max_concurrent: 1000 }),
    fullDisk: true,
  });
  const until = performance.now() + Number(values.seconds) * 1000;
  const mischief = Promise.all([
    killAround(gateway.process.pid, experts, until),
    reload(gateway.process.pid, gateway.file!, until),
  ]);
  const client = loadClient(new URL(`http://127.0.0.1:${gateway.port}`));
  await Promise.all(Array.from({ length: Number(values.users) }, (_, user) => runUser(user, client, until)));
  await mischief;
  client.close();
  await sleep(2_000);
  await report(gateway.port);
} finally {
  await bench.end();
}

async function runUser(user: number, client: HttpClient, until: number): Promise<void> {
  const own = random.fork(user + 1);
  await sleep(own.next() * 2_000);
  while (performance.now() < until) {
    const began = performance.now();
    const ended = await runRequest(client, question(own), {
      leaveAfterMs: own.next() < LEAVING_SHARE ? own.next() * 3_000 : null,
      timeoutMs: 40_000,
      sinceWorkerKill: () => {
        const gaps = workerKills.map((at) => at - began).filter((gap) => Math.abs(gap) < 40_000);
        return `worker kills after its start: ${gaps.map((gap) => `${gap.toFixed(0)} ms`).join(', ')}`;
      },
      workerJustKilled: () =>
        performance.now() - (workerKills.at(-1) ?? -WORKER_SHADOW_MS) < WORKER_SHADOW_MS,
    });
    count(ended);
    // A refused user honours Retry-After, up to a limit.
    if (ended.end !== 'full answer') await sleep(Math.min(3_000, Math.max(200, ended.retryAfterMs)));
  }
}

function question(own: typeof random): OutgoingRequest {
  const content = topicText(own.below(TOPIC_COUNT), 30, own);
  return requestOf(
    { messages: [{ role: 'user', content }], maxTokens: ANSWER_TOKENS },
    {
      path: '/v1/chat/completions',
      model: 'auto',
      key: null,
      stream: true,
      exactLength: true,
      headers: {},
    },
  );
}

/** Kills a process every second or two; an expert stays down for a while, a worker until it has been replaced. */
async function killAround(gateway: number, experts: readonly Experts[], until: number): Promise<void> {
  const alive = experts.map((one) => one.process);
  const down = new Set<number>();
  const revivals: Promise<unknown>[] = [];
  await sleep(3_000);
  while (performance.now() < until) {
    const victim = random.below(EXPERTS);
    const workers = tree(gateway).slice(1);
    if (workers.length > 1 && random.next() < 0.4) {
      const one = workers[random.below(workers.length)]!;
      const how = random.below(3);
      if (how === 0) revivals.push(stop(one));
      else {
        kill(one);
        killed.workers += 1;
        if (how === 1) revivals.push(killNext(gateway, workers));
      }
    } else if (!down.has(victim) && down.size < EXPERTS - 1) {
      down.add(victim);
      killed.experts += 1;
      const [port] = experts[victim]!.ports;
      process.kill(alive[victim]!.pid, 'SIGKILL');
      revivals.push(
        sleep(1_000 + random.next() * 3_000).then(() => {
          alive[victim] = bench.cli('emulate', '--experts', '1', '--port', String(port), ...OPTIONS);
          down.delete(victim);
        }),
      );
    }
    await sleep(1_000 + random.next() * 1_500);
  }
  await Promise.all(revivals);
}

function kill(worker: number): void {
  workerKills.push(performance.now());
  process.kill(worker, 'SIGKILL');
}

/** Stops a worker, which the primary is to find and replace. */
async function stop(worker: number): Promise<void> {
  process.kill(worker, 'SIGSTOP');
  killed.stopped += 1;
  while (isAlive(worker)) await sleep(20);
  workerKills.push(performance.now());
}

/** Kills the worker that takes another's place, while it starts. */
async function killNext(gateway: number, known: readonly number[]): Promise<void> {
  let next: number | undefined;
  for (let tries = 0; next === undefined && tries < 500; tries += 1) {
    await sleep(10);
    next = tree(gateway)
      .slice(1)
      .find((pid) => !known.includes(pid));
  }
  if (next === undefined) return;
  await sleep(random.next() * 500);
  if (!isAlive(next)) return;
  kill(next);
  killed.starting += 1;
}

function isAlive(pid: number): boolean {
  try {
    // One that has ended and was not waited for yet is a zombie.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

async function reload(gateway: number, file: string, until: number): Promise<void> {
  const whole = JSON.parse(readFileSync(file, 'utf8')) as object;
  while (performance.now() < until) {
    await sleep(1_500);
    reloads += 1;
    const next = JSON.stringify({ ...whole, heartbeat: `${5 + (reloads % 10)}s` });
    writeFileSync(file, `${reloads % 4 === 0 ? next.slice(0, -2) : next}\n`);
    process.kill(gateway, 'SIGHUP');
  }
}

function count({ end, detail }: Ended): void {
  ends.set(end, (ends.get(end) ?? 0) + 1);
  if (detail === '') return;
  const key = `${end}: ${detail}`;
  details.set(key, (details.get(key) ?? 0) + 1);
}

async function report(port: number): Promise<void> {
  console.log(
    `${values.users} users for ${values.seconds} s, seed ${values.seed}: ` +
      `${killed.experts} experts and ${killed.workers} workers killed (of ${EXPERTS} and ${values.workers}), each replaced; ` +
      `${killed.starting} killed while starting, ${killed.stopped} stopped, ${reloads} reloads on a full disk`,
  );
  for (const end of OUTCOMES) console.log(`${end.padEnd(36)} ${String(ends.get(end) ?? 0).padStart(6)}`);
  for (const [detail, times] of details) console.log(`  ${detail}: ${times}`);
  const [inFlight, queued] = await Promise.all(
    ['expert_router_inflight', 'expert_router_queued'].map((name) => counter(port, name)),
  );
  console.log(`afterwards: ${inFlight} in flight, ${queued} queued`);
  const bad = OUTCOMES.slice(ACCEPTABLE_OUTCOMES).reduce((sum, end) => sum + (ends.get(end) ?? 0), 0);
  const leaked = inFlight !== 0 || queued !== 0;
  console.log(
    bad === 0 && !leaked ? 'Every outcome was acceptable.' : `${bad} outcomes were not acceptable.`,
  );
  process.exitCode = bad === 0 && !leaked ? 0 : 1;
}

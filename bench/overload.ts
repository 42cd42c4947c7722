/**
 * Offers the gateway more than it can serve, over loopback: `npm run bench:overload`, about two minutes. First its capacity
 * is measured with a closed loop, then one, two and three times as much is offered, over kept connections and over new
 * ones; then 3,000 streams at once, and 5,000 clients that connect at the same moment. `-- --workers 2` for the port
 * shared among workers; `-- --beside FOLDER` measures another checkout, which must be built, in the same run.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { seededRandom } from '../src/core/random.ts';
import { topicText } from '../src/load/loadtest/topics.ts';
import { startExperts, startGateway } from './kit/candidates.ts';
import { counter, put } from './kit/load.ts';
import { atOnce, capacityOf, offer, type Told, watchPath } from './kit/open-loop.ts';
import { Bench, cpuMicroseconds } from './kit/processes.ts';

const { values } = parseArgs({
  options: {
    times: { type: 'string', default: '1,2,3' },
    seconds: { type: 'string', default: '12' },
    workers: { type: 'string', default: '1' },
    beside: { type: 'string' },
    streams: { type: 'string', default: '3000' },
    clients: { type: 'string', default: '5000' },
  },
});
const seconds = Number(values.seconds);
const USERS = 128;
/** Long enough that the gateway, not the client, is what is short of CPU. */
const PROMPT_WORDS = 2_000;
const STREAM_TOKENS = 100;
const body = JSON.stringify({
  model: 'e1',
  max_tokens: 1,
  messages: [{ role: 'user', content: topicText(0, PROMPT_WORDS, seededRandom(1)) }],
});
const question = Buffer.from(
  `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
);
const EXPERT_OPTIONS = '--prefill 100000000 --tokens-per-second 20 --max-batch 20000 --kv-tokens 100000000';

const bench = new Bench();
try {
  const experts = await startExperts(bench, 1, ...EXPERT_OPTIONS.split(' '));
  const instant = bench.start(process.execPath, [join(import.meta.dirname, 'kit', 'instant-expert.js')]);
  while (!/port \d+/.test(instant.output())) await sleep(20);
  const expert = Number(/port (\d+)/.exec(instant.output())![1]);
  for (const checkout of ['.', ...(values.beside === undefined ? [] : [values.beside])]) {
    const gateway = await startGateway(bench, [expert, ...experts.ports], {
      workers: Number(values.workers),
      checkout,
      expert: () => ({ max_concurrent: 20_000 }),
    });
    await measure(gateway.name, gateway.port, gateway.process.pid);
    await gateway.process.end();
  }
} finally {
  await bench.end();
}

async function measure(name: string, port: number, pid: number): Promise<void> {
  await capacityOf(port, USERS, 3, question); // warms up
  const capacity = await capacityOf(port, USERS, Math.max(4, seconds), question);
  console.log(
    `\n${name}, ${values.workers} workers: capacity ${capacity.toFixed(0)} requests/s (${USERS} users who wait)`,
  );
  for (const fresh of [false, true])
    for (const times of values.times.split(',').map(Number)) {
      const perSecond = Math.round(capacity * times);
      const cpu = cpuMicroseconds(pid);
      const [told, health] = await watched(port, () =>
        offer({ port, perSecond, seconds, bytes: question, fresh }),
      );
      const cores = (cpuMicroseconds(pid) - cpu) / 1e6 / seconds;
      console.log(`${times}x, ${fresh ? 'new' : 'kept'} connections: ${described(told, capacity)}`);
      console.log(
        `    health ${health}; gateway ${cores.toFixed(2)} cores, ${((cores * seconds * 1e6) / told.offered).toFixed(0)} µs of CPU a request`,
      );
      await sleep(3_000);
    }
  await streams(port);
  await sleep(5_000);
  const [told, health] = await watched(port, () => atOnce(port, Number(values.clients), question));
  console.log(`${values.clients} clients at once: ${described(told, null)}\n    health ${health}`);
  const left = await counter(port, 'expert_router_inflight');
  console.log(`afterwards: ${left} in flight`);
}

async function watched(port: number, during: () => Promise<Told>): Promise<[Told, string]> {
  let over = false;
  const watching = watchPath(port, '/health', () => over);
  const told = await during();
  over = true;
  const { ms, wrong } = await watching;
  return [
    told,
    `p50 ${at(ms, 0.5)}, p99 ${at(ms, 0.99)}, most ${at(ms, 1)} ms${wrong > 0 ? `, ${wrong} WRONG` : ''}`,
  ];
}

function described(told: Told, capacity: number | null): string {
  const { offered, statuses, faults, answered, refused, retryAfter } = told;
  const share =
    capacity === null
      ? ''
      : ` (${((100 * told.answeredInTime) / seconds / capacity).toFixed(0)} % of capacity)`;
  const others = [...statuses]
    .filter(([status]) => status !== 200)
    .map(([status, count]) => `${count} x ${status}`);
  const waits = retryAfter.filter((value) => !Number.isNaN(value));
  const lines = [
    `${offered} offered, ${answered.length} answered${share}, p50 ${at(answered, 0.5)}, p99 ${at(answered, 0.99)} ms`,
    `refused: ${others.join(', ') || 'none'}`,
    refused.length > 0
      ? `refusals p50 ${at(refused, 0.5)}, p99 ${at(refused, 0.99)} ms, Retry-After ${waits.length > 0 ? `${Math.min(...waits)} to ${Math.max(...waits)} s` : 'none'}${waits.length < retryAfter.length ? `, ${retryAfter.length - waits.length} WITHOUT` : ''}`
      : '',
    `faults: ${[...faults].map(([fault, count]) => `${count} x ${fault}`).join(', ') || 'none'}`,
  ];
  return lines.filter(Boolean).join('\n    ');
}

/** Streams of 20 tokens a second, all begun within a second. */
async function streams(port: number): Promise<void> {
  const users = Number(values.streams);
  const { requests, succeeded, errors, errors_by_kind, ttft_ms, itl_ms } = await put({
    port,
    stream: true,
    promptTokens: 12,
    answerTokens: STREAM_TOKENS,
    ask: { model: 'e2', headers: {} },
    arrivals: { kind: 'closed', users, thinkSeconds: 0 },
    seconds: 2 * seconds,
    rampSeconds: 1,
    drainSeconds: 30,
  });
  console.log(
    `${users} streams: ${requests} begun, ${succeeded} whole, ${errors} not ${JSON.stringify(errors_by_kind)}; ` +
      `TTFT p50 ${ttft_ms.p50.toFixed(0)}, p99 ${ttft_ms.p99.toFixed(0)} ms; between tokens p99 ${itl_ms.p99.toFixed(0)} ms`,
  );
}

function at(ascending: readonly number[], share: number): string {
  if (ascending.length === 0) return '-';
  return ascending[Math.min(ascending.length - 1, Math.floor(share * ascending.length))]!.toFixed(0);
}

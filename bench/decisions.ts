/**
 * Decisions a second of one external processor on one core: whole exchanges as Envoy makes them (head, body, head of the
 * answer, end), from a client in another process. `npm run bench:scale` runs it first.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Client, type ClientDuplexStream, credentials } from '@grpc/grpc-js';
import { extProcService } from '../src/serving/extproc/protocol.ts';
import { freePort, startExperts } from './kit/candidates.ts';
import { Bench, cpuMicroseconds, listening, residentMegabytes } from './kit/processes.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '6' },
    'prompt-bytes': { type: 'string', default: '2000' },
    concurrency: { type: 'string', default: '1,16,64' },
  },
});
const seconds = Number(values.seconds);
const WARM_UP_SECONDS = 5;

const { Process } = extProcService();
const words =
  'please explain how to sort the list of users by name in python and then solve the equation '.split(' ');

function prompt(bytes: number, seed: number): string {
  let text = '';
  for (let at = seed; text.length < bytes; at += 1) text += `${words[(at * 7) % words.length]} `;
  return text.slice(0, bytes);
}

const encoded = (message: object): Buffer => Process!.requestSerialize(message);
const header = (key: string, value: string) => ({ key, raw_value: Buffer.from(value) });
const HEAD = encoded({
  request_headers: {
    headers: {
      headers: [
        header(':method', 'POST'),
        header(':path', '/v1/chat/completions'),
        header(':authority', 'localhost:10000'),
        header('content-type', 'application/json'),
        header('user-agent', 'bench'),
        header('x-forwarded-proto', 'http'),
      ],
    },
  },
  protocol_config: { request_body_mode: 4 },
});
const BODIES = Array.from({ length: 64 }, (_, seed) =>
  encoded({
    request_body: {
      body: Buffer.from(
        JSON.stringify({
          model: 'auto',
          messages: [{ role: 'user', content: prompt(Number(values['prompt-bytes']), seed) }],
          stream: true,
        }),
      ),
      end_of_stream: true,
    },
  }),
);
const ANSWER = encoded({
  response_headers: {
    headers: { headers: [header(':status', '200'), header('content-type', 'text/event-stream')] },
  },
});
/** Of a whole exchange: a head, a body in one piece, the head of the answer. */
const MESSAGES = 3;

/** Milliseconds from the end of the body to the decision. */
function exchange(client: Client, seed: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const call: ClientDuplexStream<Buffer, Buffer> = client.makeBidiStreamRequest(
      Process!.path,
      (bytes: Buffer) => bytes,
      (bytes: Buffer) => bytes,
    );
    let come = 0;
    let decided = 0;
    const begun = performance.now();
    call.on('data', () => {
      come += 1;
      if (come === MESSAGES - 1) {
        decided = performance.now() - begun;
        call.write(ANSWER);
      } else if (come === MESSAGES) call.end();
    });
    call.on('error', reject);
    call.on('end', () => (come === MESSAGES ? resolve(decided) : reject(new Error(`${come} messages came`))));
    call.write(HEAD);
    call.write(BODIES[seed % BODIES.length]!);
  });
}

async function load(client: Client, concurrency: number, forSeconds: number): Promise<readonly number[]> {
  const until = performance.now() + forSeconds * 1000;
  const latencies: number[] = [];
  let seed = 0;
  const worker = async (): Promise<void> => {
    while (performance.now() < until) latencies.push(await exchange(client, seed++));
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  return latencies;
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
}

const bench = new Bench();
try {
  const port = await freePort();
  const config = join(bench.folder, 'experts.yaml');
  // They are healthy, and asked for nothing else: that is Envoy's part.
  const { ports } = await startExperts(bench, 8);
  const experts = ports.map((to, index) => ({
    id: `e${index + 1}`,
    kind: 'openai',
    url: `http://127.0.0.1:${to}`,
    max_concurrent: 10_000,
  }));
  writeFileSync(config, JSON.stringify({ experts }));
  const processor = bench.cli('extproc', '--config', config, '--port', String(port));
  await listening(port, processor);
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  await load(client, 64, WARM_UP_SECONDS);
  console.log(`Decisions of one processor, prompts of ${values['prompt-bytes']} bytes, eight experts`);
  for (const concurrency of values.concurrency.split(',').map(Number)) {
    const before = cpuMicroseconds(processor.pid);
    const started = performance.now();
    const latencies = await load(client, concurrency, seconds);
    const passed = (performance.now() - started) / 1000;
    const cpu = (cpuMicroseconds(processor.pid) - before) / latencies.length;
    console.log(
      [
        `  ${String(concurrency).padStart(3)} at once:`,
        `${(latencies.length / passed).toFixed(0).padStart(5)}/s`,
        `${cpu.toFixed(0).padStart(5)} µs of CPU each, ${(1e6 / cpu).toFixed(0)}/s of one core`,
        `decided after p50 ${quantile(latencies, 0.5).toFixed(1)} ms, p99 ${quantile(latencies, 0.99).toFixed(1)} ms`,
        `${residentMegabytes(processor.pid).toFixed(0)} MB`,
      ].join('  '),
    );
  }
  client.close();
} finally {
  await bench.end();
}

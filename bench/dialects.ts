/**
 * What dialects cost the gateway, in CPU: `npm run bench:gateway -- --phase dialects`. The same canned answer is asked for
 * in each dialect of a server that speaks it (passed on) and of one that speaks chat completions alone (translated), in
 * turns; figures are medians over rounds.
 */
import { HttpClient } from '../src/http/client.ts';
import { startGateway } from './kit/candidates.ts';
import { median } from './kit/load.ts';
import { type Bench, cpuMicroseconds } from './kit/processes.ts';
import { type Api, PATHS, threeApis } from './kit/three-apis.ts';

interface Case {
  readonly name: string;
  readonly api: Api;
  readonly model: 'speaks' | 'chats';
}

const CASES: readonly Case[] = [
  { name: 'chat completions, passed on', api: 'chat', model: 'speaks' },
  { name: 'Responses, passed on', api: 'responses', model: 'speaks' },
  { name: 'Messages, passed on', api: 'messages', model: 'speaks' },
  { name: 'Responses, translated', api: 'responses', model: 'chats' },
  { name: 'Messages, translated', api: 'messages', model: 'chats' },
];

const TOKENS = 140;
const STREAMS = 40;
const EVERY_MS = 10;
const PROMPT = 'Why does this loop over the rows of a table never come to an end? '.repeat(3);

const BODIES: Readonly<Record<Api, object>> = {
  chat: { messages: [{ role: 'user', content: PROMPT }], max_tokens: TOKENS },
  responses: { input: PROMPT, max_output_tokens: TOKENS },
  messages: { messages: [{ role: 'user', content: PROMPT }], max_tokens: TOKENS },
};

export async function benchDialects(bench: Bench, rounds: number, seconds: number): Promise<void> {
  const server = await threeApis({ tokens: TOKENS, everyMs: EVERY_MS });
  const gateway = await startGateway(bench, [server.port, server.port], {
    workers: 1,
    // vLLM speaks all three; `plain` stands for a server that does not.
    expert: (index) => ({
      ...{ id: index === 0 ? 'speaks' : 'chats', quirks: index === 0 ? 'vllm' : 'plain' },
      ...{ model: 'served', max_concurrent: 1000, metrics_url: false },
    }),
  });
  const client = new HttpClient(new URL(`http://127.0.0.1:${gateway.port}`), {
    connect: 5000,
    head: 30_000,
    idle: 30_000,
  });
  try {
    for (const stream of [false, true]) {
      const costs = new Map(CASES.map(({ name }) => [name, [] as number[]]));
      for (const one of CASES) await load(client, one, stream, 1.5);
      for (let round = 0; round < rounds; round += 1)
        for (let at = 0; at < CASES.length; at += 1) {
          const one = CASES[(at + round) % CASES.length]!;
          const before = cpuMicroseconds(gateway.process.pid);
          const answers = await load(client, one, stream, seconds);
          const spent = cpuMicroseconds(gateway.process.pid) - before;
          costs.get(one.name)!.push(spent / (stream ? answers * TOKENS : answers));
        }
      report(stream ? 'µs per streamed token' : 'µs per request, not streamed', costs);
    }
  } finally {
    client.close();
    server.close();
    await gateway.process.end();
  }
}

/** Keeps some requests under way. @returns how many were answered */
async function load(
  client: HttpClient,
  { api, model }: Case,
  stream: boolean,
  seconds: number,
): Promise<number> {
  const body = Buffer.from(JSON.stringify({ model, stream, ...BODIES[api] }));
  const until = performance.now() + seconds * 1000;
  let answers = 0;
  const user = async (): Promise<void> => {
    while (performance.now() < until) {
      await ask(client, PATHS[api], body);
      answers += 1;
    }
  };
  await Promise.all(Array.from({ length: stream ? STREAMS : 8 }, user));
  return answers;
}

function ask(client: HttpClient, path: string, body: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    let status = 0;
    let bytes = 0;
    client.request(
      { method: 'POST', path, headers: { 'content-type': 'application/json' }, body },
      {
        head: (head) => {
          status = head.status;
        },
        data: (payload) => {
          bytes += payload.length;
          return true;
        },
        end: () =>
          status === 200 && bytes > TOKENS
            ? resolve()
            : reject(new Error(`${path} was answered with ${status} and ${bytes} bytes`)),
        fail: reject,
      },
    );
  });
}

function report(title: string, costs: ReadonlyMap<string, readonly number[]>): void {
  const base = median([...costs.values()][0]!);
  console.log(`\n${title}`);
  for (const [name, each] of costs) {
    const own = median(each);
    const ratio = `${(own / base).toFixed(2)} × chat`;
    const rounds = each.map((cost) => cost.toFixed(1)).join(', ');
    console.log(`${name.padEnd(30)} ${own.toFixed(1).padStart(7)} ${ratio.padStart(14)}   rounds ${rounds}`);
  }
}

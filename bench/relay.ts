/**
 * What the raw lane and the tries around it cost of a streamed answer, in CPU time and without sockets:
 * `npm run bench:relay`. The floor is the same answer handed straight to the client's end; rounds of both take turns.
 */
import { openAiChat } from '../src/serving/dialects/openai/chat.ts';
import type { Expert } from '../src/serving/experts/expert.ts';
import type { ExpertGroup, Ticket } from '../src/serving/fleet/group.ts';
import type { Lease, Replica } from '../src/serving/fleet/replica.ts';
import { type AttemptPlan, type AttemptSink, Attempts } from '../src/serving/gateway/attempts.ts';
import { RawRelay } from '../src/serving/reply/raw-relay.ts';
import type { AnswerSink } from '../src/serving/reply/reply.ts';

const ROUNDS = 15;
const STREAMS = 4_000;
const TOKENS = 400;
const HEAD = {
  status: 200,
  headers: { 'content-type': 'text/event-stream; charset=utf-8', server: 'uvicorn' },
};

const event = (delta: object, reason: string | null, more: object = {}): Buffer =>
  Buffer.from(
    `data: ${JSON.stringify({
      id: 'chatcmpl-5f3a9d0c2b7e41e8a6d1c0ffee123456',
      object: 'chat.completion.chunk',
      created: 1_790_000_000,
      model: 'Qwen/Qwen2.5-7B-Instruct',
      choices: [{ index: 0, delta, logprobs: null, finish_reason: reason }],
      ...more,
    })}\n\n`,
  );
const OPENING = event({ role: 'assistant', content: '' }, null);
const TOKEN = [' the', ' relay', ' carries', ' “tokens”', ',', ' one'].map((content) =>
  event({ content }, null),
);
const FINISH = event({ content: '' }, 'stop');
const DONE = Buffer.from('data: [DONE]\n\n');

let seen = 0;
const CLIENT: AttemptSink = {
  served: () => {},
  waiting: () => {},
  head: () => {},
  data: (chunk) => {
    seen += chunk.length;
    return true;
  },
  end: () => {},
  fail: (failure) => {
    throw failure;
  },
};

/** What the server behind says; the bytes of a token are fresh ones, as they are from a socket. */
function feed(to: Pick<RawRelay, 'head' | 'data' | 'end'>, tokens: number): void {
  to.head(HEAD);
  to.data(OPENING);
  for (let token = 0; token < tokens; token += 1) to.data(TOKEN[token % TOKEN.length]!);
  to.data(FINISH);
  to.data(DONE);
  to.end();
}

const json = { model: 'auto', stream: true, messages: [{ role: 'user', content: 'Hello' }] };
const ask = openAiChat.ask(openAiChat.facts(json), {
  bytes: Buffer.from(JSON.stringify(json)),
  json,
  partial: false,
});

function relayed(tokens: number): void {
  let relay: RawRelay | null = null;
  const expert: Pick<Expert, 'generate'> = {
    generate: (_request, sink) => {
      relay = relayTo(sink);
      return { resume: () => {}, cancel: () => {} };
    },
  };
  const lease: Pick<Lease, 'answering' | 'end'> & { replica: unknown } = {
    replica: { expert, available: true } as unknown as Replica,
    answering: () => {},
    end: () => {},
  };
  const group = {
    id: 'expert',
    replicas: [],
    admit: (_admission: unknown, done: (lease: Lease) => void): Ticket => {
      done(lease as Lease);
      return { leave: () => {} } as Ticket;
    },
  };
  new Attempts({ ...PLAN, groups: [group as unknown as ExpertGroup], claimed: [] }, CLIENT);
  feed(relay!, tokens);
}

const PLAN: Omit<AttemptPlan, 'groups' | 'claimed'> = {
  request: { ask, headers: {}, traceId: 'bench' },
  stream: true,
  promptTokens: 10,
  outputTokens: 10,
  shape: () => '',
  epoch: Date.now,
  affinityKey: null,
  priority: 0,
  tenant: '',
  firstTokenMs: () => 10_000,
  totalMs: 10_000,
  heartbeatMs: 10_000,
  mayRetry: () => true,
};

function relayTo(sink: AnswerSink): RawRelay {
  const options = {
    expert: 'expert',
    lane: ask.dialect,
    stream: true,
    statuses: {},
    asFailure: (error: Error) => {
      throw error;
    },
  };
  return new RawRelay(options, sink);
}

const floor = { head: () => CLIENT.head(200, {}), data: (b: Buffer) => CLIENT.data(b), end: () => {} };

/** CPU time in microseconds. */
function cost(streams: number, run: () => void): number {
  const before = process.cpuUsage();
  for (let i = 0; i < streams; i += 1) run();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

const times = { empty: [] as number[], long: [] as number[], floor: [] as number[] };
for (let round = -2; round < ROUNDS; round += 1) {
  const long = cost(STREAMS / 10, () => relayed(TOKENS)) / (STREAMS / 10);
  const empty = cost(STREAMS, () => relayed(1)) / STREAMS;
  const least = cost(STREAMS / 10, () => feed(floor, TOKENS)) / (STREAMS / 10);
  if (round < 0) continue; // not compiled yet
  times.long.push(long);
  times.empty.push(empty);
  times.floor.push(least);
}
const median = (list: number[]): number => list.sort((a, b) => a - b)[Math.floor(list.length / 2)]!;
const [long, empty, least] = [median(times.long), median(times.empty), median(times.floor)];
console.log(`streams of 1 and ${TOKENS} tokens of ${TOKEN[0]!.length} bytes, median of ${ROUNDS} rounds`);
console.log(
  `a token:  ${((long - empty) / (TOKENS - 1)).toFixed(3)} µs (floor ${(least / TOKENS).toFixed(3)})`,
);
console.log(`a stream: ${empty.toFixed(2)} µs besides its tokens`);
console.log(`bytes:    ${seen}`);

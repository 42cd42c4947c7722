/**
 * What a head promises is delivered, or the connection ends within that response: no answer is ever read as part of
 * another. Held over every path to the client, against experts that break their own framing in every way.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gateway, type RunningGateway } from './support/gateway.ts';
import { rawClient } from './support/raw-client.ts';
import { type RawExpert, rawExpert, type Script } from './support/raw-expert.ts';
import { type ReadResponse, readResponses } from './support/strict-reader.ts';

/** How an expert answers one request. */
interface Behaviour {
  readonly framing: 'length' | 'chunked' | 'close' | 'both';
  readonly version: '1.0' | '1.1';
  readonly status: number;
  readonly type: string;
  readonly encoded: boolean;
  readonly form: 'json' | 'events' | 'events without an end' | 'error' | 'nothing';
  readonly size: number;
  readonly leading: number;
  /** Bytes that content-length claims beyond (or short of) the body. */
  readonly lengthError: number;
  /** The part of the response after which the connection ends; 1 is all of it. */
  readonly share: number;
  readonly surplus: string;
  readonly piece: number;
  readonly pauseMs: number;
  readonly ending: Script['ending'];
}

const behaviour: fc.Arbitrary<Behaviour> = fc.record({
  framing: fc.constantFrom('length', 'length', 'chunked', 'close', 'both'),
  version: fc.constantFrom('1.1', '1.1', '1.1', '1.0'),
  status: fc.constantFrom(200, 200, 200, 200, 200, 201, 204, 304, 400, 404, 429, 500, 503),
  type: fc.constantFrom('application/json', 'text/event-stream', 'Text/Event-Stream; charset=utf-8'),
  encoded: fc.constantFrom(false, false, false, true),
  form: fc.constantFrom('json', 'json', 'events', 'events', 'events without an end', 'error', 'nothing'),
  size: fc.constantFrom(10, 3_000, 66_000, 180_000),
  leading: fc.constantFrom(0, 0, 1, 300, 5_000, 70_000),
  lengthError: fc.constantFrom(0, 0, 0, 0, 40, -40, 5_000, -5_000),
  share: fc.constantFrom(1, 1, 1, 0, 0.3, 0.7, 0.99, 0.999),
  surplus: fc.constantFrom('', '', '', '\r\n', 'HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfour'),
  piece: fc.constantFrom(7_000, 60_000, 300_000),
  pauseMs: fc.constantFrom(0, 1, 4),
  ending: fc.constantFrom('keep', 'close', 'close', 'reset'),
});

const EVENT = (text: string, reason: string | null = null): string =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: text }, finish_reason: reason }] })}\n\n`;

function bodyOf({ form, size, leading }: Behaviour, mark: string): string {
  const text = `${mark} `.repeat(Math.ceil(size / mark.length));
  const space = '\n'.repeat(leading);
  switch (form) {
    case 'json':
      return `${space}${JSON.stringify({ choices: [{ index: 0, message: { content: text }, finish_reason: 'stop' }] })}`;
    case 'events':
      return `${space}${EVENT(mark)}${EVENT(text)}${EVENT(mark, 'stop')}data: [DONE]\n\n`;
    case 'events without an end':
      return `${space}${EVENT(mark)}${EVENT(text)}${EVENT(mark, 'stop')}`;
    case 'error':
      return `${space}${JSON.stringify({ error: { message: text } })}`;
    case 'nothing':
      return space;
  }
}

function scriptOf(how: Behaviour, mark: string): Script {
  const body = bodyOf(how, mark);
  const lines = [`HTTP/${how.version} ${how.status} Said`, `content-type: ${how.type}`];
  if (how.encoded) lines.push('content-encoding: gzip');
  if (how.framing === 'length' || how.framing === 'both')
    lines.push(`content-length: ${Math.max(0, body.length + how.lengthError)}`);
  const chunked = how.framing === 'chunked' || how.framing === 'both';
  if (chunked) lines.push('transfer-encoding: chunked');
  const framed = chunked ? `${chunk(body.slice(0, 100))}${chunk(body.slice(100))}0\r\n\r\n` : body;
  const head = `${lines.join('\r\n')}\r\n\r\n`;
  // Where the head does not delimit the body, what follows it is more of it.
  const surplus = chunked || (how.framing === 'length' && how.lengthError <= 0) ? how.surplus : '';
  const whole = Buffer.from(head + framed + surplus, 'latin1');
  const bytes = whole.subarray(0, Math.ceil(whole.length * how.share));
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += how.piece) pieces.push(bytes.subarray(at, at + how.piece));
  // An expert that says less than it announced and stays is a matter of deadlines, not of framing.
  const ending =
    how.ending === 'keep' && (how.share < 1 || how.lengthError > 0 || !chunked) ? 'close' : how.ending;
  return { pieces, pauseMs: how.pauseMs, ending };
}

function chunk(text: string): string {
  return text === '' ? '' : `${text.length.toString(16)}\r\n${text}\r\n`;
}

/** What a client sends. */
interface Asked {
  readonly path: 'chat' | 'completions' | 'other';
  readonly model: 'auto' | 'raw' | 'narrow' | 'claude' | 'emulated' | 'short' | 'unknown';
  readonly other: string;
  readonly stream: boolean;
  readonly version: '1.0' | '1.1';
  readonly expects: boolean;
  readonly behaviour: Behaviour;
}

const asked: fc.Arbitrary<Asked> = fc.record({
  path: fc.constantFrom('chat', 'chat', 'chat', 'chat', 'completions', 'other'),
  model: fc.constantFrom('auto', 'raw', 'raw', 'raw', 'narrow', 'claude', 'emulated', 'unknown'),
  other: fc.constantFrom(
    'GET /v1/models',
    'GET /v1/models/raw',
    'GET /v1/experts',
    'GET /metrics',
    'GET /health',
    'GET /ready',
    'GET /nowhere',
    'GET /v1/chat/completions',
    'DELETE /v1/models',
    'HEAD /v1/models',
    'HEAD /nowhere',
    'HEAD /v1/chat/completions',
    'HEAD /metrics',
    'OPTIONS /health',
    'POST /v1/route',
  ),
  stream: fc.boolean(),
  version: fc.constantFrom('1.1', '1.1', '1.1', '1.1', '1.0'),
  expects: fc.constantFrom(false, false, false, true),
  behaviour,
});

const traceOf = (run: number, index: number): string => `${run}f${index}`.padStart(32, 'a');
const markOf = (run: number, index: number): string => `mark${run}x${index}y`;

function requestOf(it: Asked, run: number, index: number): { method: string; bytes: string } {
  const content = markOf(run, index);
  const question =
    it.path === 'completions' ? { prompt: content } : { messages: [{ role: 'user', content }] };
  const body = JSON.stringify({ model: it.model, stream: it.stream, ...question });
  const [method, path] = it.path === 'other' ? it.other.split(' ') : ['POST', `/v1/${PATHS[it.path]}`];
  const lines = [`${method} ${path} HTTP/${it.version}`, 'host: localhost'];
  lines.push(`traceparent: 00-${traceOf(run, index)}-00f067aa0ba902b7-01`, 'content-type: application/json');
  if (it.version === '1.0') lines.push('connection: keep-alive');
  if (it.expects && method === 'POST') lines.push('expect: 100-continue');
  const withBody = method === 'POST';
  if (withBody) lines.push(`content-length: ${body.length}`);
  return { method: method!, bytes: `${lines.join('\r\n')}\r\n\r\n${withBody ? body : ''}` };
}

const PATHS = { chat: 'chat/completions', completions: 'completions' } as const;

const GARBAGE = 'this is no request\r\n\r\n';

const behaviours = new Map<string, Behaviour>();
let experts: readonly RawExpert[];
let runs = 0;

function scriptFor(_head: string, body: string): Script {
  const mark = /mark\d+x\d+y/.exec(body)?.[0];
  const how = mark === undefined ? undefined : behaviours.get(mark);
  const ok = Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}');
  return how ? scriptOf(how, mark!) : { pieces: [ok], pauseMs: 0, ending: 'keep' };
}

beforeAll(async () => {
  experts = [await rawExpert(scriptFor), await rawExpert(scriptFor)];
});

afterAll(async () => {
  await Promise.all(experts.map((expert) => expert.close()));
});

const config = (): string => `
heartbeat: 1ms
hedge: true
experts:
  - { id: raw, kind: openai, quirks: plain, metrics_url: false, url: ['${experts[0]!.url}', '${experts[1]!.url}'] }
  - { id: narrow, kind: openai, quirks: plain, metrics_url: false, max_concurrent: 1, queue_size: 2, url: '${experts[0]!.url}' }
  - { id: claude, kind: anthropic, api_key: sk-test, url: '${experts[1]!.url}' }
  - { id: emulated, kind: emulated }
`;

/** Sends them in one go or one after another, and checks all that came back. */
async function converse(
  router: RunningGateway,
  list: readonly Asked[],
  options: { pipelined: boolean; garbage: boolean },
): Promise<readonly ReadResponse[]> {
  const run = ++runs;
  const requests = list.map((one, index) => {
    behaviours.set(markOf(run, index), one.behaviour);
    return requestOf(one, run, index);
  });
  const methods = [...requests.map((one) => one.method), ...(options.garbage ? ['GET'] : [])];
  const client = rawClient(Number(new URL(router.url).port));
  const bytes = [...requests.map((one) => one.bytes), ...(options.garbage ? [GARBAGE] : [])];
  for (const [index, some] of (options.pipelined ? [bytes.join('')] : bytes).entries()) {
    client.send(some);
    const wanted = options.pipelined ? bytes.length : index + 1;
    await client.see((_text, packets) => answered(Buffer.concat(packets), methods) >= wanted, 4_000);
  }
  // Whatever still comes would come after the end.
  const { packets, end } = await client.see(undefined, 10);
  client.close();
  const responses = readResponses(Buffer.concat(packets), methods, end);
  if (end === 'open') expect(responses).toHaveLength(methods.length);
  for (const [index, response] of responses.entries()) checkOwn(response, run, index, list[index]);
  return responses;
}

/** How many whole responses are there so far. */
function answered(bytes: Buffer, methods: readonly string[]): number {
  try {
    return readResponses(bytes, methods, 'reset').filter((one) => one.whole).length;
  } catch {
    return methods.length; // what is wrong is told by the final reading
  }
}

/** Every byte of a response belongs to its own request, and what claims to be whole is. */
function checkOwn(response: ReadResponse, run: number, index: number, it: Asked | undefined): void {
  const text = response.body.toString('latin1');
  if (it) expect(response.headers.get('x-expert-router-trace-id')).toBe(traceOf(run, index));
  for (const [mark] of text.matchAll(/mark\d+x\d+y/g)) expect(mark).toBe(markOf(run, index));
  expect(text).not.toMatch(/HTTP\/1\.1 \d/);
  expect(text).not.toContain('four');
  if (!response.whole || response.headers.has('content-encoding') || text === '') return;
  const type = response.headers.get('content-type') ?? '';
  // A stream under a wrong name passes as it is.
  if (/^application\/json/.test(type) && !(it?.stream && response.status < 300)) JSON.parse(text);
  // The last event is an end, or says what went wrong. What follows it could only be white space.
  if (/^text\/event-stream/i.test(type)) {
    const events = text.trimEnd().split(/\r?\n\r?\n/);
    const last = events.findLast((event) => !event.startsWith(':'))!; // signs of life are no events
    expect(last).toMatch(/^data: (\[DONE\]$|\{"error"|.*"finish_reason":"stop")/m);
  }
}

const POLITE: Behaviour = {
  framing: 'length',
  version: '1.1',
  status: 200,
  type: 'application/json',
  encoded: false,
  form: 'json',
  size: 10,
  leading: 0,
  lengthError: 0,
  share: 1,
  surplus: '',
  piece: 60_000,
  pauseMs: 1,
  ending: 'keep',
};
const LONG: Behaviour = { ...POLITE, size: 180_000 };
const ASKED: Asked = {
  path: 'chat',
  model: 'raw',
  other: '',
  stream: false,
  version: '1.1',
  expects: false,
  behaviour: POLITE,
};

async function withRouter<T>(use: (router: RunningGateway) => Promise<T>): Promise<T> {
  const router = await gateway(config());
  try {
    return await use(router);
  } finally {
    await router.close();
  }
}

describe('two answers on one connection do not mix', () => {
  const events = { ...LONG, type: 'text/event-stream', form: 'events without an end' } as const;
  const cases: readonly [string, Partial<Asked>, boolean][] = [
    ['white space before a long body', { behaviour: { ...LONG, leading: 300 } }, true],
    ['an unasked stream with a length and without its end', { behaviour: events }, true],
    ['an unasked stream with a length, cut', { behaviour: { ...events, share: 0.7 } }, true],
    ['a long body cut after a brace', { behaviour: { ...LONG, lengthError: -2 } }, false],
  ];

  it.each(cases)('%s', async (_name, first, kept) => {
    const list = [{ ...ASKED, ...first }, ASKED];
    const responses = await withRouter((router) =>
      converse(router, list, { pipelined: false, garbage: false }),
    );
    expect(responses.map((one) => one.whole)).toEqual(kept ? [true, true] : [false]);
  });

  it('when the second waits for its turn with Expect: 100-continue', async () => {
    const slow = { ...LONG, piece: 5_000, pauseMs: 4 };
    const list = [{ ...ASKED, behaviour: slow }, { ...ASKED, model: 'emulated', expects: true } as const];
    const responses = await withRouter((router) =>
      converse(router, list, { pipelined: true, garbage: false }),
    );
    expect(responses.map((one) => one.whole)).toEqual([true, true]);
  });

  it('when the first waits for a place at the expert that answers the second', async () => {
    const broken = { ...POLITE, lengthError: -40 };
    const long = { ...POLITE, type: 'text/event-stream', size: 66_000 };
    const list: readonly Asked[] = [
      { ...ASKED, model: 'auto', behaviour: broken },
      { ...ASKED, model: 'narrow', stream: true, behaviour: long },
    ];
    const responses = await withRouter((router) =>
      converse(router, list, { pipelined: true, garbage: false }),
    );
    expect(responses.map((one) => one.whole)).toEqual([true, true]);
  });

  it('when nonsense follows while the second is under way, which is the last', async () => {
    const run = ++runs;
    const slow = { ...LONG, type: 'text/event-stream', form: 'events', piece: 5_000, pauseMs: 20 } as const;
    const list: readonly Asked[] = [ASKED, { ...ASKED, stream: true, behaviour: slow }];
    for (const [index, one] of list.entries()) behaviours.set(markOf(run, index), one.behaviour);
    await withRouter(async (router) => {
      const client = rawClient(Number(new URL(router.url).port));
      client.send(list.map((one, index) => requestOf(one, run, index).bytes).join(''));
      await client.see((text) => text.includes(markOf(run, 1)));
      client.send(GARBAGE);
      const { packets, end } = await client.see();
      expect(end).not.toBe('open');
      const responses = readResponses(Buffer.concat(packets), ['POST', 'POST'], end);
      expect(responses.map((one) => one.whole)).toEqual([true, true]);
    });
  });

  it('when nonsense follows a request that is not yet answered', async () => {
    const run = ++runs;
    behaviours.set(markOf(run, 0), POLITE);
    await withRouter(async (router) => {
      const client = rawClient(Number(new URL(router.url).port));
      client.send(requestOf(ASKED, run, 0).bytes + GARBAGE);
      const { packets, end } = await client.see();
      expect(end).toBe('closed');
      const [response, ...more] = readResponses(Buffer.concat(packets), ['POST', 'POST'], end);
      expect(more).toEqual([]);
      expect(response!.whole).toBe(true);
      expect(response!.headers.get('connection')).toBe('close');
    });
  });

  it('and an HTTP/1.0 client sees a reset where a body without a length is cut', async () => {
    const behaviour = { ...LONG, framing: 'chunked', share: 0.7 } as const;
    const list = [{ ...ASKED, version: '1.0', behaviour } as const];
    const [response] = await withRouter((router) =>
      converse(router, list, { pipelined: false, garbage: false }),
    );
    expect(response!.headers.has('content-length')).toBe(false);
    expect(response!.whole).toBe(false);
  });
});

/** Each begins with a router of its own. */
const RUNS = Number(process.env.FRAMING_RUNS ?? 50);

describe('every response', () => {
  it(
    'is whole and its own, or the connection ends within it',
    async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(asked, { minLength: 1, maxLength: 4 }),
          fc.record({ pipelined: fc.boolean(), garbage: fc.constantFrom(false, false, false, true) }),
          async (list, options) => {
            await withRouter((router) => converse(router, list, options));
          },
        ),
        { numRuns: RUNS, timeout: 15_000 },
      );
    },
    60_000 + RUNS * 1_000,
  );
});

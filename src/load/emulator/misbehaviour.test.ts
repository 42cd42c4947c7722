/** Every named misbehaviour through a real socket: what a client that is no library sees. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { chatRequest, type RawClient, rawClient, type Seen } from '../../../test/support/raw-client.ts';
import type { MISBEHAVIOURS } from '../../serving/experts/emulated/misbehaviour.ts';
import { type EmulatedServers, startEmulatedServers } from './servers.ts';
import { simpleEngine } from './simple-pacer.ts';

let servers: EmulatedServers;
let client: RawClient;

beforeAll(async () => {
  servers = await startEmulatedServers({
    experts: 1,
    host: '127.0.0.1',
    port: 0,
    outputTokens: 8,
    seed: 1,
    mishaps: [],
    created: 0,
    engine: simpleEngine({
      firstTokenMs: 1,
      prefillPerSecond: 1e6,
      perTokenMs: { alone: 1, full: 1 },
      maxBatch: 8,
      kvTokens: 1000,
    }),
  });
});
afterAll(() => servers.close());
afterEach(() => client.close());

const tokens = (text: string): number => text.match(/"content":"[^"]/g)?.length ?? 0;
const chunksEnded = (text: string): boolean => text.endsWith('0\r\n\r\n');

interface Case {
  readonly list: string;
  readonly stream: boolean;
  readonly until?: (text: string) => boolean;
  readonly ms?: number;
  readonly check: (seen: Seen) => void;
}

const status = (code: string, more: RegExp): Case => ({
  list: code,
  stream: true,
  until: (text) => text.endsWith('}}'),
  check: ({ text, end }) => {
    expect(text).toMatch(/^HTTP\/1\.1 \d+/);
    expect(text).toMatch(more);
    expect(end).toBe('open');
  },
});

const CASES: Record<keyof typeof MISBEHAVIOURS, readonly Case[]> = {
  refuse: [
    { list: 'refuse', stream: true, check: (seen) => expect(seen).toMatchObject({ text: '', end: 'reset' }) },
  ],
  '401': [status('401', /^HTTP\/1\.1 401 .*"invalid_api_key"/s)],
  '429': [status('429-retry-after=7', /^HTTP\/1\.1 429 .*retry-after: 7\r\n.*"rate_limit_exceeded"/s)],
  '500': [status('500', /^HTTP\/1\.1 500 .*"internal_error"/s)],
  '503': [status('503', /^HTTP\/1\.1 503 .*"overloaded"/s)],
  'content-filter': [status('content-filter', /^HTTP\/1\.1 400 .*"content_filter"/s)],
  hang: [
    {
      list: 'hang',
      stream: true,
      ms: 80,
      check: (seen) => expect(seen).toMatchObject({ text: '', end: 'open' }),
    },
  ],
  'slow-first-token': [
    {
      list: 'slow-first-token-delay=1h',
      stream: true,
      ms: 80,
      check: ({ text, end }) => {
        expect(text).toMatch(/^HTTP\/1\.1 200 OK.*"role":"assistant"/s);
        expect(tokens(text)).toBe(0);
        expect(end).toBe('open');
      },
    },
  ],
  stall: [
    {
      list: 'stall-after=3',
      stream: true,
      ms: 120,
      check: ({ text, end }) => {
        expect(tokens(text)).toBe(3);
        expect(end).toBe('open');
      },
    },
    {
      list: 'stall',
      stream: false,
      ms: 120,
      check: ({ text, end }) => {
        expect(text).toContain('content-length: ');
        expect(text).not.toContain('finish_reason');
        expect(end).toBe('open');
      },
    },
  ],
  cut: [
    {
      list: 'cut-after=2',
      stream: true,
      check: ({ text, end }) => {
        expect(tokens(text)).toBe(2);
        expect(chunksEnded(text)).toBe(false);
        expect(end).toBe('closed');
      },
    },
    {
      list: 'cut',
      stream: false,
      check: ({ text, end }) => {
        expect(bodyOf(text).length).toBeLessThan(claimed(text));
        expect(end).toBe('closed');
      },
    },
  ],
  'error-event': [
    {
      list: 'error-event-after=1',
      stream: true,
      until: chunksEnded,
      check: ({ text }) => {
        expect(text).toMatch(/^HTTP\/1\.1 200/);
        expect(tokens(text)).toBe(1);
        expect(text).toMatch(/data: \{"error":\{"message":"Emulated[^\n]*\}\}\n\n/);
        expect(text).not.toContain('[DONE]');
      },
    },
  ],
  'malformed-json': [
    {
      list: 'malformed-json-after=1',
      stream: true,
      until: chunksEnded,
      check: ({ text }) => expect(dataLines(text).filter((line) => !parses(line))).toHaveLength(1),
    },
    {
      list: 'malformed-json',
      stream: false,
      until: complete,
      check: ({ text }) => {
        expect(bodyOf(text)).toHaveLength(claimed(text));
        expect(parses(bodyOf(text))).toBe(false);
      },
    },
  ],
  'no-usage': [
    {
      list: 'no-usage',
      stream: true,
      until: chunksEnded,
      check: ({ text }) => expect(text).not.toContain('"usage"'),
    },
    {
      list: 'no-usage',
      stream: false,
      until: complete,
      check: ({ text }) => expect(text).not.toContain('"usage"'),
    },
  ],
  'no-done': [
    {
      list: 'no-done',
      stream: true,
      until: chunksEnded,
      check: ({ text }) => {
        expect(text).toContain('"finish_reason":"stop"');
        expect(text).not.toContain('[DONE]');
      },
    },
  ],
  'wrong-content-type': [
    {
      list: 'wrong-content-type',
      stream: true,
      until: chunksEnded,
      check: ({ text }) => expect(text).toMatch(/content-type: text\/html/),
    },
  ],
  'split-utf8': [
    {
      list: 'split-utf8',
      stream: true,
      until: chunksEnded,
      check: ({ text, packets }) => {
        expect(text).toContain('Grüße, ');
        expect(text).toContain('🙂 ');
        expect(packets.some((packet) => packet.at(-1)! >= 0xc0)).toBe(true);
      },
    },
  ],
  'byte-at-a-time': [
    {
      list: 'byte-at-a-time',
      stream: true,
      until: chunksEnded,
      check: ({ text, packets }) => {
        expect(text).toContain('data: [DONE]');
        expect(packets.filter((packet) => packet.length === 1).length).toBeGreaterThan(packets.length / 2);
      },
    },
  ],
  'close-idle': [
    {
      list: 'close-idle',
      stream: true,
      check: ({ text, end }) => {
        expect(chunksEnded(text)).toBe(true);
        expect(text).not.toContain('connection: close');
        expect(end).toBe('closed');
      },
    },
  ],
  'close-reused': [
    { list: 'close-reused', stream: true, until: chunksEnded, check: ({ end }) => expect(end).toBe('open') },
  ],
  'length-too-long': [
    {
      list: 'length-too-long-by=9',
      stream: true,
      check: ({ text, end }) => {
        expect(claimed(text)).toBe(bodyOf(text).length + 9);
        expect(end).toBe('closed');
      },
    },
  ],
  'length-too-short': [
    {
      list: 'length-too-short-by=9',
      stream: false,
      until: (text) => text.endsWith('}'),
      check: ({ text }) => expect(claimed(text)).toBe(bodyOf(text).length - 9),
    },
  ],
};

function bodyOf(text: string): string {
  return text.slice(text.indexOf('\r\n\r\n') + 4);
}

function claimed(text: string): number {
  return Number(/content-length: (\d+)/.exec(text)?.[1]);
}

function complete(text: string): boolean {
  return text.includes('\r\n\r\n') && bodyOf(text).length >= claimed(text);
}

function dataLines(text: string): string[] {
  return [...text.matchAll(/data: (\{.*)\n/g)].map((match) => match[1]!);
}

function parses(json: string): boolean {
  try {
    JSON.parse(json);
    return true;
  } catch {
    return false;
  }
}

describe('a raw client sees', () => {
  it.each(Object.values(CASES).flat())(
    '$list, streamed $stream',
    async ({ list, stream, until, ms, check }) => {
      client = rawClient(servers.servers[0]!.port);
      const options = stream ? { include_usage: true } : undefined;
      client.send(chatRequest({ stream, stream_options: options, model: `emulate:${list}` }));
      check(await client.see(until, ms));
    },
  );

  it('close-reused reset on the second request of a connection', async () => {
    client = rawClient(servers.servers[0]!.port);
    client.send(chatRequest({ max_tokens: 1 }));
    await client.see(complete);
    client.send(chatRequest({}, { 'x-emulate': 'close-reused' }));
    expect((await client.see()).end).toBe('reset');
  });

  it('a name that does not exist refused with those that do', async () => {
    client = rawClient(servers.servers[0]!.port);
    client.send(chatRequest({ model: 'emulate:cutt' }));
    expect((await client.see(complete)).text).toMatch(/^HTTP\/1\.1 400 .*Did you mean 'cut'/s);
  });
});

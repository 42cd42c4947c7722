/**
 * Streams of events through the relay and the scanner: what the client gets is the beginning of what the expert sent, all of
 * it where the stream ends as whole; a stream ends as whole if it is; and none of it depends on where it was cut.
 */
import { RouterError } from '../src/core/errors.ts';
import type { Random } from '../src/core/random.ts';
import { openAiChat } from '../src/serving/dialects/openai/chat.ts';
import { EmptyAnswer } from '../src/serving/reply/empty-answer.ts';
import { RawRelay } from '../src/serving/reply/raw-relay.ts';
import { cut, damaged, oneOf } from './mutate.ts';

interface Stream {
  readonly bytes: Buffer;
  /** How it ends; null where bytes were damaged, so that nobody knows. */
  readonly ends: 'whole' | 'empty' | 'broken' | null;
}

interface Relayed {
  readonly bytes: Buffer;
  readonly ends: 'whole' | 'empty' | 'broken';
}

const TEXTS = [
  'a',
  'Hello',
  ' ',
  'é\u{1f600}',
  '\\u2028'.slice(0),
  '\u2028',
  'data: [DONE]',
  '"finish_reason":"stop"',
  '\n\n',
  'error',
  'x'.repeat(5_000),
];
const NOISE = [': ping', 'event: message\nid: 7', 'retry: 100', ':', 'data:', 'x: y'];

function event(random: Random, value: unknown): string {
  const json = typeof value === 'string' ? value : JSON.stringify(value);
  return `data:${oneOf([' ', ' ', ' ', ''], random)}${json}`;
}

const chunk = (delta: object, reason: unknown = null, index = 0): object => ({
  id: 'x',
  object: 'chat.completion.chunk',
  choices: [{ index, delta, finish_reason: reason }],
});

function stream(random: Random): Stream {
  const choices = random.next() < 0.2 ? 2 : 1;
  const events: string[] = [];
  const noise = (): void => {
    if (random.next() < 0.2) events.push(oneOf(NOISE, random));
  };
  const said = random.next() < 0.9;
  for (let index = 0; index < choices; index += 1)
    events.push(event(random, chunk({ role: 'assistant', content: '' }, null, index)));
  for (let left = said ? 1 + random.below(8) : 0; left > 0; left -= 1) {
    noise();
    const text = oneOf(TEXTS, random);
    const delta = oneOf(
      [
        { content: text },
        { content: text },
        { reasoning_content: text },
        { tool_calls: [{ index: 0, function: { arguments: text } }] },
      ],
      random,
    );
    events.push(event(random, chunk(delta, oneOf([null, null, null, ''], random), random.below(choices))));
  }
  const finished = random.below(4) > 0 ? choices : random.below(choices + 1);
  for (let index = 0; index < finished; index += 1) {
    noise();
    events.push(event(random, chunk(oneOf([{}, { content: '' }], random), 'stop', index)));
  }
  if (random.next() < 0.3)
    events.push(
      event(random, {
        id: 'x',
        choices: [],
        usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
      }),
    );
  const done = random.next() < 0.7;
  if (done) events.push('data: [DONE]');
  const line = oneOf(['\n', '\n', '\r\n', '\r'], random);
  const bom = random.next() < 0.05 ? '\ufeff' : '';
  const tail = random.next() < 0.9 ? `${line}${line}` : '';
  const text = bom + events.join('\n\n').replaceAll('\n', line) + tail;
  const bytes = Buffer.from(text);
  const damagedBytes = random.next() < 0.4 ? damaged(bytes, random) : bytes;
  if (damagedBytes !== bytes) return { bytes: damagedBytes, ends: null };
  // An expert that says [DONE] is taken at its word, if it has said anything; where no choice finished, that may be a lie.
  const whole = finished === choices || (done && said);
  return { bytes, ends: !whole ? 'broken' : said ? 'whole' : 'empty' };
}

function relayed(pieces: readonly Buffer[]): Relayed {
  const bytes: Buffer[] = [];
  let ends: Relayed['ends'] | null = null;
  const options = {
    expert: 'e',
    lane: openAiChat,
    stream: true,
    statuses: {},
    asFailure: () => new RouterError('expert_cut_stream', 'cut'),
  };
  const end = (how: Relayed['ends']): void => {
    if (ends !== null) throw new Error(`ended twice: ${ends}, ${how}`);
    ends = how;
  };
  const relay = new RawRelay(options, {
    head: () => {},
    data: (some) => {
      if (ends !== null) throw new Error('bytes after the end');
      bytes.push(Buffer.from(some));
      return true;
    },
    end: () => end('whole'),
    fail: (failure) => end(failure instanceof EmptyAnswer ? 'empty' : 'broken'),
  });
  relay.head({ status: 200, headers: { 'content-type': 'text/event-stream' } });
  for (const piece of pieces) relay.data(Buffer.from(piece));
  relay.end();
  if (ends === null) throw new Error('no end');
  return { bytes: Buffer.concat(bytes), ends };
}

export async function fuzzStreams(
  random: Random,
  runs: number,
  progress: (tried: number) => void = () => {},
): Promise<number> {
  for (let tried = 0; tried < runs; tried += 1) {
    const sent = stream(random);
    const problem = problemOf(sent, random);
    if (problem !== null) throw new Error(`${problem}: ${JSON.stringify(sent.bytes.toString('latin1'))}`);
    progress(tried + 1);
  }
  return runs;
}

function problemOf({ bytes, ends }: Stream, random: Random): string | null {
  const whole = relayed([bytes]);
  const inPieces = relayed(cut(bytes, random));
  for (const one of [whole, inPieces]) {
    if (!bytes.subarray(0, one.bytes.length).equals(one.bytes)) return 'bytes were changed';
    if (one.ends === 'whole' && one.bytes.length < bytes.length)
      return 'whole, and not all of it was passed on';
    if (ends !== null && one.ends !== ends) return `is ${ends}, was taken for ${one.ends}`;
  }
  return whole.ends === inPieces.ends ? null : `in one piece it is ${whole.ends}, cut it is ${inPieces.ends}`;
}

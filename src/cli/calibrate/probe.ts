/**
 * A short, bounded load test of one engine: lone requests of two prompt lengths, then several at once.
 * What the times mean is for others.
 */
import { UserError } from '../../core/errors.ts';
import { openAiChat } from '../../serving/dialects/openai/chat.ts';
import { ToldFailure } from '../../serving/reply/failure.ts';
import type { Reply, Usage } from '../../serving/reply/reply.ts';
import { replyTo } from '../../serving/reply/reply-to.ts';
import type { MeasuredRequest } from '../../simulating/cost/measured.ts';

export interface ProbeOptions {
  /** The engine's API, such as `http://127.0.0.1:8000/v1`. */
  readonly url: string;
  readonly model: string;
  readonly key: string | undefined;
  /** The most requests at once. */
  readonly most: number;
  readonly signal: AbortSignal;
}

/** Words of the two prompts, tokens of an answer, and repetitions. */
const WORDS = [40, 800] as const;
const ANSWER = 48;
const LONE = 5;
const ROUNDS = 3;
/** Fewer tokens are too few to time: engines that stop at the model's own end sometimes stop at once. */
const FEWEST = 8;
const TRIES = 4;

const NOUNS = 'river window garden letter market silver forest engine candle mirror harbour meadow'.split(
  ' ',
);

/** A prompt that no cache has seen: its first words differ. */
function prompt(words: number, salt: number): string {
  const text = Array.from({ length: words }, (_, i) => NOUNS[(i * 7 + salt * (i % 5) + salt) % NOUNS.length]);
  return `Note ${salt}. Go on with this list of words: ${text.join(' ')}`;
}

/**
 * @param told how many of all requests have ended
 * @throws {UserError} when the engine cannot be reached, refuses, or does not stream
 */
export async function probe(
  options: ProbeOptions,
  told: (done: number, total: number) => void,
): Promise<readonly MeasuredRequest[]> {
  const levels: number[] = [];
  for (let n = 2; n <= options.most; n *= 2) levels.push(n);
  const total = 1 + WORDS.length * LONE + ROUNDS * levels.reduce((a, b) => a + b, 0);
  let done = 0;
  let salt = Date.now() % 100_000;
  const one = async (words: number, running: number): Promise<MeasuredRequest> => {
    for (let tries = 0; tries < TRIES; tries++) {
      const measured = await ask(options, prompt(words, salt++), running);
      if (!measured) continue;
      told(++done, total);
      return measured;
    }
    throw new UserError(
      `calibrate: ${options.url} answered ${TRIES} times with fewer than ${FEWEST} tokens where ${ANSWER} were asked ` +
        'for; too few to time. Name a model with --model that answers at length.',
    );
  };
  // The first warms connection, graphs and caches up, and is not counted.
  await one(WORDS[0], 1);
  const requests: MeasuredRequest[] = [];
  for (const words of WORDS) for (let i = 0; i < LONE; i++) requests.push(await one(words, 1));
  // Lone requests of one kind are one point, however their tokens are counted from prompt to prompt.
  const level = requests.map((r, i) => ({ ...r, promptTokens: requests[i - (i % LONE)]!.promptTokens }));
  for (const running of levels)
    for (let round = 0; round < ROUNDS; round++)
      level.push(...(await Promise.all(Array.from({ length: running }, () => one(WORDS[0], running)))));
  return level;
}

/** Null for an answer too short to time. */
async function ask(o: ProbeOptions, content: string, running: number): Promise<MeasuredRequest | null> {
  const started = performance.now();
  const response = await post(o, content);
  let first = 0;
  let last = 0;
  let pieces = 0;
  let promptTokens = content.split(' ').length;
  let outputTokens = 0;
  const piece = (): boolean => {
    last = performance.now();
    first ||= last;
    pieces += 1;
    return true;
  };
  const counted = (_: unknown, usage: Usage | 'unknown'): void => {
    if (usage === 'unknown') return;
    promptTokens = usage.inputTokens;
    outputTokens = usage.outputTokens;
  };
  await read(o, response, replyTo({ text: piece, thinking: piece, finish: counted }));
  const tokens = Math.max(outputTokens, pieces);
  if (tokens < FEWEST) return null;
  return {
    running,
    promptTokens,
    ttft: (first - started) / 1000,
    tpot: (last - first) / 1000 / (tokens - 1),
  };
}

function tookLonger(cause: unknown): UserError {
  return new UserError('calibrate: took longer than allowed; raise --limit, or lower --concurrency.', {
    cause,
  });
}

async function read(o: ProbeOptions, response: Response, reply: Reply): Promise<void> {
  const reader = openAiChat.reader(reply);
  try {
    for await (const bytes of response.body!) for (const _ of reader.read(Buffer.from(bytes)));
    reader.finish();
  } catch (cause) {
    if (o.signal.aborted) throw tookLonger(cause);
    // A TypeError is what fetch makes of a connection that ends.
    if (!(cause instanceof ToldFailure || cause instanceof SyntaxError || cause instanceof TypeError))
      throw cause;
    throw new UserError(`calibrate: ${o.url} broke off its answer: ${cause.message}`, { cause });
  }
}

async function post(o: ProbeOptions, content: string): Promise<Response> {
  const body = {
    model: o.model,
    messages: [{ role: 'user', content }],
    max_tokens: ANSWER,
    temperature: 1,
    stream: true,
    stream_options: { include_usage: true },
    // Engines that know it go on to the last token; the others ignore it.
    ignore_eos: true,
  };
  let response: Response;
  try {
    response = await fetch(`${o.url.replace(/\/$/, '')}/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(o.key ? { authorization: `Bearer ${o.key}` } : {}) },
      body: JSON.stringify(body),
      signal: o.signal,
    });
  } catch (cause) {
    if (o.signal.aborted) throw tookLonger(cause);
    throw new UserError(`calibrate: ${o.url} is unreachable: ${(cause as Error).message}.`, { cause });
  }
  if (response.ok && response.body) return response;
  const { message } = openAiChat.refusal(response.status, {}, Buffer.from(await response.arrayBuffer()));
  throw new UserError(`calibrate: ${o.url} answered ${response.status}: ${message.slice(0, 200)}`);
}

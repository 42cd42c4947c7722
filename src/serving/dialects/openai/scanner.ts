/**
 * What OpenAI's bytes tell while they pass: whether content has begun, whether it is an error, whether every choice came
 * to its end, and with which usage. Events are parsed while their meaning is open: at the opening, at a finish reason,
 * and after it; of those between, two members are looked at where they stand.
 */
import type { FinishReason, Usage } from '../../../core/openai.ts';
import type { ToldFailure } from '../../reply/failure.ts';
import type { Outcome } from '../../reply/reply.ts';
import type { Ending, Opening, Scanner } from '../../reply/scanner.ts';
import type { Json } from '../dialect.ts';
import { dataOf, EventBytes } from '../event-bytes.ts';
import { isObject, parseJson } from '../json.ts';
import { JsonSkim } from '../json-skim.ts';
import { errorUnder200 } from './errors.ts';

/** Silence that has lasted for more bytes, be it comments or one event, is passed on. */
const MOST_OPENING = 16 * 1024;
/** Whole answers beyond this are passed on as they come. */
const MOST_WHOLE = 64 * 1024;

const FINISH_KEY = Buffer.from('"finish_reason"');
const INDEX_KEY = Buffer.from('"index"');
const DONE = '[DONE]';
/** An event that may say so and nothing else. */
const MOST_DONE = 24;
const QUOTE = 0x22;
const ZERO = 0x30;
const OPEN_OBJECT = 0x7b;

export function openAiScanner(stream: boolean): Scanner {
  return stream ? new StreamScanner() : new BodyScanner();
}

class StreamScanner implements Scanner {
  readonly #events = new EventBytes((event) => this.#event(event));
  readonly #opened = new Set<unknown>();
  readonly #finished = new Map<unknown, string>();
  #bytes = 0;
  #opening: Opening = 'silence';
  /** Every event is parsed: a choice has ended, or there are several. */
  #close = false;
  #done = false;
  #error: ToldFailure | null = null;
  #usage: Usage | 'unknown' = 'unknown';
  /** The last event that was passed over. */
  #unread: Buffer | null = null;

  push(bytes: Buffer): Opening {
    this.#bytes += bytes.length;
    this.#events.push(bytes);
    if (this.#opening === 'silence' && this.#bytes > MOST_OPENING) this.#opening = 'content';
    return this.#opening;
  }

  end(): Ending {
    this.#events.end();
    if (this.#unread) this.#read(this.#unread);
    if (this.#error) return this.#error;
    if (this.#done || this.#allFinished()) return this.#outcome();
    if (this.#bytes === 0) return { missing: 'it is empty' };
    const some = this.#finished.size > 0 ? ' for each of its choices' : '';
    return { missing: `the stream ended without a finish reason${some}` };
  }

  #event(event: Buffer | null): void {
    if (event === null) {
      this.#opening = 'content';
      this.#unread = null;
    } else if (this.#opening === 'silence') this.#open(event);
    else if (this.#close || event.length <= MOST_DONE || finishes(event) || ofAnotherChoice(event))
      this.#read(event);
    else this.#unread = event;
  }

  #open(event: Buffer): void {
    const value = this.#read(event);
    if (this.#error) this.#opening = this.#error;
    else if (value !== null && !isSilent(value)) this.#opening = 'content';
  }

  /** Notes all that an event says. @returns its value, undefined if it is no JSON; null where it has none */
  #read(event: Buffer): unknown {
    // Ollama writes the error of a runner that died as a line of JSON.
    const data = dataOf(event) ?? (event[0] === OPEN_OBJECT ? event.toString('utf8') : null);
    if (data === null) return null;
    if (data.trim() === DONE) {
      this.#done = true;
      return undefined;
    }
    const value = parseJson(data);
    this.#error ??= errorUnder200(value, data);
    if (isObject(value)) this.#note(value);
    return value;
  }

  #note({ choices, usage }: Json): void {
    this.#usage = readUsage(usage) ?? this.#usage;
    if (!Array.isArray(choices)) return;
    for (const choice of choices.filter(isObject)) {
      const { index = 0, finish_reason: reason } = choice;
      this.#opened.add(index);
      if (typeof reason === 'string' && reason !== '') this.#finished.set(index, reason);
    }
    this.#close = this.#finished.size > 0 || this.#opened.size > 1;
  }

  #allFinished(): boolean {
    return this.#finished.size > 0 && [...this.#opened].every((index) => this.#finished.has(index));
  }

  #outcome(): Outcome {
    return { usage: this.#usage, finishReason: asFinishReason([...this.#finished.values()].at(-1)) };
  }
}

/** Whether a choice may come to its end here: its reason is a text that is not empty. */
function finishes(event: Buffer): boolean {
  const at = valueAt(event, FINISH_KEY);
  return at >= 0 && event[at] === QUOTE && event[at + 1] !== QUOTE;
}

/** Inside a text quotes would be escaped, so `"index"` is a member: a choice's is its first. */
function ofAnotherChoice(event: Buffer): boolean {
  const at = valueAt(event, INDEX_KEY);
  return at >= 0 && event[at] !== ZERO;
}

/** Where the value of a member begins; -1 where there is none. */
function valueAt(event: Buffer, key: Buffer): number {
  const found = event.indexOf(key);
  if (found < 0) return -1;
  let at = found + key.length;
  while (at < event.length && (event[at]! <= 0x20 || event[at] === 0x3a)) at += 1;
  return at;
}

/** A chunk that says who speaks and nothing else, as the first of a stream does, or that has no choice at all. */
function isSilent(value: unknown): boolean {
  if (!isObject(value) || !Array.isArray(value.choices)) return false;
  return value.choices.every((choice: unknown) => {
    if (!isObject(choice) || choice.finish_reason) return false;
    const { role: _role, ...said } = (isObject(choice.delta) ? choice.delta : {}) as Json;
    return [choice.text, choice.message, ...Object.values(said)].every(isEmpty);
  });
}

function isEmpty(value: unknown): boolean {
  return value == null || value === '' || (Array.isArray(value) && value.length === 0);
}

class BodyScanner implements Scanner {
  readonly #skim = new JsonSkim([
    { depth: 1, key: 'usage' },
    { depth: 3, key: 'finish_reason' },
  ]);
  #held: Buffer[] | null = [];
  #bytes = 0;

  push(bytes: Buffer): Opening {
    this.#bytes += bytes.length;
    this.#skim.push(bytes);
    this.#held?.push(bytes);
    if (this.#bytes > MOST_WHOLE) this.#held = null;
    return this.#held ? 'silence' : 'content';
  }

  end(): Ending {
    if (this.#bytes === 0) return { missing: 'it is empty' };
    if (this.#held) {
      const json = Buffer.concat(this.#held).toString('utf8');
      const error = errorUnder200(parseJson(json), json);
      if (error) return error;
    }
    if (!this.#skim.whole) return { missing: 'its JSON is not whole' };
    const reason = this.#member('finish_reason');
    return {
      usage: readUsage(this.#member('usage')) ?? 'unknown',
      finishReason: asFinishReason(typeof reason === 'string' ? reason : undefined),
    };
  }

  #member(key: string): unknown {
    return parseJson(this.#skim.found.get(key) ?? 'null');
  }
}

export function readUsage(value: unknown): Usage | null {
  if (!isObject(value)) return null;
  const { prompt_tokens, completion_tokens, total_tokens } = value;
  if (!isCount(prompt_tokens) || !isCount(completion_tokens)) return null;
  return {
    prompt_tokens,
    completion_tokens,
    total_tokens: isCount(total_tokens) ? total_tokens : prompt_tokens + completion_tokens,
  };
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0;
}

const FINISH_REASONS: readonly string[] = [
  'stop',
  'length',
  'content_filter',
  'tool_calls',
] satisfies FinishReason[];

export function asFinishReason(reason: string | undefined): FinishReason | 'unknown' {
  return reason !== undefined && FINISH_REASONS.includes(reason) ? (reason as FinishReason) : 'unknown';
}

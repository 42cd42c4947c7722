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

const DONE = '[DONE]';
/** An event that may say so and nothing else. */
const MOST_DONE = 24;
const QUOTE = 0x22;
const ZERO = 0x30;
const SPACE = 0x20;
const COLON = 0x3a;
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
  readonly #reason = new Member('"finish_reason"', 'end');
  readonly #index = new Member('"index"', 'start');
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
    else if (this.#close || event.length <= MOST_DONE || this.#tells(event)) this.#read(event);
    else this.#unread = event;
  }

  /**
   * Whether it may end a choice, by a reason that is a text and not empty, or is of another than the first: within a
   * text the quotes of a member would be escaped.
   */
  #tells(event: Buffer): boolean {
    const reason = this.#reason.find(event);
    if (reason >= 0 && event[reason] === QUOTE && event[reason + 1] !== QUOTE) return true;
    const index = this.#index.find(event);
    return index >= 0 && event[index] !== ZERO;
  }

  #open(event: Buffer): void {
    const value = this.#read(event);
    if (this.#error) this.#opening = this.#error;
    else if (value !== null && !isSilent(value)) this.#opening = 'content';
  }

  /** Notes all that an event says. @returns its value, undefined if it is no JSON; null where it has none */
  #read(event: Buffer): unknown {
    const data = dataOf(event);
    if (data === null) {
      if (event[0] === OPEN_OBJECT) this.#readLine(event.toString('utf8'));
      return null;
    }
    if (data.trim() === DONE) {
      this.#done = true;
      return undefined;
    }
    const value = parseJson(data);
    this.#error ??= errorUnder200(value, data);
    if (isObject(value)) this.#note(value);
    return value;
  }

  /** Ollama writes the error of a runner that died as a line of JSON. Whatever else is no event is no answer. */
  #readLine(json: string): void {
    this.#error ??= errorUnder200(parseJson(json), json);
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

/**
 * A member of each event, by its key. In a stream it mostly stands as far from the event's start, or end, as in the
 * event before: there it is looked for first, which costs a tenth of a search.
 */
class Member {
  readonly #key: Buffer;
  readonly #from: 'start' | 'end';
  #offset = 0;

  constructor(key: string, from: 'start' | 'end') {
    this.#key = Buffer.from(key);
    this.#from = from;
  }

  /** Where its value begins; -1 where there is none. */
  find(event: Buffer): number {
    let at = this.#from === 'start' ? this.#offset : event.length - this.#offset;
    if (!this.#standsAt(event, at)) {
      at = event.indexOf(this.#key);
      if (at < 0) return -1;
      this.#offset = this.#from === 'start' ? at : event.length - at;
    }
    at += this.#key.length;
    while (at < event.length && (event[at]! <= SPACE || event[at] === COLON)) at += 1;
    return at;
  }

  #standsAt(event: Buffer, at: number): boolean {
    const key = this.#key;
    if (at < 0 || at + key.length > event.length) return false;
    for (let i = 0; i < key.length; i += 1) if (event[at + i] !== key[i]) return false;
    return true;
  }
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

/** A body that is small enough is held and parsed at its end; of a larger one two members are noted as it passes. */
class BodyScanner implements Scanner {
  readonly #skim = new JsonSkim([
    { depth: 1, key: 'usage' },
    { depth: 3, key: 'finish_reason' },
  ]);
  #held: Buffer[] = [];
  #bytes = 0;

  push(bytes: Buffer): Opening {
    this.#bytes += bytes.length;
    this.#held.push(bytes);
    if (this.#bytes <= MOST_WHOLE) return 'silence';
    this.#skimHeld();
    return 'content';
  }

  end(): Ending {
    if (this.#bytes === 0) return { missing: 'it is empty' };
    const json = Buffer.concat(this.#held).toString('utf8');
    const value = parseJson(json);
    const error = errorUnder200(value, json);
    if (error) return error;
    if (isObject(value)) return outcomeOf(value);
    // What is too large, or no JSON to the letter (some engines write NaN).
    this.#skimHeld();
    if (!this.#skim.whole) return { missing: 'its JSON is not whole' };
    return asOutcome(this.#member('usage'), this.#member('finish_reason'));
  }

  #skimHeld(): void {
    for (const bytes of this.#held) this.#skim.push(bytes);
    this.#held = [];
  }

  #member(key: string): unknown {
    return parseJson(this.#skim.found.get(key) ?? 'null');
  }
}

function outcomeOf({ usage, choices }: Json): Outcome {
  const last: unknown = Array.isArray(choices) ? choices.at(-1) : undefined;
  return asOutcome(usage, isObject(last) ? last.finish_reason : undefined);
}

function asOutcome(usage: unknown, reason: unknown): Outcome {
  return { usage: readUsage(usage) ?? 'unknown', finishReason: asFinishReason(reason) };
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

const FINISH_REASONS: readonly FinishReason[] = ['stop', 'length', 'content_filter', 'tool_calls'];

export function asFinishReason(reason: unknown): FinishReason | 'unknown' {
  return FINISH_REASONS.find((known) => known === reason) ?? 'unknown';
}

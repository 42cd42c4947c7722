/**
 * Judges OpenAI's bytes as they pass: whether content has begun, whether it is an error, whether every choice has
 * finished, and the usage. Events are parsed until content begins and from the first finish reason on; of those in
 * between only two members are compared.
 */
import type { ToldFailure } from '../../reply/failure.ts';
import type { Outcome, Usage } from '../../reply/reply.ts';
import type { Ending, Opening, Scanner } from '../../reply/scanner.ts';
import type { Json } from '../dialect.ts';
import { dataOf, EventBytes } from '../event-bytes.ts';
import { isObject, parseJson } from '../json.ts';
import { JsonSkim } from '../json-skim.ts';
import { readFinishReason, readUsage } from './ending.ts';
import { errorUnder200 } from './errors.ts';

/** After this many bytes without content, the stream is passed on all the same. */
const MOST_OPENING = 16 * 1024;
/** Larger bodies are passed on as they come. */
const MOST_WHOLE = 64 * 1024;

const DONE = '[DONE]';
/** Bytes of an event that may be `[DONE]`. */
const MOST_DONE = 24;
const LF = 0x0a;
const QUOTE = 0x22;
const ZERO = 0x30;
const SPACE = 0x20;
const COLON = 0x3a;
const OPEN_OBJECT = 0x7b;
const NOTHING = Buffer.alloc(0);

export function openAiScanner(stream: boolean): Scanner {
  return stream ? new StreamScanner() : new BodyScanner();
}

class StreamScanner implements Scanner {
  readonly #events = new EventBytes((event) => this.#event(event));
  readonly #likeLast = new Likeness();
  /** Index → finish reason of each choice; empty until it finishes. */
  readonly #choices = new Map<unknown, string>();
  #bytes = 0;
  #opening: Opening = 'silence';
  /** From now on every event is parsed: a choice has finished, or there are several. */
  #close = false;
  #done = false;
  #error: ToldFailure | null = null;
  #usage: Usage | 'unknown' = 'unknown';
  /** The last event that was not parsed. */
  #unread: Buffer | null = null;

  get done(): boolean {
    return this.#done && this.#error === null;
  }

  push(bytes: Buffer): Opening {
    if (!this.#close && this.#likeLast.holds(bytes) && this.#events.between) {
      this.#unread = bytes;
      return 'content';
    }
    this.#bytes += bytes.length;
    this.#events.push(bytes);
    if (this.#opening === 'silence' && this.#bytes > MOST_OPENING) this.#opening = 'content';
    return this.#opening;
  }

  end(): Ending {
    this.#events.end();
    if (this.#unread) this.#read(this.#unread);
    if (this.#error) return this.#error;
    if (this.#bytes === 0) return { missing: 'it is empty' };
    const ended = this.#endedChoices();
    if (this.#done || ended === 'all') {
      if (this.#opening !== 'silence') return this.#outcome();
      return ended === 'all' ? { empty: this.#outcome() } : { missing: 'the stream has no content' };
    }
    const some = ended === 'some' ? ' for each of its choices' : '';
    return { missing: `the stream ended without a finish reason${some}` };
  }

  #event(event: Buffer | null): void {
    if (event === null) {
      this.#opening = 'content';
      this.#unread = null;
    } else if (this.#opening === 'silence') this.#open(event);
    else if (this.#close || event.length <= MOST_DONE || !this.#likeLast.learn(event)) this.#read(event);
    else this.#unread = event;
  }

  #open(event: Buffer): void {
    const value = this.#read(event);
    if (this.#error) this.#opening = this.#error;
    else if (value === undefined ? isWholeJson(event) : !isSilent(value)) this.#opening = 'content';
  }

  /** Records what an event says. @returns its value; undefined for invalid JSON, null for none */
  #read(event: Buffer): unknown {
    const data = dataOf(event);
    if (data === null) {
      if (event[0] === OPEN_OBJECT) this.#readLine(event.toString('utf8'));
      return null;
    }
    if (data.trim() === DONE) {
      this.#done = true;
      return null;
    }
    const value = parseJson(data);
    this.#error ??= errorUnder200(value, data);
    if (isObject(value)) this.#note(value);
    return value;
  }

  /** When its runner dies, Ollama writes the error as a plain line of JSON. Other lines are ignored. */
  #readLine(json: string): void {
    this.#error ??= errorUnder200(parseJson(json), json);
  }

  #note({ choices, usage }: Json): void {
    this.#usage = readUsage(usage) ?? this.#usage;
    if (!Array.isArray(choices)) return;
    for (const choice of choices as unknown[]) {
      if (!isObject(choice)) continue;
      const { index = 0, finish_reason: reason } = choice;
      const ended = typeof reason === 'string' && reason !== '';
      if (ended) this.#choices.set(index, reason);
      else if (!this.#choices.has(index)) this.#choices.set(index, '');
      if (ended || this.#choices.size > 1) this.#close = true;
    }
  }

  #endedChoices(): 'all' | 'some' | 'none' {
    const ended = [...this.#choices.values()].filter((reason) => reason !== '').length;
    if (ended === 0) return 'none';
    return ended === this.#choices.size ? 'all' : 'some';
  }

  #outcome(): Outcome {
    return { usage: this.#usage, finishReason: readFinishReason([...this.#choices.values()].at(-1)) };
  }
}

const REASON = '"finish_reason"';
const INDEX = '"index"';
const NULL = Buffer.from('null');

/**
 * Recognises further events of the first choice that do not finish it. Within a stream, `index` stays at the same
 * distance from an event's start and `finish_reason` from its end, and comparing bytes there costs a tenth of a search.
 * Neither key can be part of a text, where its quotes would be escaped.
 */
class Likeness {
  /** Of the last event that was searched: the index and its offset, and everything from the finish reason on. */
  #index: Buffer = NOTHING;
  #at = 0;
  #end: Buffer = NOTHING;
  /** Its bytes from the first LF on. */
  #breaks = 0;

  /** Whether the bytes are one event like the last that was learned. */
  holds(bytes: Buffer): boolean {
    const end = this.#end;
    return (
      end.length > 0 &&
      standsAt(bytes, bytes.length - end.length, end) &&
      standsAt(bytes, this.#at, this.#index) &&
      bytes.indexOf(LF) === bytes.length - this.#breaks
    );
  }

  /** Searches an event of any form. @returns whether it is of the first choice and does not finish it */
  learn(event: Buffer): boolean {
    this.#end = NOTHING;
    const index = keyIn(event, INDEX);
    const number = index < 0 ? index : valueAt(event, index + INDEX.length);
    if (index >= 0 && event[number] !== ZERO) return false;
    const reason = keyIn(event, REASON);
    if (reason < 0) return true;
    const value = valueAt(event, reason + REASON.length);
    if (event[value] === QUOTE) return event[value + 1] === QUOTE;
    const breaks = event.length - event.indexOf(LF);
    const alone = event[event.length - 1] === LF && (breaks === 2 || breaks === 3);
    if (index < 0 || !alone || !standsAt(event, value, NULL)) return true;
    this.#breaks = breaks;
    this.#index = event.subarray(index, number + 1);
    this.#at = index;
    this.#end = event.subarray(reason);
    return true;
  }
}

/** Keys without their first quote: an event has many quotes, and searching for a rarer byte takes half the time. */
const SEARCHED: Readonly<Record<string, Buffer>> = Object.fromEntries(
  [INDEX, REASON].map((key) => [key, Buffer.from(key.slice(1))]),
);

function keyIn(event: Buffer, key: string): number {
  const at = event.indexOf(SEARCHED[key]!) - 1;
  return at < 0 || event[at] === QUOTE ? at : event.indexOf(key, at);
}

/** The offset of a member's value. @param from the offset after its key */
function valueAt(event: Buffer, from: number): number {
  let at = from;
  while (event[at] === SPACE || event[at] === COLON) at += 1;
  return at;
}

function standsAt(event: Buffer, at: number, bytes: Buffer): boolean {
  if (at < 0 || at + bytes.length > event.length) return false;
  for (let i = 0; i < bytes.length; i += 1) if (event[at + i] !== bytes[i]) return false;
  return true;
}

/** Whether invalid JSON, such as with NaN, is at least whole. */
function isWholeJson(event: Buffer): boolean {
  const skim = new JsonSkim([]);
  skim.push(Buffer.from(dataOf(event) ?? ''));
  return skim.whole;
}

/** A chunk without choices or with nothing but a role, like the first of a stream. */
function isSilent(value: unknown): boolean {
  return !isObject(value) || !Array.isArray(value.choices) || value.choices.every(saysNothing);
}

/** A finish reason other than `stop` is content, and an empty text completion is a valid answer. */
function saysNothing(choice: unknown): boolean {
  if (!isObject(choice)) return true;
  const { finish_reason: reason, text, delta, message } = choice;
  if (reason && (reason !== 'stop' || typeof text === 'string')) return false;
  return isEmpty(text) && hasRoleAlone(delta) && hasRoleAlone(message);
}

function hasRoleAlone(said: unknown): boolean {
  if (!isObject(said)) return isEmpty(said);
  for (const key in said) if (key !== 'role' && !isEmpty(said[key])) return false;
  return true;
}

function isEmpty(value: unknown): boolean {
  return value == null || value === '' || (Array.isArray(value) && value.length === 0);
}

/** Small bodies are held and parsed at their end; of larger ones two members are recorded as they pass. */
class BodyScanner implements Scanner {
  /** Null while nothing has to be skimmed. */
  #skim: JsonSkim | null = null;
  #held: Buffer[] = [];
  #bytes = 0;
  readonly done = false;

  push(bytes: Buffer): Opening {
    this.#bytes += bytes.length;
    this.#held.push(bytes);
    if (this.#bytes <= MOST_WHOLE) return 'silence';
    this.#skimHeld();
    return 'content';
  }

  end(): Ending {
    if (this.#bytes === 0) return { missing: 'it is empty' };
    const json = (this.#held.length === 1 ? this.#held[0]! : Buffer.concat(this.#held)).toString('utf8');
    const value = parseJson(json);
    const error = errorUnder200(value, json);
    if (error) return error;
    if (isObject(value)) return endingOf(value);
    // Too large, or invalid JSON: some engines write NaN.
    const skim = this.#skimHeld();
    if (!skim.whole) return { missing: 'its JSON is not whole' };
    const member = (key: string): unknown => parseJson(skim.found.get(key) ?? 'null');
    return asOutcome(member('usage'), member('finish_reason'));
  }

  #skimHeld(): JsonSkim {
    this.#skim ??= new JsonSkim([
      { depth: 1, key: 'usage' },
      { depth: 3, key: 'finish_reason' },
    ]);
    for (const bytes of this.#held) this.#skim.push(bytes);
    this.#held = [];
    return this.#skim;
  }
}

function endingOf(value: Json): Ending {
  const { usage, choices } = value;
  const last: unknown = Array.isArray(choices) ? choices.at(-1) : undefined;
  if (!isObject(last)) return { missing: 'it has no choices' };
  const outcome = asOutcome(usage, last.finish_reason);
  return isSilent(value) ? { empty: outcome } : outcome;
}

function asOutcome(usage: unknown, reason: unknown): Outcome {
  return { usage: readUsage(usage) ?? 'unknown', finishReason: readFinishReason(reason) };
}

/**
 * Judging answers whose events name their type, as those of the Messages and Responses APIs do: shared by their
 * scanners. An event that only carries more of the answer is recognised by its first line.
 */
import type { ToldFailure } from '../reply/failure.ts';
import { UNKNOWN_OUTCOME } from '../reply/reply.ts';
import type { Ending, Opening, Scanner } from '../reply/scanner.ts';
import type { Json } from './dialect.ts';
import { dataOf, EventBytes } from './event-bytes.ts';
import { isObject, parseJson } from './json.ts';
import { JsonSkim } from './json-skim.ts';

/** After this many bytes without content, the stream is passed on all the same. */
const MOST_OPENING = 16 * 1024;
/** Larger bodies are passed on as they come. */
const MOST_WHOLE = 64 * 1024;
/** Longest first line that is looked at. */
const LONGEST_NAME = 96;
const LF = 0x0a;

/** What a dialect makes of the events of one answer. */
export interface Heard {
  /** Whether the answer is known to be whole. */
  readonly done: boolean;
  take(type: string, event: Json): Opening;
  end(): Ending;
}

export class NamedEventScanner implements Scanner {
  readonly #events = new EventBytes((event) => this.#event(event));
  /** The first line of an event that only carries more content. */
  readonly #more: RegExp;
  readonly #heard: Heard;
  #opening: Opening = 'silence';
  #error: ToldFailure | null = null;
  /** An event was too long to be kept: it may have been the last. */
  #lost = false;
  #bytes = 0;
  /** First lines that have been recognised, so that most events cost a comparison of bytes. */
  #line: Buffer | null = null;

  constructor(more: RegExp, heard: () => Heard) {
    this.#more = more;
    this.#heard = heard();
  }

  get done(): boolean {
    return this.#heard.done && this.#error === null;
  }

  push(bytes: Buffer): Opening {
    if (this.#opening === 'content' && this.#isMore(bytes) && this.#isWhole(bytes)) return 'content';
    this.#bytes += bytes.length;
    this.#events.push(bytes);
    if (this.#opening === 'silence' && this.#bytes > MOST_OPENING) this.#opening = 'content';
    return this.#opening;
  }

  end(): Ending {
    this.#events.end();
    if (this.#error) return this.#error;
    if (this.#bytes === 0) return { missing: 'it is empty' };
    const ending = this.#heard.end();
    if ('missing' in ending && this.#lost) return UNKNOWN_OUTCOME;
    // Content that could not be read was passed on as such.
    return 'empty' in ending && this.#opening === 'content' ? ending.empty : ending;
  }

  /** One event, and nothing before or after it. */
  #isWhole(bytes: Buffer): boolean {
    return this.#events.between && bytes.indexOf('\n\n') === bytes.length - 2;
  }

  #isMore(event: Buffer): boolean {
    const known = this.#line;
    if (
      known !== null &&
      event.length > known.length &&
      event.compare(known, 0, known.length, 0, known.length) === 0
    )
      return true;
    const end = event.subarray(0, LONGEST_NAME).indexOf(LF);
    if (end < 0 || !this.#more.test(event.toString('latin1', 0, end + 1))) return false;
    this.#line = Buffer.from(event.subarray(0, end + 1));
    return true;
  }

  #event(event: Buffer | null): void {
    if (event === null) {
      this.#opening = 'content';
      this.#lost = true;
    } else if (this.#opening !== 'content' || !this.#isMore(event)) this.#read(event);
  }

  #read(event: Buffer): void {
    const data = dataOf(event);
    if (data === null || data === '[DONE]') return;
    const value = parseJson(data);
    if (!isObject(value)) return;
    const heard = this.#heard.take(typeof value.type === 'string' ? value.type : '', value);
    if (heard === 'silence') return;
    if (heard !== 'content') this.#error ??= heard;
    if (this.#opening === 'silence') this.#opening = heard;
  }
}

type Outcomes = (...members: unknown[]) => Ending;

/** Small bodies are parsed at their end; of larger ones a few members are recorded as they pass. */
export class WholeBodyScanner implements Scanner {
  readonly #whole: (value: Json) => Ending;
  readonly #watched: readonly string[];
  readonly #members: Outcomes;
  readonly #skim: JsonSkim;
  #held: Buffer[] = [];
  #bytes = 0;
  readonly done = false;

  /** @param watched top-level members that `members` gets, in this order */
  constructor(whole: (value: Json) => Ending, watched: readonly string[], members: Outcomes) {
    this.#whole = whole;
    this.#watched = watched;
    this.#members = members;
    this.#skim = new JsonSkim(watched.map((key) => ({ depth: 1, key })));
  }

  push(bytes: Buffer): Opening {
    this.#bytes += bytes.length;
    this.#held.push(bytes);
    if (this.#bytes <= MOST_WHOLE) return 'silence';
    this.#skimHeld();
    return 'content';
  }

  end(): Ending {
    if (this.#bytes === 0) return { missing: 'it is empty' };
    const value = parseJson(Buffer.concat(this.#held).toString('utf8'));
    if (this.#bytes <= MOST_WHOLE && isObject(value)) return this.#whole(value);
    this.#skimHeld();
    if (!this.#skim.whole) return { missing: 'its JSON is not whole' };
    return this.#members(...this.#watched.map((key) => parseJson(this.#skim.found.get(key) ?? 'null')));
  }

  #skimHeld(): void {
    for (const bytes of this.#held) this.#skim.push(bytes);
    this.#held = [];
  }
}

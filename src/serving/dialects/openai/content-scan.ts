/**
 * Times the content of a streamed answer: finds it, usage, errors and the end mark in bytes that may be reused
 * afterwards. Only the event with usage is parsed as JSON, so that a load test can read thousands of streams.
 */
import { isObject, parseJson } from '../json.ts';
import { readUsage } from './ending.ts';

const NEWLINE = 10;
const CONTENT = /"(?:content|text|reasoning_content|arguments)"\s*:\s*"[^"]/;
const USAGE = /"usage"\s*:\s*\{/;
const ERROR = /"error"\s*:\s*[{"]/;

export class ContentScan {
  /** Events with content so far; counted as tokens if no usage is reported. */
  contents = 0;
  done = false;
  /** `failed`: an `error` event came; `malformed`: an event's data is not a complete JSON object. */
  failed = false;
  malformed = false;
  #usage: string | null = null;
  #carry: Buffer | null = null;

  /** Reads `bytes[from, to)`; they may be reused afterwards. Returns how many events with content they completed. */
  feed(bytes: Buffer, from: number, to: number): number {
    const before = this.contents;
    let at = from;
    for (;;) {
      const end = bytes.indexOf(NEWLINE, at);
      if (end < 0 || end >= to) break;
      if (this.#carry) {
        const line = Buffer.concat([this.#carry, bytes.subarray(at, end)]);
        this.#carry = null;
        this.#line(line, 0, line.length);
      } else this.#line(bytes, at, end);
      at = end + 1;
    }
    if (at < to) {
      const rest = bytes.subarray(at, to);
      this.#carry = this.#carry ? Buffer.concat([this.#carry, rest]) : Buffer.from(rest);
    }
    return this.contents - before;
  }

  /** Completion tokens as reported, or null. */
  get reportedTokens(): number | null {
    return this.#usage === null ? null : completionTokens(this.#usage);
  }

  #line(bytes: Buffer, start: number, end: number): void {
    // Only `data:` lines matter, and the name of an error event.
    if (end - start < 6) return;
    if (bytes[start] !== 0x64 || bytes[start + 4] !== 0x3a) {
      if (bytes[start] === 0x65 && /^event: ?error/.test(bytes.toString('latin1', start, end)))
        this.failed = true;
      return;
    }
    const text = bytes.toString('latin1', start + 5, end).trim();
    if (text === '[DONE]') this.done = true;
    else if (!text.startsWith('{') || !text.endsWith('}')) this.malformed = true;
    else if (CONTENT.test(text)) this.contents += 1;
    else if (ERROR.test(text)) this.failed = true;
    if (USAGE.test(text)) this.#usage = text;
  }
}

/** The count in an event or a complete answer, or null if there is none. */
export function completionTokens(json: string): number | null {
  const value = parseJson(json);
  return isObject(value) ? (readUsage(value.usage)?.outputTokens ?? null) : null;
}

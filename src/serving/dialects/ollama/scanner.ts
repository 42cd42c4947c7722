/** Judges the bytes of Ollama's answers as they pass. */
import type { ToldFailure } from '../../reply/failure.ts';
import { NO_USAGE, type Outcome, UNKNOWN_OUTCOME } from '../../reply/reply.ts';
import type { Ending, Opening, Scanner } from '../../reply/scanner.ts';
import type { Json } from '../dialect.ts';
import { isObject, parseJson } from '../json.ts';
import { WholeBodyScanner } from '../named-events.ts';
import { errorUnder200 } from '../openai/errors.ts';
import { readReason, readUsage } from './ending.ts';
import { JsonLines } from './json-lines.ts';

export function ollamaScanner(stream: boolean): Scanner {
  return stream
    ? new LineScanner()
    : new WholeBodyScanner(
        bodyEnding,
        ['prompt_eval_count', 'eval_count', 'done_reason'],
        (prompt_eval_count, eval_count, done_reason) =>
          outcomeOf({ prompt_eval_count, eval_count, done_reason }),
      );
}

class LineScanner implements Scanner {
  readonly #lines = new JsonLines((line) => this.#line(line));
  #opening: Opening = 'silence';
  #error: ToldFailure | null = null;
  #outcome: Outcome | null = null;
  #content = false;
  #empty = true;
  #lost = false;

  get done(): boolean {
    return this.#outcome !== null && this.#error === null;
  }

  push(bytes: Buffer): Opening {
    this.#empty &&= bytes.length === 0;
    this.#lines.push(bytes);
    return this.#opening;
  }

  end(): Ending {
    this.#lines.end();
    if (this.#error) return this.#error;
    if (this.#empty) return { missing: 'it is empty' };
    if (this.#outcome === null)
      return this.#lost ? UNKNOWN_OUTCOME : { missing: 'the stream ended without its last line' };
    return this.#content ? this.#outcome : { empty: this.#outcome };
  }

  #line(line: string | null): void {
    if (line === null) this.#lost = true;
    // Once content has passed, only an error or the end matters, and both name themselves.
    else if (this.#opening === 'content' && !line.includes('"done":true') && !line.includes('"error"'))
      return;
    const value = line === null ? undefined : parseJson(line);
    if (!isObject(value)) {
      this.#begin(line === null || line.trim() !== '');
      return;
    }
    const error = errorUnder200(value, line!);
    if (error) {
      this.#error ??= error;
      if (this.#opening === 'silence') this.#opening = error;
      return;
    }
    if (value.done === true) this.#outcome = outcomeOf(value);
    this.#begin(saysSomething(value) || isAnswer(value));
  }

  #begin(content: boolean): void {
    this.#content ||= content;
    if (content && this.#opening === 'silence') this.#opening = 'content';
  }
}

function bodyEnding(value: Json): Ending {
  const error = errorUnder200(value, JSON.stringify(value));
  if (error) return error;
  if (!isObject(value.message) && typeof value.response !== 'string') return { missing: 'it has no message' };
  const outcome = outcomeOf(value);
  return saysSomething(value) || isAnswer(value) ? outcome : { empty: outcome };
}

function outcomeOf(value: Json): Outcome {
  const { done_reason: reason } = value;
  return { usage: isIdle(reason) ? NO_USAGE : readUsage(value), finishReason: readReason(reason) };
}

/** Without a word, it is an answer all the same: cut short before the first one, or to a request that wanted none. */
function isAnswer({ done_reason: reason }: Json): boolean {
  return reason === 'length' || isIdle(reason);
}

function isIdle(reason: unknown): boolean {
  return reason === 'load' || reason === 'unload';
}

function saysSomething({ message, response, thinking }: Json): boolean {
  const said = isObject(message) ? message : { content: response, thinking };
  const calls = (said as Json).tool_calls;
  return Boolean(said.content) || Boolean(said.thinking) || (Array.isArray(calls) && calls.length > 0);
}

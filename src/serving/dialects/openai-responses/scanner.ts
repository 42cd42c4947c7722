/** Judges the bytes of a response as they pass. Events that only carry more content are not parsed. */
import type { Outcome } from '../../reply/reply.ts';
import type { Ending, Opening, Scanner } from '../../reply/scanner.ts';
import type { Json } from '../dialect.ts';
import { isObject } from '../json.ts';
import { type Heard, NamedEventScanner, WholeBodyScanner } from '../named-events.ts';
import { readFinish, readUsage } from './ending.ts';
import { failureInStream } from './errors.ts';

export function responsesScanner(stream: boolean): Scanner {
  return stream
    ? new NamedEventScanner(/^event: response\.[a-z_.]+\.delta\r?\n/, () => new ResponseWatch())
    : new WholeBodyScanner(
        bodyEnding,
        ['usage', 'status', 'incomplete_details'],
        (usage, status, details) => ({
          usage: readUsage(usage),
          finishReason: readFinish({ status, incomplete_details: details }),
        }),
      );
}

/** The last events of a response. */
const ENDS = ['response.completed', 'response.incomplete', 'response.failed', 'response.cancelled'];

class ResponseWatch implements Heard {
  #outcome: Outcome | null = null;
  #content = false;

  get done(): boolean {
    return this.#outcome !== null;
  }

  take(type: string, event: Json): Opening {
    if (type === 'error') return failureInStream(event);
    const response = isObject(event.response) ? event.response : {};
    if (type === 'response.failed') return failureInStream(response);
    if (ENDS.includes(type)) {
      this.#outcome = outcomeOf(response);
      // Cut short before the first word, it is an answer all the same.
      return this.#say(type === 'response.incomplete' || !isEmpty(response));
    }
    if (type.endsWith('.delta')) return this.#say(true);
    if (type === 'response.output_item.added') {
      const kind = isObject(event.item) ? event.item.type : null;
      return this.#say(kind !== 'message' && kind !== 'reasoning');
    }
    return 'silence';
  }

  end(): Ending {
    if (this.#outcome === null) return { missing: 'the stream ended before the response did' };
    return this.#content ? this.#outcome : { empty: this.#outcome };
  }

  #say(content: boolean): Opening {
    this.#content ||= content;
    return content ? 'content' : 'silence';
  }
}

function bodyEnding(value: Json): Ending {
  if (isObject(value.error)) return failureInStream(value);
  if (!Array.isArray(value.output)) return { missing: 'it has no output' };
  const outcome = outcomeOf(value);
  return isEmpty(value) && value.status === 'completed' ? { empty: outcome } : outcome;
}

function outcomeOf(response: Json): Outcome {
  return { usage: readUsage(response.usage), finishReason: readFinish(response) };
}

function isEmpty({ output }: Json): boolean {
  if (!Array.isArray(output)) return false;
  return output.every(
    (item) =>
      isObject(item) &&
      item.type === 'message' &&
      Array.isArray(item.content) &&
      item.content.every(saysNothing),
  );
}

function saysNothing(part: unknown): boolean {
  return isObject(part) && part.type === 'output_text' && part.text === '';
}

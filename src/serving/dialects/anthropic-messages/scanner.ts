/** Judges the bytes of a message as they pass. Events that only carry more content are not parsed. */
import type { Ending, Opening, Scanner } from '../../reply/scanner.ts';
import type { Json } from '../dialect.ts';
import { isObject } from '../json.ts';
import { type Heard, NamedEventScanner, WholeBodyScanner } from '../named-events.ts';
import { readStopReason, readUsage } from './ending.ts';
import { failureInStream } from './errors.ts';

export function messagesScanner(stream: boolean): Scanner {
  return stream
    ? new NamedEventScanner(/^event: content_block_delta\r?\n/, () => new MessageWatch())
    : new WholeBodyScanner(bodyEnding, ['usage', 'stop_reason'], memberEnding);
}

class MessageWatch implements Heard {
  #usage: Json = {};
  #reason: unknown = null;
  #content = false;
  done = false;

  take(type: string, event: Json): Opening {
    switch (type) {
      case 'message_start':
        this.#count(isObject(event.message) ? event.message.usage : null);
        return 'silence';
      case 'content_block_start': {
        const block = isObject(event.content_block) ? event.content_block : {};
        // Blocks of text and thinking begin empty.
        return this.#say(block.type !== 'text' && block.type !== 'thinking');
      }
      case 'content_block_delta':
        return this.#say(true);
      case 'message_delta':
        this.#count(event.usage);
        if (isObject(event.delta)) this.#reason = event.delta.stop_reason ?? this.#reason;
        // Cut short or refused before the first word, it is an answer all the same.
        return this.#say(this.#reason !== null && this.#reason !== 'end_turn');
      case 'message_stop':
        this.done = true;
        return 'silence';
      case 'error':
        return failureInStream(event);
      default:
        return 'silence';
    }
  }

  end(): Ending {
    const outcome = { usage: readUsage(this.#usage), finishReason: readStopReason(this.#reason) };
    if (!this.done && this.#reason === null) return { missing: 'the stream ended without a stop reason' };
    return this.#content ? outcome : { empty: outcome };
  }

  #say(content: boolean): Opening {
    this.#content ||= content;
    return content ? 'content' : 'silence';
  }

  /** Counts are cumulative, and a later event may leave out what an earlier one said. */
  #count(usage: unknown): void {
    if (!isObject(usage)) return;
    const told = Object.entries(usage).filter(([, value]) => value !== null);
    this.#usage = { ...this.#usage, ...Object.fromEntries(told) };
  }
}

function bodyEnding(value: Json): Ending {
  if (value.type === 'error' || isObject(value.error)) return failureInStream(value);
  if (!Array.isArray(value.content)) return { missing: 'it has no content' };
  const outcome = memberEnding(value.usage, value.stop_reason);
  const ended = value.stop_reason === null || value.stop_reason === 'end_turn';
  return value.content.length === 0 && ended ? { empty: outcome } : outcome;
}

function memberEnding(usage: unknown, reason: unknown): Extract<Ending, { usage: unknown }> {
  return {
    usage: isObject(usage) ? readUsage(usage) : 'unknown',
    finishReason: readStopReason(reason),
  };
}

/**
 * The responses of one generation → pieces of text, without an echoed prompt and up to a stop text; then its finish
 * reason and usage, as far as they are known.
 */
import { StringDecoder } from 'node:string_decoder';
import type { FinishReason, Usage } from '../../reply/reply.ts';
import { type StopFilter, stopFilter } from '../stop.ts';
import { withoutEcho } from './echo.ts';
import { newText } from './new-text.ts';
import type { Output } from './output.ts';
import type { IdsToText } from './tokenizer.ts';

export interface AnswerFacts {
  /** Whether a response repeats the text before it; null until that is known. */
  readonly cumulative: boolean | null;
  /** Texts the answer may begin with that are the prompt and no part of it. */
  readonly echoes: readonly string[];
  readonly stop: readonly string[];
  readonly maxTokens: number;
  /** For models that return token ids. */
  readonly ids: {
    readonly prompt: readonly number[];
    readonly endId: number | null;
    readonly text: IdsToText;
  } | null;
}

export interface Ending {
  readonly text: string;
  readonly finishReason: FinishReason | 'unknown';
  readonly usage: Usage | 'unknown';
  /** At which it stopped, where that is known. */
  readonly stopText: string | undefined;
}

export class Answer {
  readonly #facts: AnswerFacts;
  readonly #new;
  readonly #decoder = new StringDecoder('utf8');
  readonly #echo;
  readonly #stops: StopFilter;
  readonly #tally = new Tally();
  #stopped: string | null = null;
  #reason: FinishReason | null = null;
  #lastId: number | null = null;

  constructor(facts: AnswerFacts) {
    this.#facts = facts;
    this.#new = newText(facts.cumulative);
    this.#echo = withoutEcho(facts.echoes);
    this.#stops = stopFilter(facts.stop);
  }

  /** `stopped`: a stop text has ended the answer. */
  push(output: Output): { readonly text: string; readonly stopped: boolean } {
    this.#reason = output.finishReason ?? this.#reason;
    this.#tally.count(output);
    return this.#show(this.#decode(output));
  }

  finish(): Ending {
    const { ids } = this.#facts;
    const held =
      this.#stopped === null
        ? this.#flush(ids ? ids.text.flush() : this.#decoder.end(this.#new.finish()))
        : '';
    const stopText = this.#stopped ?? undefined;
    return { text: held, finishReason: this.#finishReason(), usage: this.#usage(), stopText };
  }

  #decode(output: Output): string {
    const { ids } = this.#facts;
    if (!ids) return output.text === null ? '' : this.#decoder.write(this.#new.push(output.text));
    const fresh = this.#lastId === null ? withoutPrompt(output.ids, ids.prompt) : output.ids;
    this.#lastId = fresh.at(-1) ?? this.#lastId;
    this.#tally.ids += fresh.length;
    return fresh.map((id) => ids.text.push(id)).join('');
  }

  #show(text: string): { text: string; stopped: boolean } {
    const shown = this.#stops.push(this.#echo.push(text));
    this.#stopped = shown.stopped;
    return { text: shown.text, stopped: shown.stopped !== null };
  }

  #flush(rest: string): string {
    const shown = this.#stops.push(this.#echo.push(rest) + this.#echo.flush());
    this.#stopped = shown.stopped;
    return shown.stopped === null ? shown.text + this.#stops.flush() : shown.text;
  }

  /** What the engine said; else what follows: a stop text, an end token, or as many tokens as were allowed. */
  #finishReason(): FinishReason | 'unknown' {
    if (this.#stopped !== null) return 'stop';
    if (this.#reason) return this.#reason;
    const { ids, maxTokens } = this.#facts;
    if (ids && this.#lastId !== null && this.#lastId === ids.endId) return 'stop';
    const usage = this.#usage();
    return usage !== 'unknown' && usage.outputTokens >= maxTokens ? 'length' : 'unknown';
  }

  #usage(): Usage | 'unknown' {
    const { ids } = this.#facts;
    if (ids) return { inputTokens: ids.prompt.length, outputTokens: this.#tally.ids };
    return this.#tally.usage(this.#new.repeats === false);
  }
}

/** Token counts as responses give them. */
class Tally {
  ids = 0;
  #input: number | null = null;
  #output = 0;
  #counted = 0;
  #uncounted = 0;

  count({ inputTokens, outputTokens, text }: Output): void {
    this.#input = inputTokens ?? this.#input;
    if (outputTokens !== null) {
      this.#output += outputTokens;
      this.#counted += 1;
    } else if (text !== null && text.length > 0) {
      this.#uncounted += 1;
    }
  }

  /** @param summable whether the counts of several responses are of different tokens */
  usage(summable: boolean): Usage | 'unknown' {
    const whole = this.#counted > 0 && this.#uncounted === 0 && (summable || this.#counted === 1);
    return this.#input !== null && whole
      ? { inputTokens: this.#input, outputTokens: this.#output }
      : 'unknown';
  }
}

function withoutPrompt(ids: readonly number[], prompt: readonly number[]): readonly number[] {
  const echoed = prompt.length > 0 && prompt.every((id, index) => ids[index] === id);
  return echoed ? ids.slice(prompt.length) : ids;
}

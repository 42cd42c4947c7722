/**
 * The events of a streamed message, one by one → an OpenAI reply. It reads what the API documents, passes over event
 * and block types it does not know (the API may add some), and invents nothing that was not said.
 */
import type { FinishReason, Usage } from '../../../core/openai.ts';
import type { ServerEvent } from '../../../core/sse.ts';
import type { Reply } from '../reply.ts';
import { stopFilter } from '../stop.ts';
import { type Failure, failureInStream } from './failure.ts';
import { isObject } from './turns.ts';

const FINISH: Readonly<Record<string, FinishReason>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'tool_calls',
  refusal: 'content_filter',
};

type Json = Readonly<Record<string, unknown>>;

/** What became of an event: read on, pause first because the reader is slow, or read no more (cut at a stop). */
export type Step = 'more' | 'pause' | 'cut';

/** An `error` event: the API gave the answer up. */
export class MessageFailed extends Error {
  override readonly name = 'MessageFailed';
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.body.error.message);
    this.failure = failure;
  }
}

export class Answer {
  readonly #reply: Reply;
  readonly #filter: ReturnType<typeof stopFilter>;
  #usage: Json = {};
  #stopReason: string | null = null;
  #finished = false;
  /** The tool call under way: what it was given at its start, until its arguments come in pieces. */
  #call: { input: object; told: boolean } | null = null;

  /** @param blankStops stop sequences the API was not given; the answer ends before the first of them */
  constructor(reply: Reply, blankStops: readonly string[]) {
    this.#reply = reply;
    this.#filter = stopFilter(blankStops);
  }

  /** @throws {MessageFailed} for an error event; {SyntaxError} for data that is not JSON */
  take({ event, data }: ServerEvent): Step {
    if (event === 'ping') return 'more';
    const json = JSON.parse(data) as Json;
    switch (json.type ?? event) {
      case 'message_start':
        this.#count(isObject(json.message) ? json.message.usage : undefined);
        return 'more';
      case 'content_block_start':
        return this.#blockStart(isObject(json.content_block) ? json.content_block : {});
      case 'content_block_delta':
        return this.#delta(isObject(json.delta) ? json.delta : {});
      case 'content_block_stop':
        return this.#blockStop();
      case 'message_delta':
        this.#count(json.usage);
        this.#stopReason = readText(json.delta, 'stop_reason') ?? this.#stopReason;
        return 'more';
      case 'message_stop':
        this.finish();
        return 'more';
      case 'error':
        throw new MessageFailed(failureInStream(json));
      default:
        return 'more';
    }
  }

  /** Ends the reply; false when the API never said why the message ended, so that it cannot be told as whole. */
  finish(): boolean {
    if (this.#finished) return true;
    if (this.#stopReason === null) return false;
    this.#finished = true;
    const held = this.#filter.flush();
    if (held) this.#reply.text(held);
    this.#reply.finish(FINISH[this.#stopReason] ?? 'unknown', usageOf(this.#usage));
    return true;
  }

  #blockStart(block: Json): Step {
    this.#call = null;
    if (block.type === 'text') return this.#text(readText(block, 'text') ?? '');
    if (block.type !== 'tool_use') return 'more';
    this.#call = { input: isObject(block.input) ? block.input : {}, told: false };
    const held = this.#filter.flush();
    if (held) this.#reply.text(held);
    return step(this.#reply.toolCall(readText(block, 'id') ?? '', readText(block, 'name') ?? ''));
  }

  #delta(delta: Json): Step {
    if (delta.type === 'text_delta') return this.#text(readText(delta, 'text') ?? '');
    const json = delta.type === 'input_json_delta' ? readText(delta, 'partial_json') : null;
    if (!json || !this.#call) return 'more';
    this.#call.told = true;
    return step(this.#reply.toolArguments(json));
  }

  /** A call without arguments comes without a delta; OpenAI's clients parse the text all the same. */
  #blockStop(): Step {
    const call = this.#call;
    this.#call = null;
    if (call === null || call.told) return 'more';
    return step(this.#reply.toolArguments(JSON.stringify(call.input)));
  }

  #text(piece: string): Step {
    const { text, stopped } = this.#filter.push(piece);
    const more = text === '' || this.#reply.text(text);
    if (!stopped) return step(more);
    this.#reply.finish('stop', 'unknown');
    return 'cut';
  }

  /** Counts are cumulative, and a later event may leave out what an earlier one said. */
  #count(usage: unknown): void {
    if (!isObject(usage)) return;
    this.#usage = {
      ...this.#usage,
      ...Object.fromEntries(Object.entries(usage).filter(([, n]) => n !== null)),
    };
  }
}

/** OpenAI counts cached tokens among the prompt's; the Messages API counts them beside it. */
function usageOf(usage: Json): Usage | 'unknown' {
  const input = count(usage.input_tokens);
  const output = count(usage.output_tokens);
  if (input === null || output === null) return 'unknown';
  const cached = count(usage.cache_read_input_tokens);
  const prompt = input + (cached ?? 0) + (count(usage.cache_creation_input_tokens) ?? 0);
  const details = isObject(usage.output_tokens_details) ? usage.output_tokens_details : {};
  const thought = count(details.thinking_tokens);
  return {
    prompt_tokens: prompt,
    completion_tokens: output,
    total_tokens: prompt + output,
    ...(cached === null ? {} : { prompt_tokens_details: { cached_tokens: cached } }),
    ...(thought === null ? {} : { completion_tokens_details: { reasoning_tokens: thought } }),
  };
}

function count(value: unknown): number | null {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : null;
}

function readText(value: unknown, field: string): string | null {
  const found = isObject(value) ? value[field] : undefined;
  return typeof found === 'string' ? found : null;
}

function step(more: boolean): Step {
  return more ? 'more' : 'pause';
}

/** The bytes of a streamed response → a typed reply. Events of unknown types are ignored, since the API may add some. */
import type { Outcome, Reply, ReplyReader } from '../../reply/reply.ts';
import { customArguments } from '../custom-tools.ts';
import type { Json } from '../dialect.ts';
import { dataOf, EventBytes } from '../event-bytes.ts';
import { isObject, parseJson, textOrNull } from '../json.ts';
import { readFinish, readUsage } from './ending.ts';
import { failureInStream } from './errors.ts';
import { flatName } from './tools.ts';

export class ResponsesReader implements ReplyReader {
  readonly #reply: Reply;
  readonly #waiting: Json[] = [];
  readonly #events = new EventBytes((event) => this.#event(event));
  /** Whether the arguments of the current call have come in pieces. */
  #told = false;
  #outcome: Outcome | null = null;

  constructor(reply: Reply) {
    this.#reply = reply;
  }

  *read(bytes: Buffer): Generator<boolean> {
    this.#events.push(bytes);
    for (const event of this.#waiting.splice(0)) yield this.#take(event);
  }

  finish(): boolean {
    this.#events.end();
    for (const event of this.#waiting.splice(0)) this.#take(event);
    if (this.#outcome === null) return false;
    this.#reply.finish(this.#outcome.finishReason, this.#outcome.usage);
    return true;
  }

  #event(event: Buffer | null): void {
    const data = event && dataOf(event);
    if (data === null || data === '[DONE]') return;
    const value = parseJson(data);
    if (value === undefined) throw new SyntaxError('an event is not JSON');
    if (isObject(value)) this.#waiting.push(value);
  }

  #take(event: Json): boolean {
    const delta = textOrNull(event.delta);
    const item = isObject(event.item) ? event.item : {};
    const response = isObject(event.response) ? event.response : {};
    switch (event.type) {
      case 'response.output_text.delta':
        return delta === null || this.#reply.text(delta);
      case 'response.refusal.delta':
        return delta === null || (this.#reply.refusal?.(delta) ?? this.#reply.text(delta));
      case 'response.output_text.annotation.added':
        return this.#cite(isObject(event.annotation) ? event.annotation : {});
      case 'response.reasoning_text.delta':
      case 'response.reasoning_summary_text.delta':
        return delta === null || this.#reply.thinking(delta);
      case 'response.output_item.added':
        return this.#begin(item);
      case 'response.function_call_arguments.delta':
        if (delta === null) return true;
        this.#told = true;
        return this.#reply.toolArguments(delta);
      case 'response.output_item.done':
        return this.#end(item);
      case 'response.completed':
      case 'response.incomplete':
        this.#outcome = { finishReason: readFinish(response), usage: readUsage(response.usage) };
        return true;
      case 'response.failed':
        throw failureInStream(response);
      case 'error':
        throw failureInStream(event);
      default:
        return true;
    }
  }

  #begin(item: Json): boolean {
    if (item.type !== 'function_call' && item.type !== 'custom_tool_call') return true;
    this.#told = false;
    const name = flatName(textOrNull(item.name) ?? '', textOrNull(item.namespace));
    return this.#reply.toolCall(textOrNull(item.call_id) ?? '', name);
  }

  #cite({ url, title, start_index, end_index }: Json): boolean {
    if (typeof url !== 'string') return true;
    const place = { from: Number(start_index ?? 0), to: Number(end_index ?? 0) };
    return this.#reply.cite?.({ url, title: textOrNull(title) ?? '', ...place }) ?? true;
  }

  #end(item: Json): boolean {
    if (item.type === 'custom_tool_call')
      return this.#reply.toolArguments(customArguments(textOrNull(item.input) ?? ''));
    if (item.type !== 'function_call' || this.#told) return true;
    return this.#reply.toolArguments(textOrNull(item.arguments) ?? '{}');
  }
}

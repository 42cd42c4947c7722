/**
 * The bytes of a streamed message → a typed reply. Unknown types of events and blocks are ignored, since the API may
 * add some.
 */
import { StringDecoder } from 'node:string_decoder';
import { eventReader, type ServerEvent } from '../../../core/sse.ts';
import type { Reply, ReplyReader } from '../../reply/reply.ts';
import type { Json } from '../dialect.ts';
import { isObject } from '../json.ts';
import { readStopReason, readUsage } from './ending.ts';
import { failureInStream } from './errors.ts';

export class MessagesReader implements ReplyReader {
  readonly #reply: Reply;
  readonly #decoder = new StringDecoder('utf8');
  readonly #events: ServerEvent[] = [];
  readonly #feed = eventReader((event) => this.#events.push(event));
  #usage: Json = {};
  #stopReason: string | null = null;
  #stopText: string | null = null;
  #finished = false;
  /** The current tool call: its input as given at the start, and whether arguments have come in pieces. */
  #call: { input: object; told: boolean } | null = null;

  constructor(reply: Reply) {
    this.#reply = reply;
  }

  *read(bytes: Buffer): Generator<boolean> {
    this.#feed(this.#decoder.write(bytes));
    for (const event of this.#events.splice(0)) yield this.#take(event);
  }

  finish(): boolean {
    if (this.#finished) return true;
    if (this.#stopReason === null) return false;
    this.#finished = true;
    this.#reply.finish(readStopReason(this.#stopReason), readUsage(this.#usage), this.#stopText ?? undefined);
    return true;
  }

  #take({ event, data }: ServerEvent): boolean {
    if (event === 'ping') return true;
    const json = JSON.parse(data) as Json;
    switch (json.type ?? event) {
      case 'message_start':
        this.#count(isObject(json.message) ? json.message.usage : undefined);
        return true;
      case 'content_block_start':
        return this.#blockStart(isObject(json.content_block) ? json.content_block : {});
      case 'content_block_delta':
        return this.#delta(isObject(json.delta) ? json.delta : {});
      case 'content_block_stop':
        return this.#blockStop();
      case 'message_delta':
        this.#count(json.usage);
        this.#stopReason = readText(json.delta, 'stop_reason') ?? this.#stopReason;
        this.#stopText = readText(json.delta, 'stop_sequence') ?? this.#stopText;
        return true;
      case 'message_stop':
        return this.finish() || true;
      case 'error':
        throw failureInStream(json);
      default:
        return true;
    }
  }

  #blockStart(block: Json): boolean {
    this.#call = null;
    if (block.type === 'text') return this.#text(readText(block, 'text') ?? '');
    if (block.type !== 'tool_use') return true;
    this.#call = { input: isObject(block.input) ? block.input : {}, told: false };
    return this.#reply.toolCall(readText(block, 'id') ?? '', readText(block, 'name') ?? '');
  }

  #delta(delta: Json): boolean {
    if (delta.type === 'text_delta') return this.#text(readText(delta, 'text') ?? '');
    if (delta.type === 'thinking_delta') return this.#reply.thinking(readText(delta, 'thinking') ?? '');
    const json = delta.type === 'input_json_delta' ? readText(delta, 'partial_json') : null;
    if (!json || !this.#call) return true;
    this.#call.told = true;
    return this.#reply.toolArguments(json);
  }

  /** A call without arguments comes without a delta, yet clients parse its arguments as JSON. */
  #blockStop(): boolean {
    const call = this.#call;
    this.#call = null;
    return call === null || call.told || this.#reply.toolArguments(JSON.stringify(call.input));
  }

  #text(piece: string): boolean {
    return piece === '' || this.#reply.text(piece);
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

function readText(value: unknown, field: string): string | null {
  const found = isObject(value) ? value[field] : undefined;
  return typeof found === 'string' ? found : null;
}

/** A typed reply → a message of the Messages API, streamed or whole. */
import { RouterError } from '../../../core/errors.ts';
import { splitAtCodePoint, wellFormed } from '../../../core/well-formed.ts';
import type { Failure } from '../../reply/failure.ts';
import type { AnswerSink, FinishReason, Reply, ReplyMeta, Usage } from '../../reply/reply.ts';
import type { Json } from '../dialect.ts';
import { isObject, parseJson } from '../json.ts';
import type { MessagesAsk } from './ask.ts';
import { writeMessageUsage, writeStop, writeUsage } from './ending.ts';

/**
 * The signature of thinking that was not Anthropic's. No model checks it; a Messages server of Anthropic's would refuse
 * it, so blocks that bear it are left out of what such a server is sent.
 */
export const FOREIGN_SIGNATURE = 'ZXhwZXJ0LXJvdXRlcg==';

export function messagesWriter(ask: MessagesAsk, sink: AnswerSink): Reply {
  return ask.stream ? new StreamedMessage(ask, sink) : new WholeMessage(ask, sink);
}

type Said =
  | { readonly type: 'text'; text: string }
  | { readonly type: 'thinking'; text: string }
  | { readonly type: 'tool_use'; readonly id: string; readonly name: string; json: string };

class WholeMessage implements Reply {
  readonly #sink: AnswerSink;
  readonly #thinks: boolean;
  readonly #said: Said[] = [];
  #meta: ReplyMeta = NO_META;

  constructor({ wantsThinking }: MessagesAsk, sink: AnswerSink) {
    this.#sink = sink;
    this.#thinks = wantsThinking;
  }

  begin(meta: ReplyMeta): void {
    this.#meta = meta;
  }

  text(piece: string): boolean {
    return this.#say('text', piece);
  }

  thinking(piece: string): boolean {
    return !this.#thinks || this.#say('thinking', piece);
  }

  toolCall(id: string, name: string): boolean {
    this.#said.push({ type: 'tool_use', id: callId(id), name, json: '' });
    return true;
  }

  toolArguments(piece: string): boolean {
    const last = this.#said.at(-1);
    if (last?.type === 'tool_use') last.json += piece;
    return true;
  }

  finish(reason: FinishReason | 'unknown', usage: Usage | 'unknown', stopText?: string): void {
    // One that was cut off within a call leaves the call out.
    const blocks = this.#said.map(blockOf);
    const broken = blocks.indexOf(null);
    if (broken >= 0 && reason !== 'length') {
      this.fail(noObject(this.#said[broken]!));
      return;
    }
    const content = blocks.filter((block) => block !== null);
    const called = content.some(({ type }) => type === 'tool_use');
    const body = Buffer.from(
      JSON.stringify({
        ...envelope(this.#meta),
        content,
        ...writeStop({ reason, called, stopText }),
        usage: writeMessageUsage(usage),
      }),
    );
    this.#sink.head(200, {
      'content-type': 'application/json',
      'content-length': String(body.byteLength),
    });
    this.#sink.data(body);
    this.#sink.end({ usage, finishReason: reason });
  }

  fail(failure: Failure): void {
    this.#sink.fail(failure);
  }

  #say(type: 'text' | 'thinking', piece: string): boolean {
    const last = this.#said.at(-1);
    if (last?.type === type) last.text += piece;
    else if (piece !== '') this.#said.push({ type, text: piece });
    return true;
  }
}

/** Null for a call whose arguments are no object. */
function blockOf(said: Said): Json | null {
  // Without `citations`, as the API itself has it: some clients take no null there.
  if (said.type === 'text') return { type: 'text', text: wellFormed(said.text) };
  if (said.type === 'thinking')
    return { type: 'thinking', thinking: wellFormed(said.text), signature: FOREIGN_SIGNATURE };
  const input = said.json === '' ? {} : parseJson(said.json);
  return isObject(input) ? { ...CALL, id: said.id, name: said.name, input } : null;
}

function noObject(said: Said): RouterError {
  const name = said.type === 'tool_use' ? said.name : '';
  return new RouterError(
    'expert_failed',
    `The expert called the tool '${name}' with arguments that are not a JSON object; this API cannot express that.`,
  );
}

type Kind = 'text' | 'thinking' | 'tool_use';

class StreamedMessage implements Reply {
  readonly #sink: AnswerSink;
  readonly #thinks: boolean;
  #meta: ReplyMeta = NO_META;
  #begun = false;
  /** Of the block that is open; null for none. */
  #open: Kind | null = null;
  #index = -1;
  #called = false;
  /** Half of a surrogate pair until the other half comes. */
  #held = '';

  constructor({ wantsThinking }: MessagesAsk, sink: AnswerSink) {
    this.#sink = sink;
    this.#thinks = wantsThinking;
  }

  begin(meta: ReplyMeta): void {
    this.#meta = meta;
  }

  text(piece: string): boolean {
    return this.#say('text', piece);
  }

  thinking(piece: string): boolean {
    return !this.#thinks || this.#say('thinking', piece);
  }

  toolCall(id: string, name: string): boolean {
    this.#called = true;
    return this.#start('tool_use', { ...CALL, id: callId(id), name, input: {} });
  }

  toolArguments(piece: string): boolean {
    return this.#delta({ type: 'input_json_delta', partial_json: piece });
  }

  finish(reason: FinishReason | 'unknown', usage: Usage | 'unknown', stopText?: string): void {
    this.#stop();
    this.#announce();
    const stop = writeStop({ reason, called: this.#called, stopText });
    const delta = { ...stop, stop_details: null, container: null };
    this.#send('message_delta', { delta, usage: writeUsage(usage) });
    this.#send('message_stop', {});
    this.#sink.end({ usage, finishReason: reason });
  }

  fail(failure: Failure): void {
    this.#sink.fail(failure);
  }

  #say(kind: 'text' | 'thinking', piece: string): boolean {
    // An empty block would be refused when it comes back.
    if (piece === '') return true;
    const first = this.#open === kind || this.#start(kind, EMPTY[kind]);
    const { whole, rest } = splitAtCodePoint(this.#held + piece);
    this.#held = rest;
    return (whole === '' || this.#piece(kind, whole)) && first;
  }

  #piece(kind: 'text' | 'thinking', text: string): boolean {
    const said = wellFormed(text);
    return this.#delta(
      kind === 'text' ? { type: 'text_delta', text: said } : { type: 'thinking_delta', thinking: said },
    );
  }

  #start(kind: Kind, block: Json): boolean {
    this.#stop();
    const first = this.#announce();
    this.#open = kind;
    this.#index += 1;
    return this.#send('content_block_start', { index: this.#index, content_block: block }) && first;
  }

  #stop(): void {
    const open = this.#open;
    if (open === null) return;
    if (this.#held !== '' && open !== 'tool_use') this.#piece(open, this.#held);
    this.#held = '';
    if (open === 'thinking') this.#delta({ type: 'signature_delta', signature: FOREIGN_SIGNATURE });
    this.#send('content_block_stop', { index: this.#index });
    this.#open = null;
  }

  /** The head waits for the first content, so that an earlier failure still gets its own status. */
  #announce(): boolean {
    if (this.#begun) return true;
    this.#begun = true;
    this.#sink.head(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache',
    });
    const message = {
      ...envelope(this.#meta),
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: writeMessageUsage('unknown'),
    };
    return this.#send('message_start', { message });
  }

  #delta(delta: Json): boolean {
    return this.#send('content_block_delta', { index: this.#index, delta });
  }

  #send(type: string, fields: Json): boolean {
    return this.#sink.data(Buffer.from(`event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`));
  }
}

/** Called by the model itself, not by code of its. */
const CALL = { type: 'tool_use', caller: { type: 'direct' } } as const;

const EMPTY = {
  text: { type: 'text', text: '' },
  thinking: { type: 'thinking', thinking: '', signature: '' },
} as const;

const NO_META: ReplyMeta = { id: '', created: 0, model: '' };

function envelope(meta: ReplyMeta): Json {
  return {
    id: meta.id.replace('-', '_'),
    type: 'message',
    role: 'assistant',
    model: meta.model,
    container: null,
    stop_details: null,
    diagnostics: null,
  };
}

/** Engines' ids may hold what the API, and with it its clients, do not allow. */
function callId(id: string): string {
  return id.replace(/[^a-zA-Z0-9_-]/g, '_');
}

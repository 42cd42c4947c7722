/**
 * A typed reply → the bytes of a chat or text completion, streamed or whole. Usage and finish reason are left out if
 * the expert did not tell them.
 */
import { splitAtCodePoint, wellFormed } from '../../../core/well-formed.ts';
import type { Failure } from '../../reply/failure.ts';
import type { AnswerSink, FinishReason, Reply, ReplyMeta, Usage } from '../../reply/reply.ts';
import type { OpenAiAsk } from './ask.ts';
import { writeFinishReason, writeUsage } from './ending.ts';

export function openAiWriter(ask: OpenAiAsk, sink: AnswerSink): Reply {
  return ask.stream ? new StreamedReply(ask, sink) : new WholeReply(ask, sink);
}

class WholeReply implements Reply {
  readonly #sink: AnswerSink;
  readonly #chat: boolean;
  #frame: object = {};
  #text = '';
  #thinking = '';
  readonly #calls: { id: string; name: string; json: string }[] = [];

  constructor({ endpoint }: OpenAiAsk, sink: AnswerSink) {
    this.#chat = endpoint === 'chat';
    this.#sink = sink;
  }

  begin(meta: ReplyMeta): void {
    this.#frame = frame(meta, this.#chat ? 'chat.completion' : 'text_completion');
  }

  text(piece: string): boolean {
    this.#text += piece;
    return true;
  }

  thinking(piece: string): boolean {
    this.#thinking += piece;
    return true;
  }

  toolCall(id: string, name: string): boolean {
    this.#calls.push({ id, name, json: '' });
    return true;
  }

  toolArguments(piece: string): boolean {
    this.#calls.at(-1)!.json += piece;
    return true;
  }

  finish(reason: FinishReason | 'unknown', usage: Usage | 'unknown'): void {
    const answer = this.#chat ? { message: this.#message() } : { text: wellFormed(this.#text) };
    const body = Buffer.from(
      JSON.stringify({
        ...this.#frame,
        choices: [{ index: 0, ...answer, logprobs: null, finish_reason: writeFinishReason(reason) }],
        ...(usage === 'unknown' ? {} : { usage: writeUsage(usage) }),
      }),
    );
    this.#sink.head(200, { 'content-type': 'application/json', 'content-length': String(body.byteLength) });
    this.#sink.data(body);
    this.#sink.end({ usage, finishReason: reason });
  }

  fail(failure: Failure): void {
    this.#sink.fail(failure);
  }

  #message(): object {
    const text = wellFormed(this.#text);
    const calls = this.#calls.map(({ id, name, json }) => ({
      id,
      type: 'function',
      function: { name, arguments: json },
    }));
    return {
      role: 'assistant',
      content: calls.length > 0 ? text || null : text,
      ...(this.#thinking === '' ? {} : { reasoning_content: wellFormed(this.#thinking) }),
      ...(calls.length > 0 ? { tool_calls: calls } : {}),
      refusal: null,
    };
  }
}

class StreamedReply implements Reply {
  readonly #sink: AnswerSink;
  readonly #chat: boolean;
  readonly #withUsage: boolean;
  #frame: object = {};
  #begun = false;
  /** Half of a surrogate pair until the other half comes, and its field. */
  #held = '';
  #field: 'content' | 'reasoning_content' = 'content';
  #calls = 0;

  constructor({ endpoint, wantsUsage }: OpenAiAsk, sink: AnswerSink) {
    this.#sink = sink;
    this.#chat = endpoint === 'chat';
    this.#withUsage = wantsUsage;
  }

  begin(meta: ReplyMeta): void {
    this.#frame = frame(meta, this.#chat ? 'chat.completion.chunk' : 'text_completion');
  }

  text(piece: string): boolean {
    return this.#say('content', piece);
  }

  /** Completions have no field for it. */
  thinking(piece: string): boolean {
    return !this.#chat || this.#say('reasoning_content', piece);
  }

  toolCall(id: string, name: string): boolean {
    this.#calls += 1;
    return this.#sendCall({ id, type: 'function', function: { name, arguments: '' } });
  }

  toolArguments(piece: string): boolean {
    return this.#sendCall({ function: { arguments: piece } });
  }

  finish(reason: FinishReason | 'unknown', usage: Usage | 'unknown'): void {
    this.#open();
    this.#flush();
    this.#send([choice(this.#chat ? { delta: {} } : { text: '' }, writeFinishReason(reason))]);
    if (this.#withUsage && usage !== 'unknown') this.#send([], { usage: writeUsage(usage) });
    this.#sink.data(DONE);
    this.#sink.end({ usage, finishReason: reason });
  }

  fail(failure: Failure): void {
    this.#sink.fail(failure);
  }

  #say(field: 'content' | 'reasoning_content', piece: string): boolean {
    if (field !== this.#field) this.#flush();
    this.#field = field;
    const { whole, rest } = splitAtCodePoint(this.#held + piece);
    this.#held = rest;
    if (whole === '') return true;
    const first = this.#open();
    return this.#sendText(whole) && first;
  }

  /** The head waits for the first content, so that an earlier failure still gets its own status. */
  #open(): boolean {
    if (this.#begun) return true;
    this.#begun = true;
    this.#sink.head(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' });
    return !this.#chat || this.#send([choice({ delta: { role: 'assistant', content: '' } })]);
  }

  #sendText(text: string): boolean {
    const said = wellFormed(text);
    return this.#send([choice(this.#chat ? { delta: { [this.#field]: said } } : { text: said })]);
  }

  #sendCall(part: object): boolean {
    const first = this.#open();
    this.#flush();
    return this.#send([choice({ delta: { tool_calls: [{ index: this.#calls - 1, ...part }] } })]) && first;
  }

  #flush(): void {
    const rest = this.#held;
    this.#held = '';
    if (rest) this.#sendText(rest);
  }

  #send(choices: readonly unknown[], extra: object = this.#withUsage ? { usage: null } : {}): boolean {
    return this.#sink.data(Buffer.from(`data: ${JSON.stringify({ ...this.#frame, choices, ...extra })}\n\n`));
  }
}

const DONE = Buffer.from('data: [DONE]\n\n');

function choice(part: object, reason: string | null = null): unknown {
  return { index: 0, ...part, logprobs: null, finish_reason: reason };
}

function frame({ id, created, model }: ReplyMeta, object: string): object {
  return { id, object, created, model };
}

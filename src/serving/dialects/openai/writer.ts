/**
 * A typed reply → the bytes of a chat or text completion, streamed or whole. Usage and finish reason are left out if
 * the expert did not tell them.
 */
import { splitAtCodePoint, wellFormed } from '../../../core/well-formed.ts';
import type { Failure } from '../../reply/failure.ts';
import type { AnswerSink, FinishReason, Reply, ReplyMeta, Source, Usage } from '../../reply/reply.ts';
import { customInput } from '../custom-tools.ts';
import type { Json } from '../dialect.ts';
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
  #refusal = '';
  readonly #sources: Source[] = [];
  readonly #calls: Call[] = [];
  readonly #ask: OpenAiAsk;

  constructor(ask: OpenAiAsk, sink: AnswerSink) {
    this.#ask = ask;
    this.#chat = ask.endpoint === 'chat';
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

  refusal(piece: string): boolean {
    if (!this.#chat) return this.text(piece);
    this.#refusal += piece;
    return true;
  }

  cite(source: Source): boolean {
    this.#sources.push(source);
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
        choices: [{ index: 0, ...answer, logprobs: null, finish_reason: reasonFor(this.#ask, reason) }],
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
    const nothing = this.#calls.length > 0 || this.#refusal !== '';
    return {
      role: 'assistant',
      content: nothing ? text || null : text,
      ...(this.#thinking === '' ? {} : { reasoning_content: wellFormed(this.#thinking) }),
      ...callFields(this.#ask, this.#calls),
      refusal: wellFormed(this.#refusal) || null,
      ...(this.#sources.length === 0 ? {} : { annotations: this.#sources.map(annotation) }),
    };
  }
}

interface Call {
  readonly id: string;
  readonly name: string;
  json: string;
}

/** The older form holds one call: a model that wants more makes them one after another. */
function callFields(ask: OpenAiAsk, calls: readonly Call[]): Json {
  const [first] = calls;
  if (first === undefined) return {};
  if (!ask.callForm.older) return { tool_calls: calls.map((call) => callBody(ask, call)) };
  return { function_call: { name: first.name, arguments: first.json } };
}

function callBody(ask: OpenAiAsk, { id, name, json }: Call): Json {
  return isCustom(ask, name)
    ? { id, type: 'custom', custom: { name, input: customInput(json) } }
    : { id, type: 'function', function: { name, arguments: json } };
}

function isCustom(ask: OpenAiAsk, name: string): boolean {
  return ask.callForm.custom.includes(name);
}

function reasonFor(ask: OpenAiAsk, reason: FinishReason | 'unknown'): string | null {
  return reason === 'tool calls' && ask.callForm.older ? 'function_call' : writeFinishReason(reason);
}

function annotation({ url, title, from, to }: Source): Json {
  return { type: 'url_citation', url_citation: { url, title, start_index: from, end_index: to } };
}

class StreamedReply implements Reply {
  readonly #sink: AnswerSink;
  readonly #chat: boolean;
  readonly #withUsage: boolean;
  #frame: object = {};
  #begun = false;
  /** Half of a surrogate pair until the other half comes, and its field. */
  #held = '';
  #field: Field = 'content';
  #calls = 0;
  /** What comes at once, when all of it is there: the call of a tool that takes any text. */
  #custom: Call | null = null;
  readonly #ask: OpenAiAsk;

  constructor(ask: OpenAiAsk, sink: AnswerSink) {
    this.#ask = ask;
    this.#sink = sink;
    this.#chat = ask.endpoint === 'chat';
    this.#withUsage = ask.wantsUsage;
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

  refusal(piece: string): boolean {
    return this.#chat ? this.#say('refusal', piece) : this.text(piece);
  }

  cite(source: Source): boolean {
    if (!this.#chat) return true;
    this.#flush();
    return this.#send([choice({ delta: { annotations: [annotation(source)] } })]);
  }

  toolCall(id: string, name: string): boolean {
    const room = this.#endCustom();
    this.#calls += 1;
    if (isCustom(this.#ask, name)) {
      this.#custom = { id, name, json: '' };
      return room;
    }
    return this.#sendCall({ id, type: 'function', function: { name, arguments: '' } }) && room;
  }

  toolArguments(piece: string): boolean {
    if (this.#custom === null) return this.#sendCall({ function: { arguments: piece } });
    this.#custom.json += piece;
    return true;
  }

  finish(reason: FinishReason | 'unknown', usage: Usage | 'unknown'): void {
    this.#open();
    this.#endCustom();
    this.#flush();
    this.#send([choice(this.#chat ? { delta: {} } : { text: '' }, reasonFor(this.#ask, reason))]);
    if (this.#withUsage && usage !== 'unknown') this.#send([], { usage: writeUsage(usage) });
    this.#sink.data(DONE);
    this.#sink.end({ usage, finishReason: reason });
  }

  fail(failure: Failure): void {
    this.#sink.fail(failure);
  }

  #say(field: Field, piece: string): boolean {
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

  /** Of the older form's answer, the first call is the only one. */
  #sendCall(part: Json): boolean {
    const first = this.#open();
    this.#flush();
    if (!this.#ask.callForm.older)
      return this.#send([choice({ delta: { tool_calls: [{ index: this.#calls - 1, ...part }] } })]) && first;
    return this.#calls > 1 || (this.#send([choice({ delta: { function_call: part.function } })]) && first);
  }

  #endCustom(): boolean {
    const call = this.#custom;
    this.#custom = null;
    return call === null || this.#sendCall(callBody(this.#ask, call));
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

type Field = 'content' | 'reasoning_content' | 'refusal';

const DONE = Buffer.from('data: [DONE]\n\n');

function choice(part: object, reason: string | null = null): unknown {
  return { index: 0, ...part, logprobs: null, finish_reason: reason };
}

function frame({ id, created, model }: ReplyMeta, object: string): object {
  return { id, object, created, model };
}

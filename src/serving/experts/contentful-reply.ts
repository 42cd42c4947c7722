/**
 * A typed reply that is begun with its first content. One that ends without any is a failure, as it is for experts whose
 * bytes are relayed: another may have an answer.
 */
import type { Ask } from '../dialects/ask.ts';
import type { TextDialect } from '../dialects/dialect.ts';
import type { DialectId } from '../dialects/index.ts';
import { EmptyAnswer } from '../reply/empty-answer.ts';
import type { Failure } from '../reply/failure.ts';
import type { AnswerSink, Reply, ReplyMeta, Source } from '../reply/reply.ts';

/** A text may need no continuation. */
const MAY_BE_EMPTY: DialectId = 'openai-completions';

export class ContentfulReply implements Reply {
  readonly #expert: string;
  readonly #ask: Ask;
  readonly #sink: AnswerSink;
  readonly #writer: TextDialect['writer'];
  readonly #reply: Reply;
  #meta: ReplyMeta | null = null;
  #said = false;

  /** @param writer of the ask's dialect */
  constructor(expert: string, ask: Ask, sink: AnswerSink, writer: TextDialect['writer']) {
    this.#expert = expert;
    this.#ask = ask;
    this.#sink = sink;
    this.#writer = writer;
    this.#reply = writer(ask, sink);
  }

  begin(meta: ReplyMeta): void {
    this.#meta = meta;
    this.#reply.begin(meta);
  }

  text(piece: string): boolean {
    this.#said ||= piece !== '';
    return this.#reply.text(piece);
  }

  thinking(piece: string): boolean {
    this.#said ||= piece !== '';
    return this.#reply.thinking(piece);
  }

  refusal(piece: string): boolean {
    this.#said ||= piece !== '';
    return this.#reply.refusal?.(piece) ?? this.#reply.text(piece);
  }

  cite(source: Source): boolean {
    return this.#reply.cite?.(source) ?? true;
  }

  toolCall(id: string, name: string): boolean {
    this.#said = true;
    return this.#reply.toolCall(id, name);
  }

  toolArguments(piece: string): boolean {
    return this.#reply.toolArguments(piece);
  }

  /** An end for another reason than that all was said, such as a filter or a limit, is an answer. */
  finish(...end: Parameters<Reply['finish']>): void {
    const [reason] = end;
    const ended = reason === 'stop' || reason === 'unknown';
    if (this.#said || !ended || this.#ask.dialect.id === MAY_BE_EMPTY) this.#reply.finish(...end);
    else this.#sink.fail(new EmptyAnswer(this.#expert, (sink) => this.#show(sink, ...end)));
  }

  fail(failure: Failure): void {
    this.#reply.fail(failure);
  }

  #show(sink: Omit<AnswerSink, 'fail'>, ...end: Parameters<Reply['finish']>): void {
    const reply = this.#writer(this.#ask, {
      head: (status, headers) => sink.head(status, headers),
      data: (chunk) => sink.data(chunk),
      end: (outcome) => sink.end(outcome),
      fail: () => {},
    });
    if (this.#meta) reply.begin(this.#meta);
    reply.finish(...end);
  }
}

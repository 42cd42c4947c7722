/**
 * Writes an answer to the client as it comes: headers with the first byte, back-pressure passed on, and an honest end.
 * A stream that fails midway ends with an error in its own form; a plain body that fails midway is cut, never closed as if
 * complete.
 */
import { RouterError } from '../../core/errors.ts';
import type { AnswerForm } from '../dialects/ask.ts';
import type { Generation, Outcome } from '../experts/expert.ts';
import type { Answerer, AttemptSink } from '../gateway/attempts.ts';
import type { Failure } from '../reply/failure.ts';
import { isStreamOf, type Streaming } from '../reply/scanner.ts';
import type { ClientResponse } from './exchange.ts';
import { cutOff, PromisedBody } from './promised-body.ts';
import type { Redaction } from './redaction.ts';
import type { OpenNote } from './request-note.ts';
import { sendError } from './wire.ts';

const NEWLINE = 0x0a;
const NO_STREAM = 'The expert answered as a whole, although a stream was asked for and had begun.';

export class ClientSink implements AttemptSink {
  readonly #response: ClientResponse;
  readonly #dialect: AnswerForm;
  readonly #redaction: Redaction;
  readonly #note: OpenNote;
  readonly #body: PromisedBody;
  readonly #endsInBlankLine: boolean;
  #head: { status: number; headers: Readonly<Record<string, string>> } | null = null;
  /** Whether a whole answer comes after signs of life have begun a stream: it cannot stand in one. */
  #unfit = false;
  /** Whether what was written is the end of a piece of a stream. */
  #betweenPieces = true;
  /** Whether the client has read what was written. */
  #room = true;
  /** After its end nothing more is written, whoever still calls: it would be read as the next response. */
  #over = false;

  constructor(response: ClientResponse, dialect: AnswerForm, redaction: Redaction, note: OpenNote) {
    this.#response = response;
    this.#dialect = dialect;
    this.#redaction = redaction;
    this.#note = note;
    this.#body = new PromisedBody(response);
    this.#endsInBlankLine = dialect.streaming?.separator === '\n\n';
  }

  /** Ties the generation to the connection: it resumes when the client has read, and stops when the client leaves. */
  drive(generation: Generation): void {
    this.#response.on('drain', () => {
      this.#room = true;
      generation.resume();
    });
    this.#response.on('close', () => generation.cancel());
    if (this.#response.destroyed) generation.cancel();
  }

  served(by: Answerer): void {
    this.#note.served(by);
    const { expert, tries } = by;
    if (this.#response.headersSent) return;
    this.#response.setHeader('x-expert-router-expert', expert);
    this.#response.setHeader('x-expert-router-tries', tries);
  }

  waiting(): void {
    const { streaming } = this.#dialect;
    if (this.#over || !streaming?.keepAlive) return;
    if (this.#response.headersSent) {
      // One that reads slowly has enough to read; and within a piece of the expert's nothing of ours may stand.
      if (!this.#betweenPieces || !this.#room || !this.#takes(streaming)) return;
    } else {
      this.#response.setHeader('content-type', streaming.contentType);
      this.#response.setHeader('x-accel-buffering', 'no');
    }
    this.#response.write(streaming.keepAlive);
  }

  head(status: number, headers: Readonly<Record<string, string>>): void {
    // Held until there is a byte to send: until then a failure can still become a proper error response.
    this.#note.first();
    this.#head = { status, headers };
    this.#unfit = this.#response.headersSent && !isStreamOf(this.#dialect.streaming, headers['content-type']);
  }

  data(chunk: Uint8Array): boolean {
    if (chunk.length === 0 || this.#over) return true;
    if (this.#unfit) {
      this.fail(new RouterError('expert_failed', NO_STREAM), null);
      return true;
    }
    this.#sendHead();
    this.#betweenPieces =
      chunk[chunk.length - 1] === NEWLINE &&
      (!this.#endsInBlankLine || chunk.length < 2 || chunk[chunk.length - 2] === NEWLINE);
    this.#room = this.#body.write(chunk);
    return this.#room;
  }

  end({ usage }: Outcome): void {
    if (this.#over) return;
    this.#note.used(usage);
    this.#sendHead();
    if (!this.#response.headersSent && !this.#body.whole) {
      this.fail(new RouterError('expert_failed', 'The expert announced an answer and gave none.'), null);
      return;
    }
    this.#over = true;
    this.#body.end();
  }

  fail(failure: Failure, by: Answerer | null): void {
    if (this.#over) return;
    this.#over = true;
    this.#note.failed(failure);
    if (!this.#response.headersSent) {
      for (const name in this.#head?.headers) this.#response.removeHeader(name);
      if (by) this.served(by);
      sendError(this.#response, this.#redaction.failure(failure), this.#dialect);
    } else if (!this.#endStream(failure)) {
      cutOff(this.#response);
    }
  }

  /** Ends a stream with the failure. @returns false where nothing of ours can follow what was sent */
  #endStream(failure: Failure): boolean {
    const { streaming } = this.#dialect;
    if (streaming === null || !this.#takes(streaming)) return false;
    if (!this.#betweenPieces) this.#response.write(streaming.separator);
    this.#response.end(streaming.lateError(this.#redaction.failure(failure)));
    return true;
  }

  /** Whether a piece of ours can follow what was sent. */
  #takes(streaming: Streaming): boolean {
    const type = this.#response.getHeader('content-type') as string | undefined;
    return isStreamOf(streaming, type) && !this.#response.hasHeader('content-encoding');
  }

  #sendHead(): void {
    if (this.#head === null || this.#response.headersSent) return;
    const { status, headers } = this.#head;
    const length = headers['content-length'];
    const stream = isStreamOf(this.#dialect.streaming, headers['content-type']);
    this.#response.statusCode = status;
    for (const name in headers) if (name !== 'content-length') this.#response.setHeader(name, headers[name]!);
    // A stream may need room for an event of ours at its end, whatever length was promised.
    if (length !== undefined && !stream) this.#body.promise(length);
    // Reverse proxies such as nginx otherwise hold tokens back to fill a buffer.
    if (stream) this.#response.setHeader('x-accel-buffering', 'no');
  }
}

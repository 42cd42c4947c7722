/** The answer to one request: takes tokens from the engine and writes them as the plan says. */
import type { Socket } from 'node:net';
import { crc32 } from 'node:zlib';
import { RouterError } from '../../core/errors.ts';
import { errorType } from '../../serving/dialects/openai/errors.ts';
import type { AnswerPlan, ErrorAnswer } from '../../serving/experts/emulated/misbehaviour.ts';
import { type Emulation, emulate, emulatedWords, say, words } from '../../serving/experts/emulated/text.ts';
import type { Usage } from '../../serving/reply/reply.ts';
import type { Pacer, Ticket } from './pacer.ts';
import { type PacketWriter, packetWriter } from './packets.ts';
import type { EmulatedRequest } from './request.ts';
import type { ServerStats } from './stats.ts';
import type { TimerWheel } from './timer-wheel.ts';
import {
  type AnswerFacts,
  chunk,
  DONE_EVENT,
  errorBody,
  head,
  type IdentifiedCall,
  jsonAnswer,
  LAST_CHUNK,
  StreamFrames,
  wholeAnswer,
} from './wire.ts';

export interface AnswerContext {
  readonly pacer: Pacer;
  readonly wheel: TimerWheel;
  readonly stats: ServerStats;
  readonly now: () => number;
  readonly facts: AnswerFacts;
  readonly expert: string;
  /** Length of an answer unless the request sets a lower limit. */
  readonly outputTokens: number;
  readonly seed: number;
  readonly keepAlive: boolean;
  /** Called when the answer is written; `reusable` says whether the connection can be reused. */
  over(reusable: boolean): void;
}

/** A client with more unread bytes than this gets no more tokens until it has caught up. */
const MAX_UNSENT = 1024 * 1024;

export class EmulatedAnswer {
  readonly #socket: Socket;
  readonly #request: EmulatedRequest;
  readonly #plan: AnswerPlan;
  readonly #context: AnswerContext;
  readonly #answer: Emulation;
  readonly #frames: StreamFrames;
  readonly #calls: readonly IdentifiedCall[];
  /** The event of each piece where the answer calls tools; null for text. */
  readonly #callEvents: readonly string[] | null;
  readonly #out: PacketWriter;
  #ticket: Ticket | null = null;
  #sent = 0;
  #headSent = false;
  #owed = 0;
  /** CRC-32 of the body so far, without framing. */
  #crc = 0;
  #over = false;
  /** The whole stream, if the plan announces a (wrong) length first. */
  #buffered: string[] | null;

  constructor(socket: Socket, asked: EmulatedRequest, plan: AnswerPlan, context: AnswerContext) {
    this.#socket = socket;
    this.#request = asked;
    this.#plan = plan;
    this.#context = context;
    this.#answer = this.#compose();
    this.#frames = new StreamFrames(context.facts, asked.includeUsage && plan.usage);
    const calls = asked.conduct?.calls ?? [];
    this.#calls = calls.map((call, at) => ({ ...call, id: `call_${context.facts.id}_${at}` }));
    this.#callEvents = calls.length === 0 ? null : this.#eventsOfCalls();
    this.#out = packetWriter(socket, plan.packets);
    this.#buffered = plan.lengthError === 0 ? null : [];
  }

  start(): void {
    const { instead, delayMs } = this.#plan;
    if (instead === 'silence') return;
    if (instead === 'reset') {
      this.#over = true;
      this.#socket.resetAndDestroy();
    } else if (instead) this.#refuse(instead);
    else if (delayMs > 0) {
      if (this.#request.stream) this.#sendHead('');
      const { wheel, now } = this.#context;
      wheel.schedule({ due: 0, dead: false, run: () => this.#submit() }, now() + delayMs);
    } else this.#submit();
  }

  /** Called when the client has disconnected. */
  abandon(): void {
    if (!this.#over) this.#context.stats.abandoned += 1;
    this.#over = true;
    this.#ticket?.withdraw();
  }

  /** Called when the socket can take more bytes: sends the tokens held back. */
  catchUp(): void {
    const owed = this.#owed;
    this.#owed = 0;
    for (let i = 0; i < owed && !this.#over; i += 1) this.#token();
  }

  /** A call begins with the first piece of its arguments. */
  #eventsOfCalls(): readonly string[] {
    return this.#calls.flatMap(({ id, name, json }, index) =>
      words(json).map((piece, at) => {
        const begin = at === 0 ? this.#frames.call(index, id, name) : '';
        return begin + this.#frames.callArguments(index, piece);
      }),
    );
  }

  #compose(): Emulation {
    const { expert, outputTokens, seed } = this.#context;
    const { prompt, maxTokens, exactLength, stop, conduct } = this.#request;
    if (conduct && conduct.calls.length > 0) {
      const pieces = conduct.calls.flatMap(({ json }) => words(json));
      return { pieces, tokens: pieces.length, finishReason: 'tool calls' };
    }
    if (conduct) return emulate(conduct.text, maxTokens, stop);
    // The full answer; a lower limit cuts it with finish reason `length`.
    const length = exactLength ? maxTokens! : outputTokens;
    const said = emulatedWords(expert, prompt, Math.min(length, (maxTokens ?? length) + 1), seed);
    const all = this.#plan.packets === 'split-utf8' ? ['Grüße, ', '世界 ', '🙂 ', ...said.slice(3)] : said;
    return say(all, maxTokens, stop);
  }

  #submit(): void {
    if (this.#over) return;
    this.#ticket = this.#context.pacer.submit({
      promptTokens: this.#request.promptTokens,
      outputTokens: Math.max(1, this.#answer.pieces.length),
      token: () => this.#token(),
    });
    if (this.#ticket) return;
    const { kvCapacity } = this.#context.pacer.state();
    const message = `The prompt and its answer need more than the ${kvCapacity} tokens this server holds.`;
    this.#fail(new RouterError('context_length_exceeded', message));
  }

  #token(): void {
    if (this.#over) return;
    const { breaks } = this.#plan;
    if (this.#request.stream) {
      if (this.#socket.writableLength > MAX_UNSENT) {
        this.#owed += 1;
        return;
      }
      if (breaks && this.#sent === breaks.after) {
        this.#breakStream(breaks.how);
        return;
      }
      const piece = this.#answer.pieces[this.#sent];
      if (piece !== undefined) {
        this.#send(this.#callEvents?.[this.#sent] ?? this.#frames.token(piece));
        this.#context.stats.tokens += 1;
      }
    }
    this.#sent += 1;
    if (this.#sent < this.#answer.pieces.length) return;
    if (!this.#request.stream) this.#sendWhole();
    else if (breaks) this.#breakStream(breaks.how);
    else this.#finishStream();
  }

  #sendHead(first: string): void {
    this.#headSent = true;
    const contentType = this.#plan.contentType ?? 'text/event-stream; charset=utf-8';
    const headers = { 'content-type': contentType, 'cache-control': 'no-cache', ...this.#connection() };
    const opening = this.#frames.opening() + first;
    const body = opening === '' ? '' : this.#chunk(opening);
    this.#out.write(head(200, { ...headers, 'transfer-encoding': 'chunked' }) + body);
  }

  #send(events: string): void {
    if (this.#buffered) this.#buffered.push(events);
    else if (this.#headSent) this.#out.write(this.#chunk(events));
    else this.#sendHead(events);
  }

  #finishStream(): void {
    const { usage, done } = this.#plan;
    const tail =
      this.#frames.finish(this.#answer.finishReason) +
      (usage && this.#request.includeUsage ? this.#frames.usage(this.#usage()) : '') +
      (done ? DONE_EVENT : '');
    if (this.#buffered) {
      const stream = [this.#frames.opening(), ...this.#buffered, tail].join('');
      this.#sendBody(this.#plan.contentType ?? 'text/event-stream; charset=utf-8', stream);
      return;
    }
    this.#out.write(this.#chunk(tail) + LAST_CHUNK);
    this.#context.stats.streamedCrc += this.#crc;
    this.#end(true);
  }

  #chunk(payload: string): string {
    this.#crc = crc32(payload, this.#crc);
    return chunk(payload);
  }

  #breakStream(how: NonNullable<AnswerPlan['breaks']>['how']): void {
    this.#buffered = null;
    if (!this.#headSent) this.#sendHead('');
    if (how === 'stall') {
      this.#ticket?.withdraw();
      return;
    }
    if (how === 'error-event') {
      const error = errorBody('Emulated: the engine failed in mid-answer.', 'api_error', 'engine_failed');
      this.#out.write(chunk(`data: ${error}\n\n`) + LAST_CHUNK);
    } else if (how === 'malformed-json') {
      const whole = this.#frames.token('broken');
      this.#out.write(chunk(`${whole.slice(0, Math.floor(whole.length / 2))}\n\n`));
      this.#finishStream();
      return;
    }
    this.#end(how !== 'cut');
  }

  #sendWhole(): void {
    const usage = this.#plan.usage ? this.#usage() : null;
    const text = this.#answer.pieces.join('');
    const body = wholeAnswer(this.#context.facts, text, this.#answer.finishReason, usage, this.#calls);
    const type = this.#plan.contentType ?? 'application/json';
    const half = body.slice(0, Math.floor(body.length / 2));
    const how = this.#plan.breaks?.how;
    if (how === 'stall' || how === 'cut') {
      const length = Buffer.byteLength(body);
      this.#out.write(head(200, { 'content-type': type, 'content-length': length }) + half);
      if (how === 'cut') this.#end(false);
      else this.#ticket?.withdraw();
      return;
    }
    this.#context.stats.tokens += this.#answer.tokens;
    const failed = errorBody('Emulated: the engine failed.', 'api_error', 'engine_failed');
    this.#sendBody(type, how === 'error-event' ? failed : how === 'malformed-json' ? half : body);
  }

  /** A body with a content-length, correct or not. */
  #sendBody(contentType: string, body: string): void {
    const { lengthError } = this.#plan;
    const length = Math.max(0, Buffer.byteLength(body) + lengthError);
    const headers = { 'content-type': contentType, 'content-length': length, ...this.#connection() };
    this.#out.write(head(200, headers) + body);
    // After too long a content-length, only closing the connection ends the response.
    this.#end(lengthError <= 0);
  }

  #refuse(error: ErrorAnswer): void {
    const body = errorBody(error.message, error.type, error.code);
    const { retryAfterSeconds } = error;
    const retry = retryAfterSeconds === null ? {} : { 'retry-after': retryAfterSeconds };
    this.#out.write(jsonAnswer(error.status, body, { ...retry, ...this.#connection() }));
    this.#end(true);
  }

  #fail(error: RouterError): void {
    this.#out.write(
      jsonAnswer(
        error.kind.status,
        errorBody(error.message, errorType(error), error.code, error.param),
        this.#connection(),
      ),
    );
    this.#end(true);
  }

  #connection(): Record<string, string> {
    return this.#context.keepAlive ? {} : { connection: 'close' };
  }

  #usage(): Usage {
    const { promptTokens } = this.#request;
    return { inputTokens: promptTokens, outputTokens: this.#answer.tokens };
  }

  #end(reusable: boolean): void {
    this.#ticket?.withdraw();
    this.#over = true;
    const keep = reusable && this.#plan.connection !== 'close' && this.#context.keepAlive;
    this.#out.flush(() => this.#context.over(keep));
  }
}

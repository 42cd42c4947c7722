/**
 * One client connection of an emulated server: its requests, one answered after another, and what becomes of it.
 * It knows nothing of models or tokens.
 */
import type { Socket } from 'node:net';
import { Fifo } from '../../core/fifo.ts';
import type { AnswerPlan } from '../../serving/experts/emulated/misbehaviour.ts';
import { BadRequest, type HttpRequest, RequestReader } from './request-reader.ts';
import { errorBody, jsonAnswer } from './wire.ts';

/** An answer in progress. */
export interface Answering {
  /** The socket has room again. */
  catchUp(): void;
  /** The reader has gone. */
  abandon(): void;
}

/**
 * Answers a request. `over` is called once it is out, with whether the connection may carry another.
 * Null when it was answered at once.
 */
export type Responder = (
  request: HttpRequest,
  socket: Socket,
  connection: { readonly answered: number },
  over: (reusable: boolean) => void,
) => Answering | null;

export class Connection {
  readonly #socket: Socket;
  readonly #respond: Responder;
  readonly #reader = new RequestReader();
  readonly #waiting = new Fifo<HttpRequest>();
  #answering: Answering | null = null;
  #busy = false;
  #answered = 0;

  constructor(socket: Socket, respond: Responder) {
    this.#socket = socket;
    this.#respond = respond;
    socket.setNoDelay(true);
    socket.on('data', (bytes) => this.#feed(bytes));
    socket.on('drain', () => this.#answering?.catchUp());
    socket.on('close', () => this.#answering?.abandon());
    // A reader that resets its connection is part of what is emulated; `close` follows.
    socket.on('error', () => {});
  }

  #feed(bytes: Buffer): void {
    try {
      for (const request of this.#reader.feed(bytes)) this.#waiting.push(request);
    } catch (error) {
      if (!(error instanceof BadRequest)) throw error;
      const body = errorBody(
        `Not HTTP as this server reads it: ${error.message}.`,
        'invalid_request_error',
        'bad_request',
      );
      this.#socket.end(jsonAnswer(400, body, { connection: 'close' }));
      return;
    }
    if (this.#reader.awaitsContinue) this.#socket.write('HTTP/1.1 100 Continue\r\n\r\n');
    this.#next();
  }

  #next(): void {
    while (!this.#busy && !this.#socket.destroyed) {
      const request = this.#waiting.shift();
      if (!request) return;
      this.#busy = true;
      const connection = { answered: this.#answered };
      const answering = this.#respond(request, this.#socket, connection, (reusable) => this.#over(reusable));
      this.#answering = this.#busy ? answering : null;
    }
  }

  #over(reusable: boolean): void {
    this.#busy = false;
    this.#answering = null;
    this.#answered += 1;
    if (reusable) this.#next();
    else this.#socket.end();
  }
}

/** Whether this plan resets the connection now, its first request having been answered. */
export function resetsReused(plan: AnswerPlan, answered: number): boolean {
  return plan.connection === 'reset-reused' && answered > 0;
}

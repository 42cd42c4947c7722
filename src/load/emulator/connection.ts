/** One client connection of an emulated server: answers its requests one after another. */
import type { Socket } from 'node:net';
import { Fifo } from '../../core/fifo.ts';
import { type Fields, FramingError } from '../../http/fields.ts';
import { type RequestEvents, type RequestHead, RequestReader } from '../../http/request-reader.ts';
import type { AnswerPlan } from '../../serving/experts/emulated/misbehaviour.ts';
import { errorBody, jsonAnswer } from './wire.ts';

export interface HttpRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly headers: Fields;
  readonly body: Buffer;
  readonly keepAlive: boolean;
}

/** An answer in progress. */
export interface Answering {
  /** Called when the socket can take more bytes. */
  catchUp(): void;
  /** Called when the client has disconnected. */
  abandon(): void;
}

/**
 * Answers a request. Calls `over` when the answer is written, with whether the connection can be reused. Returns null
 * if it answered immediately.
 */
export type Responder = (
  request: HttpRequest,
  socket: Socket,
  connection: { readonly answered: number },
  over: (reusable: boolean) => void,
) => Answering | null;

const MAX_BODY = 64 * 1024 * 1024;
const EMPTY = Buffer.alloc(0);

export class Connection implements RequestEvents {
  readonly #socket: Socket;
  readonly #respond: Responder;
  readonly #reader = new RequestReader(this, MAX_BODY);
  readonly #waiting = new Fifo<HttpRequest>();
  #head: RequestHead | null = null;
  #pieces: Buffer[] = [];
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
    // A client may reset its connection; `close` follows.
    socket.on('error', () => {});
  }

  head(head: RequestHead): void {
    this.#head = head;
    if (head.awaitsContinue) this.#socket.write('HTTP/1.1 100 Continue\r\n\r\n');
  }

  /** The buffers belong to this connection, so slices of them can be kept. */
  piece(bytes: Buffer, from: number, to: number): void {
    this.#pieces.push(bytes.subarray(from, to));
  }

  end(): void {
    const { method, target, headers, keepAlive } = this.#head!;
    const body = this.#pieces.length > 1 ? Buffer.concat(this.#pieces) : (this.#pieces[0] ?? EMPTY);
    this.#pieces = [];
    this.#waiting.push({ method, path: target.split('?', 1)[0]!, headers, body, keepAlive });
  }

  #feed(bytes: Buffer): void {
    try {
      for (let at = 0; at < bytes.length; ) at = this.#reader.feed(bytes, at);
    } catch (error) {
      if (!(error instanceof FramingError)) throw error;
      const body = errorBody(
        `The request is not valid HTTP/1.1: ${error.message}.`,
        'invalid_request_error',
        'bad_request',
      );
      this.#socket.end(jsonAnswer(400, body, { connection: 'close' }));
      return;
    }
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

/** Whether the plan resets the connection now, that is, on its second request. */
export function resetsReused(plan: AnswerPlan, answered: number): boolean {
  return plan.connection === 'reset-reused' && answered > 0;
}

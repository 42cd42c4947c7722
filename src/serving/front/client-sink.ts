/**
 * Writes a reply to the client as it comes: headers with the first byte, back-pressure passed on, and an honest
 * end. A stream that fails midway ends with an error event; a plain body that fails midway is cut, never closed
 * as if complete.
 */
import type { ServerResponse } from 'node:http';
import { RouterError } from '../../core/errors.ts';
import { isEventStream } from '../../core/sse.ts';
import type { Generation } from '../experts/expert.ts';
import type { GatewaySink } from '../gateway/gateway.ts';
import { cutOff, PromisedBody } from './promised-body.ts';
import { sendError } from './wire.ts';

const NEWLINE = 0x0a;

export class ClientSink implements GatewaySink {
  readonly #response: ServerResponse;
  readonly #body: PromisedBody;
  #head: { status: number; headers: Readonly<Record<string, string>> } | null = null;
  #endsInBlankLine = true;
  #lateError: Uint8Array[] | null = null;
  /** After its end nothing more is written, whoever still calls: it would be read as the next response. */
  #over = false;

  constructor(response: ServerResponse) {
    this.#response = response;
    this.#body = new PromisedBody(response);
  }

  /** Ties the generation to the connection: it resumes when the client has read, and stops when the client leaves. */
  drive(generation: Generation): void {
    this.#response.on('drain', () => generation.resume());
    this.#response.on('close', () => generation.cancel());
    if (this.#response.destroyed) generation.cancel();
  }

  served(expert: string, tries: number): void {
    if (this.#response.headersSent) return;
    this.#response.setHeader('x-expert-router-expert', expert);
    this.#response.setHeader('x-expert-router-tries', tries);
  }

  waiting(): void {
    if (this.#over) return;
    if (!this.#response.headersSent) {
      this.#response.setHeader('content-type', 'text/event-stream');
      this.#response.setHeader('x-accel-buffering', 'no');
    }
    this.#response.write(': waiting for a free place\n\n');
  }

  head(status: number, headers: Readonly<Record<string, string>>): void {
    // Held until there is a byte to send: until then a failure can still become a proper error response.
    this.#head = { status, headers };
    // Once a waiting stream was given a sign of life its status is sent, and an error can only be an event.
    if (this.#response.headersSent && status >= 400) this.#lateError = [];
  }

  data(chunk: Uint8Array): boolean {
    if (chunk.length === 0 || this.#over) return true;
    if (this.#lateError) {
      this.#lateError.push(chunk);
      return true;
    }
    this.#sendHead();
    this.#endsInBlankLine =
      chunk[chunk.length - 1] === NEWLINE && (chunk.length < 2 || chunk[chunk.length - 2] === NEWLINE);
    return this.#body.write(chunk);
  }

  end(): void {
    if (this.#over) return;
    this.#sendHead();
    if (!this.#response.headersSent && !this.#body.whole) {
      this.fail(new RouterError('expert_failed', 'The expert announced an answer and gave none.'));
      return;
    }
    this.#over = true;
    if (this.#lateError)
      this.#response.end(
        `data: ${Buffer.concat(this.#lateError)
          .toString()
          .replace(/\s*\n\s*/g, ' ')}\n\n`,
      );
    else this.#body.end();
  }

  fail(error: RouterError): void {
    if (this.#over) return;
    this.#over = true;
    if (!this.#response.headersSent) {
      sendError(this.#response, error);
    } else if (this.#takesEvents()) {
      const separator = this.#endsInBlankLine ? '' : '\n\n';
      this.#response.end(`${separator}data: ${JSON.stringify(error.toWire())}\n\n`);
    } else {
      cutOff(this.#response);
    }
  }

  /** Whether an event of ours can follow what was sent. */
  #takesEvents(): boolean {
    const type = this.#response.getHeader('content-type');
    return isEventStream(type as string | undefined) && !this.#response.hasHeader('content-encoding');
  }

  #sendHead(): void {
    if (this.#head === null || this.#response.headersSent) return;
    const { status, headers } = this.#head;
    const { 'content-length': length, ...others } = headers;
    const stream = isEventStream(headers['content-type']);
    this.#response.statusCode = status;
    for (const [name, value] of Object.entries(others)) this.#response.setHeader(name, value);
    // A stream may need room for an event of ours at its end, whatever length was promised.
    if (length !== undefined && !stream) this.#body.promise(length);
    // Reverse proxies such as nginx otherwise hold tokens back to fill a buffer.
    if (stream) this.#response.setHeader('x-accel-buffering', 'no');
  }
}

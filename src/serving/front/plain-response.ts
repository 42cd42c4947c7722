/** The response to a plain request: head and body in one write, and one write for every piece of a stream. */

import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { ClientResponse } from './exchange.ts';

/** Whose response it is. */
export interface ResponseOwner {
  readonly socket: Socket;
  /** The response has ended; the connection may go on unless `last`. */
  ended(last: boolean): void;
}

/** What a field's value may hold (RFC 9110, section 5.5, in latin1): a line break would begin another field. */
const UNFIT = /[^\t\x20-\x7e\x80-\xff]/;
const CRLF = '\r\n';
const LAST = '0\r\n\r\n';
const LAST_CHUNK = Buffer.from(LAST);
const HEX = Buffer.from('0123456789abcdef');
const CR = 0x0d;
const LF = 0x0a;

export class PlainResponse implements ClientResponse {
  statusCode = 200;
  headersSent = false;
  destroyed = false;
  writableFinished = false;
  readonly chunkedEncoding = true;
  readonly socket = null;
  readonly #owner: ResponseOwner;
  readonly #keepAlive: string;
  readonly #headers: Record<string, string | number> = {};
  /** Whether the head is still to be written. */
  #headDue = true;
  #chunked = false;
  #ended = false;
  #closed = false;
  #onClose: (() => void)[] = [];
  #onDrain: (() => void) | null = null;

  /** @param keepAlive the fields that say how long the connection is kept */
  constructor(owner: ResponseOwner, keepAlive: string) {
    this.#owner = owner;
    this.#keepAlive = keepAlive;
  }

  setHeader(name: string, value: string | number): void {
    if (typeof value === 'string' && UNFIT.test(value))
      throw new TypeError(`The value of header '${name}' has a character that no header may have.`);
    this.#headers[name] = value;
  }

  getHeader(name: string): string | number | undefined {
    return this.#headers[name];
  }

  hasHeader(name: string): boolean {
    return this.#headers[name] !== undefined;
  }

  removeHeader(name: string): void {
    delete this.#headers[name];
  }

  writeHead(status: number, headers: Readonly<Record<string, string | number>>): this {
    this.statusCode = status;
    for (const name in headers) this.setHeader(name, headers[name]!);
    this.headersSent = true;
    return this;
  }

  write(chunk: Uint8Array | string): boolean {
    const { socket } = this.#owner;
    if (this.#ended || this.destroyed) return true;
    const bytes = asBytes(chunk);
    if (!this.#headDue) return socket.write(this.#chunked ? framed('', bytes, '') : bytes);
    this.#chunked = !this.hasHeader('content-length');
    const head = this.#head();
    return socket.write(this.#chunked ? framed(head, bytes, '') : joined(head, bytes));
  }

  end(chunk?: Uint8Array | string): void {
    if (this.#ended || this.destroyed) return;
    this.#ended = true;
    const { socket } = this.#owner;
    const bytes = chunk === undefined ? null : asBytes(chunk);
    if (this.#headDue) {
      if (!this.hasHeader('content-length')) this.#headers['content-length'] = bytes?.length ?? 0;
      socket.write(joined(this.#head(), bytes));
    } else if (this.#chunked) socket.write(bytes ? framed('', bytes, LAST) : LAST_CHUNK);
    else if (bytes) socket.write(bytes);
    // Unless the client is slow, the kernel has all of it by now.
    if (socket.writableLength === 0) process.nextTick(finish, this);
    else
      socket.write('', (error) => {
        if (!error) this.finish();
      });
  }

  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.#owner.socket.destroy();
  }

  on(event: 'drain' | 'close', listener: () => void): void {
    if (event === 'drain') this.#onDrain = listener;
    else this.#onClose.push(listener);
  }

  once(event: 'close', listener: () => void): void {
    this.on(event, listener);
  }

  /** The client has read. */
  drained(): void {
    this.#onDrain?.();
  }

  /** All of it is with the operating system. */
  finish(): void {
    if (this.#closed || this.destroyed) return;
    this.writableFinished = true;
    this.closed();
    this.#owner.ended(this.#headers.connection === 'close');
  }

  /** The connection is gone, or the response has ended. Harmless when repeated. */
  closed(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (!this.writableFinished) this.destroyed = true;
    for (const listener of this.#onClose) listener();
    this.#onClose = [];
    this.#onDrain = null;
  }

  #head(): string {
    this.#headDue = false;
    this.headersSent = true;
    const headers = this.#headers;
    let head = `HTTP/1.1 ${this.statusCode} ${STATUS_CODES[this.statusCode] ?? ''}\r\n`;
    for (const name in headers) head += `${name}: ${headers[name]}\r\n`;
    head += date();
    if (headers.connection === undefined) head += this.#keepAlive;
    return head + (this.#chunked ? 'transfer-encoding: chunked\r\n\r\n' : CRLF);
  }
}

function finish(response: PlainResponse): void {
  response.finish();
}

function asBytes(chunk: Uint8Array | string): Uint8Array {
  return typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
}

function joined(head: string, bytes: Uint8Array | null): Buffer {
  const all = Buffer.allocUnsafe(head.length + (bytes?.length ?? 0));
  all.write(head, 0, 'latin1');
  if (bytes) all.set(bytes, head.length);
  return all;
}

/**
 * A chunk (RFC 9112, section 7.1), after a head and before the end of the body where those are due. An empty one would
 * itself end the body.
 */
function framed(head: string, bytes: Uint8Array, last: string): Buffer {
  if (bytes.length === 0) return Buffer.from(head + last, 'latin1');
  const digits = hexDigits(bytes.length);
  const start = head.length + digits + 2;
  const all = Buffer.allocUnsafe(start + bytes.length + 2 + last.length);
  if (head !== '') all.write(head, 0, 'latin1');
  for (let at = start - 3, left = bytes.length; at >= head.length; at -= 1, left >>>= 4)
    all[at] = HEX[left & 15]!;
  all[start - 2] = CR;
  all[start - 1] = LF;
  all.set(bytes, start);
  const end = start + bytes.length;
  all[end] = CR;
  all[end + 1] = LF;
  if (last !== '') all.write(last, end + 2, 'latin1');
  return all;
}

/** Of a positive length below 2³². */
function hexDigits(length: number): number {
  return 8 - (Math.clz32(length) >> 2);
}

let dated = '';
let datedAt = 0;

/** The field, renewed every second. */
function date(): string {
  const second = Math.floor(Date.now() / 1000);
  if (second !== datedAt) {
    datedAt = second;
    dated = `date: ${new Date(second * 1000).toUTCString()}\r\n`;
  }
  return dated;
}

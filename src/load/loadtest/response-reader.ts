/**
 * HTTP/1.1 responses out of a connection's bytes, however they are cut, without copying bodies.
 * It knows lengths and chunks, and nothing of what a body means.
 */

export interface ResponseHead {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: ReadonlyMap<string, string>;
}

export interface ResponseHandler {
  head(head: ResponseHead): void;
  /** `bytes[from, to)` belong to the body; they are reused after the call. */
  body(bytes: Buffer, from: number, to: number): void;
  /** `excess`: more bytes came than the head announced, so the connection is of no more use. */
  end(reusable: boolean, excess: boolean): void;
}

/** What a server sent is no HTTP response. */
export class NotHttp extends Error {}

const MAX_HEAD = 64 * 1024;

type State =
  | 'head'
  | 'length'
  | 'chunk-size'
  | 'chunk-data'
  | 'chunk-end'
  | 'trailers'
  | 'until-close'
  | 'over';

export class ResponseReader {
  readonly #handler: ResponseHandler;
  #state: State = 'head';
  #head = '';
  #left = 0;
  #line = '';
  #reusable = true;

  constructor(handler: ResponseHandler) {
    this.#handler = handler;
  }

  /** True while nothing of a response has come. */
  get untouched(): boolean {
    return this.#state === 'head' && this.#head === '';
  }

  /** @throws {NotHttp} */
  feed(bytes: Buffer, from: number, to: number): void {
    let at = from;
    while (at < to && this.#state !== 'over') at = this.#step(bytes, at, to);
  }

  /** The connection has closed. False when the response was not complete. */
  closed(): boolean {
    if (this.#state === 'until-close') this.#finish(0);
    return this.#state === 'over';
  }

  #step(bytes: Buffer, at: number, to: number): number {
    switch (this.#state) {
      case 'head':
        return this.#readHead(bytes, at, to);
      case 'length':
      case 'chunk-data':
        return this.#readBody(bytes, at, to);
      case 'until-close':
        this.#handler.body(bytes, at, to);
        return to;
      default:
        return this.#readLine(bytes, at, to);
    }
  }

  #readHead(bytes: Buffer, at: number, to: number): number {
    const before = this.#head.length;
    this.#head += bytes.toString('latin1', at, to);
    const end = this.#head.indexOf('\r\n\r\n');
    if (end < 0) {
      if (this.#head.length > MAX_HEAD) throw new NotHttp('the head has no end');
      return to;
    }
    const head = parseHead(this.#head.slice(0, end));
    const next = at + end + 4 - before;
    if (head.status === 100) {
      this.#head = '';
      return next;
    }
    this.#begin(head, to - next);
    return next;
  }

  #begin(head: ResponseHead, following: number): void {
    const { headers } = head;
    this.#reusable = headers.get('connection')?.toLowerCase() !== 'close';
    const length = headers.get('content-length');
    this.#handler.head(head);
    if (headers.get('transfer-encoding')?.toLowerCase().includes('chunked')) this.#state = 'chunk-size';
    else if (length !== undefined) {
      this.#left = Number(length);
      this.#state = 'length';
      if (this.#left === 0) this.#finish(following);
    } else {
      this.#reusable = false;
      this.#state = 'until-close';
    }
  }

  #readBody(bytes: Buffer, at: number, to: number): number {
    const end = Math.min(to, at + this.#left);
    this.#handler.body(bytes, at, end);
    this.#left -= end - at;
    if (this.#left > 0) return end;
    if (this.#state === 'chunk-data') this.#state = 'chunk-end';
    else this.#finish(to - end);
    return end;
  }

  #readLine(bytes: Buffer, at: number, to: number): number {
    let end = at;
    while (end < to && bytes[end] !== 10) end += 1;
    this.#line += bytes.toString('latin1', at, end);
    if (end === to) return to;
    const line = this.#line.trimEnd();
    this.#line = '';
    if (this.#state === 'chunk-size') {
      this.#left = Number.parseInt(line, 16);
      if (!(this.#left >= 0)) throw new NotHttp('a chunk without a size');
      this.#state = this.#left === 0 ? 'trailers' : 'chunk-data';
    } else if (this.#state === 'chunk-end') this.#state = 'chunk-size';
    else if (line === '') this.#finish(to - end - 1);
    return end + 1;
  }

  #finish(following: number): void {
    this.#state = 'over';
    this.#handler.end(this.#reusable && following === 0, following > 0);
  }
}

function parseHead(text: string): ResponseHead {
  const [first = '', ...lines] = text.split('\r\n');
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(first)?.[1]);
  if (!status) throw new NotHttp('no status line');
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon > 0) headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  return { status, headers };
}

/** A response read on demand: beyond a few pieces read ahead, unread bytes wait in the socket. */
import type { Exchange, HttpClient, OutgoingRequest, WireError } from './client.ts';
import type { ResponseHead } from './response-parser.ts';

/** Pieces buffered ahead of the reader, so that pausing the socket stays rare. */
const AHEAD = 4;

export class PulledResponse {
  readonly #pieces: Buffer[] = [];
  readonly #exchange: Exchange;
  readonly #unwatch: () => void;
  #head: ResponseHead | null = null;
  #end: 'none' | 'whole' | { readonly error: unknown } = 'none';
  #wake = (): void => {};

  /**
   * Sends a request; resolves with the head of its response. Aborting the signal closes the connection, which tells the
   * server to stop.
   * @throws {WireError} when no response comes; the signal's reason when it fires first
   */
  static async open(
    client: HttpClient,
    request: OutgoingRequest,
    signal: AbortSignal,
  ): Promise<PulledResponse> {
    signal.throwIfAborted();
    const response = new PulledResponse(client, request, signal);
    await response.#until(() => response.#head !== null);
    return response;
  }

  private constructor(client: HttpClient, request: OutgoingRequest, signal: AbortSignal) {
    this.#exchange = client.request(request, {
      head: (head) => {
        this.#head = head;
        this.#wake();
      },
      data: (payload) => {
        this.#pieces.push(payload);
        this.#wake();
        return this.#pieces.length < AHEAD;
      },
      end: () => this.#over('whole'),
      fail: (error: WireError) => this.#over({ error }),
    });
    const abort = (): void => {
      this.#exchange.cancel();
      this.#over({ error: signal.reason });
    };
    signal.addEventListener('abort', abort, { once: true });
    this.#unwatch = () => signal.removeEventListener('abort', abort);
  }

  get head(): ResponseHead {
    return this.#head!;
  }

  /**
   * The body as it comes, to be iterated once; leaving it early closes the connection.
   * @throws {WireError} when it breaks off; the signal's reason when that fires
   */
  async *pieces(): AsyncGenerator<Buffer> {
    try {
      for (;;) {
        await this.#until(() => this.#pieces.length > 0 || this.#end === 'whole');
        const piece = this.#pieces.shift();
        if (piece === undefined) return;
        yield piece;
      }
    } finally {
      this.cancel();
    }
  }

  /** The rest of the body, truncated after `most` bytes; throws as `pieces` does. */
  async bytes(most = Number.POSITIVE_INFINITY): Promise<Buffer> {
    const pieces: Buffer[] = [];
    let size = 0;
    for await (const piece of this.pieces()) {
      pieces.push(piece);
      size += piece.length;
      if (size > most) break;
    }
    return Buffer.concat(pieces, Math.min(size, most));
  }

  /** The same as text. */
  async text(most?: number): Promise<string> {
    return (await this.bytes(most)).toString('utf8');
  }

  /** Ends it early; harmless after its end. */
  cancel(): void {
    this.#exchange.cancel();
    this.#over('whole');
  }

  async #until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      if (typeof this.#end === 'object') throw this.#end.error;
      this.#exchange.resume();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #over(end: 'whole' | { readonly error: unknown }): void {
    if (this.#end !== 'none') return;
    this.#end = end;
    this.#unwatch();
    this.#wake();
  }
}

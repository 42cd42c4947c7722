/**
 * A response read by pulling: what nobody has asked for yet waits in the socket. For experts that translate an answer
 * instead of relaying it.
 */
import type { Exchange, HttpClient, OutgoingRequest, WireError } from '../../http/client.ts';
import type { ResponseHead } from '../../http/response-parser.ts';

/** Pieces read ahead of the reader, so that a pause costs less than it saves. */
const AHEAD = 4;

export class PulledResponse {
  readonly #pieces: Buffer[] = [];
  readonly #exchange: Exchange;
  readonly #unwatch: () => void;
  #head: ResponseHead | null = null;
  #end: 'none' | 'whole' | Error = 'none';
  #wake = (): void => {};

  /**
   * Sends a request; resolves with the head of its response.
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
      fail: (error: WireError) => this.#over(error),
    });
    const abort = (): void => {
      this.#exchange.cancel();
      this.#over(signal.reason as Error);
    };
    signal.addEventListener('abort', abort, { once: true });
    this.#unwatch = () => signal.removeEventListener('abort', abort);
  }

  get head(): ResponseHead {
    return this.#head!;
  }

  /** The body as it comes. @throws {WireError} when it breaks off; the signal's reason when that fires */
  async *pieces(): AsyncGenerator<Buffer> {
    for (;;) {
      await this.#until(() => this.#pieces.length > 0 || this.#end === 'whole');
      const piece = this.#pieces.shift();
      if (piece === undefined) return;
      yield piece;
    }
  }

  /** The rest of the body as text. */
  async text(): Promise<string> {
    const pieces: Buffer[] = [];
    for await (const piece of this.pieces()) pieces.push(piece);
    return Buffer.concat(pieces).toString('utf8');
  }

  /** Ends the exchange early; harmless after its end. */
  cancel(): void {
    this.#exchange.cancel();
    this.#over('whole');
  }

  async #until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      if (this.#end instanceof Error) throw this.#end;
      this.#exchange.resume();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #over(end: 'whole' | Error): void {
    if (this.#end !== 'none') return;
    this.#end = end;
    this.#unwatch();
    this.#wake();
  }
}

/**
 * The body of a response against the length that its head promised. What was promised is delivered, or the connection
 * ends within the body: whatever came next on it would be read as the rest of this one.
 */
import type { ClientResponse } from './exchange.ts';

export class PromisedBody {
  readonly #response: ClientResponse;
  /** Bytes the head announced; null where the body ends with its last chunk. */
  #promised: number | null = null;
  #written = 0;
  /** The piece that completes what was promised: it waits for the end, which may still turn out to be none. */
  #last: Uint8Array | null = null;

  constructor(response: ClientResponse) {
    this.#response = response;
  }

  /** @param length the value of content-length, in digits */
  promise(length: string): void {
    this.#promised = Number(length);
    this.#response.setHeader('content-length', length);
  }

  /** Whether the bytes so far are all that was promised. */
  get whole(): boolean {
    return this.#promised === null || this.#written === this.#promised;
  }

  /** @returns whether there is room for more. Bytes beyond the promise are not written and end the connection. */
  write(bytes: Uint8Array): boolean {
    this.#written += bytes.length;
    if (this.#promised === null || this.#written < this.#promised) return this.#response.write(bytes);
    if (this.#written === this.#promised && bytes.length > 0) {
      this.#last = bytes;
      return true;
    }
    if (this.#written === this.#promised) return true;
    cutOff(this.#response);
    return true;
  }

  /** The regular end; that of the connection too where bytes are missing. */
  end(): void {
    if (this.whole) this.#response.end(this.#last ?? undefined);
    else cutOff(this.#response);
  }
}

/**
 * Ends the connection within a response whose head was sent, in a way that no client takes for the end of the body.
 * HTTP/1.0 without a length is delimited by the end of the connection: there only a reset tells a broken body.
 */
export function cutOff(response: ClientResponse): void {
  const delimited = response.chunkedEncoding || response.hasHeader('content-length');
  if (delimited || !response.socket) response.destroy();
  else response.socket.resetAndDestroy();
}

/**
 * A client's request and the response to it, as the front uses them: what `node:http` gives, reduced to the part that
 * the plain lane's own have as well.
 */
import type { IncomingHttpHeaders } from 'node:http';

export interface ClientRequest {
  readonly method?: string | undefined;
  url?: string | undefined;
  /** Lower-case names. */
  readonly headers: Readonly<IncomingHttpHeaders>;
  /** Names and values in turn, as sent; those named `host` at least. */
  readonly rawHeaders: readonly string[];
  readonly complete: boolean;
  readonly destroyed: boolean;
  /** Its body where all of it is there already; then none is emitted. */
  readonly whole?: Buffer;
  /** Reads and forgets the rest. */
  resume(): unknown;
  on(event: 'data', listener: (chunk: Buffer) => void): unknown;
  on(event: 'end', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

export interface ClientResponse {
  statusCode: number;
  readonly headersSent: boolean;
  readonly destroyed: boolean;
  /** All of it was handed to the operating system. */
  readonly writableFinished: boolean;
  /** The body's end is marked in the body. */
  readonly chunkedEncoding: boolean;
  /** Null where there is none, and for whoever can only be destroyed. */
  readonly socket: { resetAndDestroy(): unknown } | null;
  setHeader(name: string, value: string | number): unknown;
  getHeader(name: string): unknown;
  hasHeader(name: string): boolean;
  removeHeader(name: string): unknown;
  writeHead(status: number, headers: Readonly<Record<string, string | number>>): this;
  /** @returns whether there is room for more; `drain` follows where there is not */
  write(chunk: Uint8Array | string): boolean;
  end(chunk?: Uint8Array | string): unknown;
  /** Ends the connection at once. */
  destroy(): unknown;
  on(event: 'drain' | 'close', listener: () => void): unknown;
  once(event: 'close', listener: () => void): unknown;
}

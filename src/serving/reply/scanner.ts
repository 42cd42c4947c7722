/** A dialect's judgement of an answer in its own bytes, made nowhere else. */
import type { Failure, ToldFailure } from './failure.ts';
import type { Outcome } from './reply.ts';

/** `silence`: no content yet, so failover is still possible; a failure: an error, whatever the status. */
export type Opening = 'silence' | 'content' | ToldFailure;

/** An error; `missing`: why the answer is not whole; `empty`: whole but without content; or how a whole one ended. */
export type Ending = ToldFailure | { readonly missing: string } | { readonly empty: Outcome } | Outcome;

export interface Scanner {
  /** Scans the next bytes, cut anywhere; they must not change later. Linear time, bounded memory. */
  push(bytes: Buffer): Opening;
  /** Whether the answer is known to be whole, so that losing its connection no longer matters. */
  readonly done: boolean;
  /** At the end of the bytes. */
  end(): Ending;
}

/** How streamed answers are sent. */
export interface Streaming {
  /** Lower case, without parameters. */
  readonly contentType: string;
  /** What ends each piece: a blank line for server-sent events, a line break for JSON lines. */
  readonly separator: '\n\n' | '\n';
  /** Sent while a request is queued, so that proxies keep the connection; null where clients would not skip it. */
  readonly keepAlive: Buffer | null;
  /** An error inside a stream that has begun. */
  lateError(failure: Failure): Buffer;
}

/** What relaying needs of a dialect. */
export interface RawLane {
  /** Null where no answer is streamed. */
  readonly streaming: Streaming | null;
  /** @param stream whether the answer is a stream */
  scanner(stream: boolean): Scanner;
  /** The failure of an answer with an error status. @param headers lower-case, as the server sent them */
  refusal(status: number, headers: Readonly<Record<string, string>>, body: Buffer): ToldFailure;
}

/** Whether a content type names such a stream; media types are case-insensitive (RFC 9110, section 8.3.1). */
export function isStreamOf(streaming: Streaming | null, contentType: string | undefined): boolean {
  if (streaming === null || contentType === undefined) return false;
  return contentType.split(';', 1)[0]!.trim().toLowerCase() === streaming.contentType;
}

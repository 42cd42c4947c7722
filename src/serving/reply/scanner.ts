/** A dialect's judgement of an answer in its own bytes, made nowhere else. */
import type { ToldFailure } from './failure.ts';
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

/** What relaying needs of a dialect. */
export interface RawLane {
  /** @param stream whether the answer is a stream of events */
  scanner(stream: boolean): Scanner;
  /** The failure of an answer with an error status. @param headers lower-case, as the server sent them */
  refusal(status: number, headers: Readonly<Record<string, string>>, body: Buffer): ToldFailure;
}

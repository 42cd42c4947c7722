/** What a dialect tells of an answer in its own bytes while they pass by: the one place where this is asked. */
import type { ToldFailure } from './failure.ts';
import type { Outcome } from './reply.ts';

/** `silence`: no content yet, so another expert can still take over; a failure: it is an error, whatever its status. */
export type Opening = 'silence' | 'content' | ToldFailure;

/** An error instead of an answer, or what is missing of one, or how a whole one ended; `empty`: it says nothing. */
export type Ending = ToldFailure | { readonly missing: string } | { readonly empty: Outcome } | Outcome;

export interface Scanner {
  /** Looks at the next bytes, cut anywhere; they must not change later. Linear, in bounded memory. */
  push(bytes: Buffer): Opening;
  /** Whether the answer has said that it is whole: the loss of its connection takes nothing from it. */
  readonly done: boolean;
  /** Nothing more will come. */
  end(): Ending;
}

/** What the raw lane needs of the dialect whose bytes it relays. */
export interface RawLane {
  /** @param stream whether the answer is a stream of events */
  scanner(stream: boolean): Scanner;
  /** An answer with an error status. @param headers in lower case, as the server sent them */
  refusal(status: number, headers: Readonly<Record<string, string>>, body: Buffer): ToldFailure;
}

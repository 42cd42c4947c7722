/** An answer on its way to a client, measured for the limits of its key. */
import type { Failure } from '../reply/failure.ts';
import type { Outcome } from '../reply/reply.ts';
import type { Hold } from './limiter.ts';

/** A sink as the gateway calls it. */
interface Sink<By extends { readonly expert: string }> {
  served(by: By): void;
  waiting(): void;
  head(status: number, headers: Readonly<Record<string, string>>): void;
  data(chunk: Uint8Array): boolean;
  end(outcome: Outcome): void;
  fail(failure: Failure, by: By | null): void;
}

const NEWLINE = 0x0a;

/**
 * Counts the pieces of a stream that end in each chunk; servers send about one for every token.
 * @param pieces what ends each of them: one line break or two; 0 for a whole answer, which has none
 */
export function pieceCounter(pieces: 0 | 1 | 2): (chunk: Uint8Array) => number {
  if (pieces === 0) return () => 0;
  let run = 0;
  return (chunk) => {
    let ended = 0;
    for (const byte of chunk) {
      run = byte === NEWLINE ? run + 1 : byte === 0x0d ? run : 0;
      if (run === pieces) ended += 1;
    }
    return ended;
  };
}

/** @param pieces as of `pieceCounter` */
export function metered<By extends { readonly expert: string }>(
  sink: Sink<By>,
  hold: Hold,
  pieces: 0 | 1 | 2,
): Sink<By> {
  const count = pieceCounter(pieces);
  return {
    served: (by) => {
      hold.served(by.expert);
      sink.served(by);
    },
    waiting: () => sink.waiting(),
    head: (status, headers) => sink.head(status, withoutQuotas(headers)),
    data: (chunk) => {
      if (pieces > 0) hold.produced(count(chunk));
      return sink.data(chunk);
    },
    end: (outcome) => {
      hold.ended(outcome.usage);
      sink.end(outcome);
    },
    fail: (failure, by) => {
      hold.brokenOff();
      sink.fail(failure, by);
    },
  };
}

export const isQuotaHeader = (name: string): boolean => /^(?:x|anthropic)-ratelimit-/.test(name);

/** Those of the expert's provider are not this key's. */
function withoutQuotas(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !isQuotaHeader(name)));
}

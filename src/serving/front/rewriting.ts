/** An answer that was asked for in another dialect's words, held until it is whole and then told in the client's. */
import { RouterError } from '../../core/errors.ts';
import type { Outcome } from '../experts/expert.ts';
import type { Answerer, AttemptSink } from '../gateway/attempts.ts';
import type { Failure } from '../reply/failure.ts';

const MOST_BYTES = 64 * 1024 * 1024;

export function rewriting(sink: AttemptSink, rewritten: (body: Buffer) => Buffer): AttemptSink {
  const held: Uint8Array[] = [];
  let bytes = 0;
  let over = false;
  const fail = (failure: Failure, by: Answerer | null): void => {
    if (over) return;
    over = true;
    sink.fail(failure, by);
  };
  return {
    served: (by) => sink.served(by),
    waiting: () => sink.waiting(),
    head: () => {},
    data: (chunk) => {
      bytes += chunk.length;
      if (bytes <= MOST_BYTES) held.push(chunk);
      else
        fail(
          new RouterError('expert_failed', `The expert's answer is longer than ${MOST_BYTES} bytes.`),
          null,
        );
      return true;
    },
    end: (outcome: Outcome) => {
      if (over) return;
      over = true;
      const body = rewritten(Buffer.concat(held));
      sink.head(200, {
        'content-type': 'application/json; charset=utf-8',
        'content-length': String(body.length),
      });
      sink.data(body);
      sink.end(outcome);
    },
    fail,
  };
}

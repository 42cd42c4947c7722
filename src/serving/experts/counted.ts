/** Answers a request that asks for a count of tokens, for experts that can count themselves. */
import type { CountingAnswer } from '../dialects/counting.ts';
import type { Failure } from '../reply/failure.ts';
import type { AnswerSink, Generation } from '../reply/reply.ts';
import { UNKNOWN_OUTCOME } from '../reply/reply.ts';

/** @param count of the request; a failure it throws is told */
export function answerCount(dialect: CountingAnswer, count: () => number, sink: AnswerSink): Generation {
  let over = false;
  setImmediate(() => {
    if (over) return;
    try {
      const body = dialect.countAnswer(count());
      sink.head(200, { 'content-type': 'application/json', 'content-length': String(body.length) });
      sink.data(body);
      sink.end(UNKNOWN_OUTCOME);
    } catch (failure) {
      sink.fail(failure as Failure);
    }
  });
  return {
    resume: () => {},
    cancel: () => {
      over = true;
    },
  };
}

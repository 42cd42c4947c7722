/**
 * Puts a request to a server that speaks the client's dialect, and passes its answer on byte for byte. A refusal that
 * may be met otherwise is, once.
 */
import type { HttpClient, OutgoingRequest } from '../../http/client.ts';
import { ToldFailure } from '../reply/failure.ts';
import { RawRelay, type RawRelayOptions } from '../reply/raw-relay.ts';
import type { AnswerSink, Generation } from '../reply/reply.ts';

/** Answers into a sink. */
export type Answer = (sink: AnswerSink) => Generation;

export function relay(
  client: HttpClient,
  request: OutgoingRequest,
  options: RawRelayOptions,
  sink: AnswerSink,
): Generation {
  const passing: RawRelay = new RawRelay(options, sink, () => exchange.cancel());
  const exchange = client.request(request, passing);
  return {
    resume: () => exchange.resume(),
    cancel: () => {
      passing.cancel();
      exchange.cancel();
    },
  };
}

/** @param instead what answers in place of a refusal; null to pass it on */
export function answerOr(
  answer: Answer,
  instead: (refusal: ToldFailure) => Answer | null,
  sink: AnswerSink,
): Generation {
  let begun = false;
  let current = answer({
    head: (status, headers) => {
      begun = true;
      sink.head(status, headers);
    },
    data: (chunk) => sink.data(chunk),
    end: (outcome) => sink.end(outcome),
    fail: (failure) => {
      const other = !begun && failure instanceof ToldFailure ? instead(failure) : null;
      if (other === null) sink.fail(failure);
      else current = other(sink);
    },
  });
  return { resume: () => current.resume(), cancel: () => current.cancel() };
}

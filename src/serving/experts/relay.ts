/** Puts a request to a server that speaks the client's dialect, and passes its answer on byte for byte. */
import type { HttpClient, OutgoingRequest } from '../../http/client.ts';
import { RawRelay, type RawRelayOptions } from '../reply/raw-relay.ts';
import type { AnswerSink, Generation } from '../reply/reply.ts';

export function relay(
  client: HttpClient,
  request: OutgoingRequest,
  options: RawRelayOptions,
  sink: AnswerSink,
): Generation {
  const passing = new RawRelay(options, sink);
  const exchange = client.request(request, passing);
  return {
    resume: () => exchange.resume(),
    cancel: () => {
      passing.cancel();
      exchange.cancel();
    },
  };
}

/** An HTTP exchange as an async iteration over its body, read only as fast as it is asked for. */
import type { HttpClient, OutgoingRequest, WireError } from '../../../http/client.ts';
import type { ResponseHead } from '../../../http/response-parser.ts';

export interface HttpResponse {
  readonly head: ResponseHead;
  /** To be iterated once. Throws `WireError` when it breaks off; leaving it early closes the connection. */
  readonly body: AsyncIterable<Buffer>;
}

/** Pieces that may wait for their reader before the connection is told to pause. */
const AHEAD = 16;

/**
 * Resolves with the head of the response. Rejects with `WireError`, or with the signal's reason once that has fired.
 * The signal closes the connection, which is how the server learns that nobody reads.
 */
export function exchange(
  client: HttpClient,
  request: OutgoingRequest,
  signal: AbortSignal,
): Promise<HttpResponse> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const waiting: Buffer[] = [];
    let over: { readonly error: unknown } | null = null;
    let wake = (): void => {};
    const running = client.request(request, {
      head: (head) => resolve({ head, body: body() }),
      data: (payload) => {
        waiting.push(payload);
        wake();
        return waiting.length < AHEAD;
      },
      end: () => finish(null),
      fail: (error: WireError) => finish(error),
    });
    const abort = (): void => {
      running.cancel();
      finish(signal.reason);
    };
    signal.addEventListener('abort', abort, { once: true });
    const finish = (error: unknown): void => {
      signal.removeEventListener('abort', abort);
      over ??= { error };
      reject(error);
      wake();
    };
    async function* body(): AsyncGenerator<Buffer, void, undefined> {
      try {
        for (;;) {
          const piece = waiting.shift();
          if (piece) {
            yield piece;
          } else if (over) {
            if (over.error) throw over.error;
            return;
          } else {
            running.resume();
            await new Promise<void>((resume) => {
              wake = resume;
            });
          }
        }
      } finally {
        signal.removeEventListener('abort', abort);
        running.cancel();
      }
    }
  });
}

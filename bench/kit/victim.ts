/** Runs one streamed request of a chaos run and names its outcome. */
import type { HttpClient, OutgoingRequest, ResponseHandler } from '../../src/http/client.ts';
import type { ResponseHead } from '../../src/http/response-parser.ts';
import { kindOf } from '../../src/load/loadtest/timed-request.ts';
import { ContentScan } from '../../src/serving/dialects/openai/content-scan.ts';

/** The acceptable outcomes come first; the others are the gateway's fault. */
export const OUTCOMES = [
  'full answer',
  'error event after the first token',
  'refusal with Retry-After',
  'connection lost with its worker',
  'client left',
  'error event before the first token',
  'refusal without Retry-After',
  'stream ended without an end or error',
  'connection lost, no worker killed',
  'no end in time',
] as const;

export type End = (typeof OUTCOMES)[number];
/** How many of the outcomes above are acceptable. */
export const ACCEPTABLE_OUTCOMES = 5;

export interface Ended {
  readonly end: End;
  /** Status or failure, for outcomes that need explaining. */
  readonly detail: string;
  readonly retryAfterMs: number;
}

const NOTICED_MS = 100;

export interface Fate {
  /** When the client disconnects; null if it stays. */
  readonly leaveAfterMs: number | null;
  readonly timeoutMs: number;
  /** Whether a worker died a moment ago. */
  workerJustKilled(): boolean;
  /** When a worker was last killed before this request began, in words. */
  sinceWorkerKill(): string;
}

export function runRequest(client: HttpClient, request: OutgoingRequest, fate: Fate): Promise<Ended> {
  return new Promise((resolve) => {
    const scan = new ContentScan();
    let head: ResponseHead | null = null;
    const over = (end: End, detail = ''): void => {
      clearTimeout(timer);
      resolve({ end, detail, retryAfterMs: 1000 * Number(head?.headers['retry-after'] ?? 0) });
    };
    const handler: ResponseHandler = {
      head: (one) => {
        head = one;
      },
      data: (payload) => {
        if (head?.status === 200) scan.feed(payload, 0, payload.length);
        return true;
      },
      end: () => over(...judged(head!, scan)),
      // A stopped worker's death is found a little later than the client feels it.
      fail: (error) =>
        void setTimeout(
          () =>
            over(
              fate.workerJustKilled()
                ? 'connection lost with its worker'
                : 'connection lost, no worker killed',
              `${kindOf(error)} ${scan.contents > 0 ? 'after' : 'before'} the first token`,
            ),
          NOTICED_MS,
        ),
    };
    const leaves = fate.leaveAfterMs !== null;
    const timer = setTimeout(() => {
      sent.cancel();
      over(
        leaves ? 'client left' : 'no end in time',
        leaves ? '' : `status ${head?.status ?? 'none'}, ${scan.contents} tokens; ${fate.sinceWorkerKill()}`,
      );
    }, fate.leaveAfterMs ?? fate.timeoutMs);
    const sent = client.request(request, handler);
  });
}

function judged({ status, headers }: ResponseHead, scan: ContentScan): [End, string] {
  if (status !== 200)
    return headers['retry-after'] !== undefined
      ? ['refusal with Retry-After', String(status)]
      : ['refusal without Retry-After', String(status)];
  if (scan.failed)
    return [
      scan.contents > 0 ? 'error event after the first token' : 'error event before the first token',
      '',
    ];
  return scan.done && !scan.malformed ? ['full answer', ''] : ['stream ended without an end or error', ''];
}

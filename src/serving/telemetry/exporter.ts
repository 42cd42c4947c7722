/**
 * Sends spans by OTLP over HTTP in JSON: in batches, within a bounded queue, and never in the way of a request. Where
 * the collector cannot be reached, spans are tried again and then dropped, and the log says so once a minute at most.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { describeError } from '../../core/errors.ts';
import { HttpClient } from '../../http/client.ts';
import { PulledResponse } from '../../http/pulled-response.ts';
import { SpanBatch } from './span-batch.ts';
import type { SpanTexts } from './spans.ts';

export interface ExporterOptions {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Attributes of what all spans come from. */
  readonly resource: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly everyMs: number;
  readonly mostQueued: number;
  readonly mostInBatch: number;
  log(line: string): void;
}

const TAIL = Buffer.from(']}]}]}');
/** A connection to the collector is kept from batch to batch. */
const UNUSED_MS = 60_000;
/** Bytes of an answer that are read: nobody looks at them. */
const MOST_ANSWER = 64 * 1024;
const TRIES = 3;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;
const TELL_EVERY_MS = 60_000;
/** Statuses after which a collector wants to be asked again (OTLP specification, "Failures"). */
const AGAIN = new Set([429, 502, 503, 504]);

export class SpanExporter {
  readonly #options: ExporterOptions;
  readonly #url: URL;
  /** The one that asks experts: its code is hot, where another's is compiled anew for every batch. */
  readonly #client: HttpClient;
  /** What stands before the spans in a body. */
  readonly #head: Buffer;
  /** The last is still being filled. */
  readonly #queue: SpanBatch[] = [];
  #queued = 0;
  #timer: NodeJS.Timeout | null = null;
  #sending: Promise<void> | null = null;
  #dropped = 0;
  #toldAt = Number.NEGATIVE_INFINITY;
  readonly #ending = new AbortController();

  constructor(options: ExporterOptions) {
    this.#options = options;
    const { timeoutMs } = options;
    this.#url = new URL(options.url);
    this.#client = new HttpClient(this.#url, {
      connect: timeoutMs,
      head: timeoutMs,
      idle: timeoutMs,
      unused: UNUSED_MS,
    });
    const attributes = Object.entries(options.resource).map(([key, value]) => ({
      key,
      value: { stringValue: value },
    }));
    const resource = JSON.stringify({ attributes });
    this.#head = Buffer.from(
      `{"resourceSpans":[{"resource":${resource},"scopeSpans":[{"scope":{"name":"expert-router"},"spans":[`,
    );
  }

  add(spans: SpanTexts): void {
    const { mostQueued, mostInBatch, everyMs } = this.#options;
    if (this.#queued + spans.count > mostQueued) {
      this.#dropped += spans.count;
      this.#tell('the queue is full');
      return;
    }
    this.#queued += spans.count;
    let batch = this.#queue.at(-1);
    if (!batch || batch.spans + spans.count > mostInBatch) {
      batch = new SpanBatch();
      this.#queue.push(batch);
    }
    batch.add(spans);
    if (this.#queue.length > 1 || batch.spans >= mostInBatch) void this.flush();
    else this.#timer ??= setTimeout(() => void this.flush(), everyMs).unref();
  }

  /** Sends what waits, one batch after another. Never rejects. */
  flush(): Promise<void> {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = null;
    });
    return this.#sending;
  }

  /** Sends the rest, in one try. */
  async close(): Promise<void> {
    this.#ending.abort();
    await this.flush();
    this.#client.close();
  }

  async #sendAll(): Promise<void> {
    while (this.#queue.length > 0) {
      const batch = this.#queue.shift()!;
      this.#queued -= batch.spans;
      const problem = await this.#sendPatiently(Buffer.concat([this.#head, batch.bytes, TAIL]));
      if (problem === null) continue;
      this.#dropped += batch.spans;
      this.#tell(problem);
    }
  }

  /** @returns why it did not arrive; null where it did */
  async #sendPatiently(body: Buffer): Promise<string | null> {
    let least = FIRST_PAUSE_MS;
    for (let tried = 1; ; tried++) {
      const { problem, again } = await this.#send(body);
      if (problem === null || !again || tried === TRIES || this.#ending.signal.aborted) return problem;
      const wait = Math.min(LONGEST_PAUSE_MS, Math.max(least, again === true ? 0 : again));
      await pause(wait, undefined, { signal: this.#ending.signal, ref: false }).catch(() => {});
      least *= 2;
    }
  }

  /** @returns `again`: whether to try again, or after how many milliseconds at the earliest */
  async #send(body: Buffer): Promise<{ problem: string | null; again: boolean | number }> {
    const { headers, timeoutMs } = this.#options;
    const { pathname, search } = this.#url;
    const request = {
      method: 'POST',
      path: pathname + search,
      headers: { ...headers, 'content-type': 'application/json' },
      body,
    } as const;
    try {
      const response = await PulledResponse.open(this.#client, request, AbortSignal.timeout(timeoutMs));
      const { status, headers: told } = response.head;
      await response.bytes(MOST_ANSWER);
      if (status >= 200 && status < 300) return { problem: null, again: false };
      const after = Number(told['retry-after'] ?? Number.NaN) * 1000;
      const again = AGAIN.has(status) && (Number.isFinite(after) ? after : true);
      return { problem: `it answered ${status}`, again };
    } catch (error) {
      return { problem: describeError(error), again: true };
    }
  }

  #tell(problem: string): void {
    const now = performance.now();
    if (now - this.#toldAt < TELL_EVERY_MS) return;
    this.#toldAt = now;
    this.#options.log(
      `Spans do not reach ${this.#url.origin} (${problem}); ${this.#dropped} are lost so far.`,
    );
  }
}

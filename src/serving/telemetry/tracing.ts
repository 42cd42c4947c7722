/** Spans for the requests that are to be traced: their ids while they run, and themselves when they have ended. */
import { randomFillSync } from 'node:crypto';
import type { SpanExporter } from './exporter.ts';
import { spansOf, type TracedRequest } from './spans.ts';
import { type Sampler, type TraceContext, traceContext } from './trace-context.ts';

export class Tracing {
  readonly #sampler: Sampler;
  readonly #exporter: SpanExporter;

  constructor(sampler: Sampler, exporter: SpanExporter) {
    this.#sampler = sampler;
    this.#exporter = exporter;
  }

  /** @param traceparent as the caller sent it @returns null for a request that is not traced */
  spans(
    traceparent: string | undefined,
    traceId: string,
  ): { readonly context: TraceContext; newSpanId(): string } | null {
    const context = traceContext(traceparent, traceId, { sampler: this.#sampler, newSpanId });
    return context && { context, newSpanId };
  }

  ended(request: TracedRequest): void {
    this.#exporter.add(spansOf(request, newSpanId));
  }

  /** Sends what is left. */
  close(): Promise<void> {
    return this.#exporter.close();
  }
}

const BYTES = 8;
/** Random bytes are had for so many ids at once: each time costs as much as a hundred of them. */
const pool = Buffer.alloc(BYTES * 256);
let used = pool.length;

function newSpanId(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += BYTES;
  const id = pool.toString('hex', used - BYTES, used);
  return id === NO_ID ? newSpanId() : id;
}

const NO_ID = '0'.repeat(2 * BYTES);

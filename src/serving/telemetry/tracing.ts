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

function newSpanId(): string {
  const id = randomFillSync(Buffer.allocUnsafe(BYTES)).toString('hex');
  return /^0*$/.test(id) ? newSpanId() : id;
}

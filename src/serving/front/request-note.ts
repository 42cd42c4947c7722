/** What is told of a request when it has ended: who asked, who answered and how it went. No word of prompt or answer. */
import { RouterError } from '../../core/errors.ts';
import type { Answerer } from '../gateway/attempts.ts';
import type { Routed } from '../gateway/router.ts';
import type { Usage } from '../reply/reply.ts';
import type { ClientResponse } from './exchange.ts';

export interface RequestNote {
  /** Epoch milliseconds at which it came. */
  readonly at: number;
  readonly traceId: string;
  readonly method: string;
  /** As in the table of routes, never as sent; null for one that is not there. */
  readonly path: string | null;
  /** Name of the API key; null where there are none, and for a key that is not known. */
  readonly key: string | null;
  /** Of the answer; null where the client left before it began. */
  readonly status: number | null;
  /** Whether all of the answer was handed to the client. */
  readonly whole: boolean;
  /** Code of the error that ended it; null for none. */
  readonly error: string | null;
  /** Id of the expert that answered, or told the error; null for none. */
  readonly expert: string | null;
  readonly replica: string | null;
  /** 0 where no expert was asked. */
  readonly tries: number;
  /** Why this expert was chosen first, as in `x-expert-router-reason`; null where nothing was chosen. */
  readonly reason: string | null;
  readonly cluster: number | null;
  /** As the expert reported them; null where it did not. */
  readonly promptTokens: number | null;
  readonly completionTokens: number | null;
  /** Milliseconds from the request's head to the first byte of content; null for none. */
  readonly firstMs: number | null;
  /** Milliseconds from its head to its end. */
  readonly totalMs: number;
}

interface Beginning {
  readonly at: number;
  readonly traceId: string;
  readonly method: string;
  /** Milliseconds that never run backwards. */
  now(): number;
}

/** The note while it is being written. */
export class OpenNote {
  path: string | null = null;
  key: string | null = null;
  readonly #beginning: Beginning;
  readonly #started: number;
  #error: string | null = null;
  #answerer: Answerer | null = null;
  #routed: Routed | null = null;
  #usage: Usage | 'unknown' = 'unknown';
  #firstMs: number | null = null;

  constructor(beginning: Beginning) {
    this.#beginning = beginning;
    this.#started = beginning.now();
  }

  routed(routed: Routed): void {
    this.#routed = routed;
  }

  served(by: Answerer): void {
    this.#answerer = by;
  }

  first(): void {
    this.#firstMs ??= this.#beginning.now() - this.#started;
  }

  used(usage: Usage | 'unknown'): void {
    this.#usage = usage;
  }

  /** An error of an expert's own has no code here. */
  failed(error: unknown): void {
    this.#error = error instanceof RouterError ? error.code : 'expert_error';
  }

  /** To be called once the response is closed. */
  ended(response: Pick<ClientResponse, 'headersSent' | 'statusCode' | 'writableFinished'>): RequestNote {
    const { at, traceId, method, now } = this.#beginning;
    const usage = this.#usage === 'unknown' ? null : this.#usage;
    return {
      at,
      traceId,
      method,
      path: this.path,
      key: this.key,
      status: response.headersSent ? response.statusCode : null,
      whole: response.writableFinished,
      error: this.#error,
      expert: this.#answerer?.expert ?? null,
      replica: this.#answerer?.replica ?? null,
      tries: this.#answerer?.tries ?? 0,
      reason: this.#routed?.decision.reason ?? null,
      cluster: this.#routed?.classification.cluster ?? null,
      promptTokens: usage?.inputTokens ?? null,
      completionTokens: usage?.outputTokens ?? null,
      firstMs: this.#firstMs,
      totalMs: now() - this.#started,
    };
  }
}

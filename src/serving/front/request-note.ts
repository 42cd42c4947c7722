/** What is told of a request while it runs and when it has ended: who asked, who answered, how it went, and no word of it. */
import { type Answerer, codeOf, type Journey, type TryStory } from '../gateway/attempts.ts';
import type { Routed } from '../gateway/router.ts';
import type { Usage } from '../reply/reply.ts';
import type { ClientResponse } from './exchange.ts';

export interface RequestNote {
  /** Counts the requests of this process. */
  readonly serial: number;
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
  /** Those that reached a replica, in order; of a request with many, the first. */
  readonly asked: readonly TriedReplica[];
  /** Why this expert was chosen first, as in `x-expert-router-reason`; null where nothing was chosen. */
  readonly reason: string | null;
  readonly cluster: number | null;
  /** As the expert reported them; null where it did not. */
  readonly promptTokens: number | null;
  /** Of the prompt, taken from the engine's cache. */
  readonly cachedTokens: number | null;
  readonly completionTokens: number | null;
  /** Milliseconds from the request's head to the choice, its body read; null where nothing was chosen. */
  readonly decidedMs: number | null;
  /** Milliseconds from the request's head to the first byte of content; null for none. */
  readonly firstMs: number | null;
  /** Milliseconds from its head to its end, or until now. */
  readonly totalMs: number;
}

/** Milliseconds from the request's head. */
export interface TriedReplica {
  readonly expert: string;
  readonly replica: string | null;
  readonly fromMs: number;
  /** Null while it is waited for, and for one that was given up. */
  readonly answeredMs: number | null;
  readonly failedMs: number | null;
  readonly error: string | null;
}

interface Beginning {
  readonly at: number;
  readonly traceId: string;
  readonly method: string;
  /** Milliseconds that never run backwards. */
  now(): number;
}

type OpenTry = { -readonly [K in keyof TriedReplica]: TriedReplica[K] };

/** A request has three tries, or six where it is hedged. */
const MOST_TOLD = 6;
const NO_HEADERS = {};
let requests = 0;

/** The note while it is being written. */
export class OpenNote implements Journey {
  readonly serial = ++requests;
  path: string | null = null;
  key: string | null = null;
  readonly #beginning: Beginning;
  readonly #started: number;
  readonly #asked: OpenTry[] = [];
  #error: string | null = null;
  #answerer: Answerer | null = null;
  #routed: Routed | null = null;
  #usage: Usage | 'unknown' = 'unknown';
  #decidedMs: number | null = null;
  #firstMs: number | null = null;

  constructor(beginning: Beginning) {
    this.#beginning = beginning;
    this.#started = beginning.now();
  }

  get traceId(): string {
    return this.#beginning.traceId;
  }

  routed(routed: Routed): void {
    this.#routed = routed;
    this.#decidedMs = this.#elapsed();
  }

  asked({ expert, replica }: Pick<Answerer, 'expert' | 'replica'>): TryStory {
    const one: OpenTry = {
      expert,
      replica,
      fromMs: this.#elapsed(),
      answeredMs: null,
      failedMs: null,
      error: null,
    };
    if (this.#asked.length < MOST_TOLD) this.#asked.push(one);
    return {
      headers: NO_HEADERS,
      answered: () => {
        one.answeredMs = this.#elapsed();
      },
      failed: (error) => {
        one.failedMs = this.#elapsed();
        one.error = error;
      },
    };
  }

  served(by: Answerer): void {
    this.#answerer = by;
  }

  first(): void {
    this.#firstMs ??= this.#elapsed();
  }

  used(usage: Usage | 'unknown'): void {
    this.#usage = usage;
  }

  /** An error of an expert's own has no code here. */
  failed(error: unknown): void {
    this.#error = codeOf(error);
  }

  /** To be called once the response is closed. */
  ended(response: ClientResponse): RequestNote {
    return {
      ...this.soFar(),
      status: response.headersSent ? response.statusCode : null,
      whole: response.writableFinished,
    };
  }

  /** Of a request that still runs. */
  soFar(): RequestNote {
    const { at, traceId, method } = this.#beginning;
    const usage = this.#usage === 'unknown' ? null : this.#usage;
    return {
      serial: this.serial,
      at,
      traceId,
      method,
      path: this.path,
      key: this.key,
      status: null,
      whole: false,
      error: this.#error,
      expert: this.#answerer?.expert ?? null,
      replica: this.#answerer?.replica ?? null,
      tries: this.#answerer?.tries ?? 0,
      asked: this.#asked.map((one) => ({ ...one })),
      reason: this.#routed?.decision.reason ?? null,
      cluster: this.#routed?.classification.cluster ?? null,
      promptTokens: usage?.inputTokens ?? null,
      cachedTokens: usage?.cachedTokens ?? null,
      completionTokens: usage?.outputTokens ?? null,
      decidedMs: this.#decidedMs,
      firstMs: this.#firstMs,
      totalMs: this.#elapsed(),
    };
  }

  #elapsed(): number {
    return this.#beginning.now() - this.#started;
  }
}

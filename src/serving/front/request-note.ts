/** What is told of a request while it runs and when it has ended: who asked, who answered, how it went, and no word of it. */
import { type Answerer, codeOf, type Journey, type TryStory } from '../gateway/attempts.ts';
import type { Routed } from '../gateway/router.ts';
import { gpuSecondsOf, gpuUsdOf, type Price, usdOf } from '../limits/price.ts';
import type { Usage } from '../reply/reply.ts';
import { type TraceContext, traceparentOf } from '../telemetry/trace-context.ts';
import type { ClientResponse } from './exchange.ts';

/** By expert; those without a price have none. */
export type Prices = ReadonlyMap<string, Price>;

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
  readonly clusterName: string | null;
  /** Chosen first, and what suits the prompt best whatever the load; null where nothing was chosen. */
  readonly chosen: string | null;
  readonly home: string | null;
  /** The expert that had the conversation cached; null at its beginning, and where nobody knows. */
  readonly livedAt: string | null;
  readonly confidence: number | null;
  readonly margin: number | null;
  /** Whether the prompt is unlike anything the router model knows. */
  readonly outside: boolean;
  /** Id of the client's dialect, and the model it asked for; null where the body was not read. */
  readonly dialect: string | null;
  readonly model: string | null;
  readonly stream: boolean;
  /** Its span; null where it is not traced. */
  readonly span: TraceContext | null;
  /** As the expert reported them; null where it did not. */
  readonly promptTokens: number | null;
  /** Of the prompt, taken from the engine's cache. */
  readonly cachedTokens: number | null;
  readonly completionTokens: number | null;
  /** GPU-seconds of all its tries, where experts have a price for them; null where none of them has. */
  readonly gpuSeconds: number | null;
  /** What it cost in US dollars; null where tokens or the expert's price are not known. */
  readonly usd: number | null;
  /** Milliseconds from the request's head to the choice, its body read; null where nothing was chosen. */
  readonly decidedMs: number | null;
  /** Milliseconds until a replica would be asked, as expected when the expert was chosen; null where nothing was. */
  readonly expectedMs: number | null;
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
  /** With which its server refused; null where it did not. */
  readonly status: number | null;
  /** Null where the request is not traced. */
  readonly spanId: string | null;
}

/** The spans of a request that is traced. */
export interface Spans {
  readonly context: TraceContext;
  /** 16 hex digits. */
  newSpanId(): string;
}

interface Asks {
  readonly dialect: { readonly id: string };
  readonly model: string;
  readonly stream: boolean;
}

interface Beginning {
  readonly at: number;
  readonly traceId: string;
  readonly method: string;
  /** Milliseconds that never run backwards. */
  now(): number;
  /** Null where it is not traced. */
  readonly spans: Spans | null;
  readonly prices: Prices;
}

/** A request has three tries, or six where it is hedged. */
const MOST_TOLD = 6;
let requests = 0;

/** One try while it is under way. */
class OpenTry implements TryStory {
  readonly headers: Readonly<Record<string, string>>;
  readonly #who: Pick<Answerer, 'expert' | 'replica'>;
  readonly #elapsed: () => number;
  readonly #fromMs: number;
  readonly #spanId: string | null;
  #answeredMs: number | null = null;
  #failedMs: number | null = null;
  #error: string | null = null;
  #status: number | null = null;

  /** @param elapsed milliseconds from the request's head */
  constructor(
    who: Pick<Answerer, 'expert' | 'replica'>,
    elapsed: () => number,
    traceId: string,
    spans: Spans | null,
  ) {
    this.#who = who;
    this.#elapsed = elapsed;
    this.#fromMs = elapsed();
    this.#spanId = spans?.newSpanId() ?? null;
    this.headers = this.#spanId === null ? NO_HEADERS : { traceparent: traceparentOf(traceId, this.#spanId) };
  }

  answered(): void {
    this.#answeredMs = this.#elapsed();
  }

  failed(error: string, status: number | null): void {
    this.#failedMs = this.#elapsed();
    this.#error = error;
    this.#status = status;
  }

  told(): TriedReplica {
    const { expert, replica } = this.#who;
    return {
      expert,
      replica,
      fromMs: this.#fromMs,
      answeredMs: this.#answeredMs,
      failedMs: this.#failedMs,
      error: this.#error,
      status: this.#status,
      spanId: this.#spanId,
    };
  }
}

function tokensOf(
  usage: Usage | 'unknown',
): Pick<RequestNote, 'promptTokens' | 'cachedTokens' | 'completionTokens'> {
  if (usage === 'unknown') return { promptTokens: null, cachedTokens: null, completionTokens: null };
  const { inputTokens, cachedTokens = null, outputTokens } = usage;
  return { promptTokens: inputTokens, cachedTokens, completionTokens: outputTokens };
}

const NO_HEADERS = {};
const NOT_ROUTED: Partial<Pick<Routed, 'decision' | 'classification'>> = {};

/** The note while it is being written. */
export class OpenNote implements Journey {
  readonly serial = ++requests;
  path: string | null = null;
  key: string | null = null;
  readonly #beginning: Beginning;
  readonly #started: number;
  readonly #asked: OpenTry[] = [];
  readonly #taken: { readonly expert: string; seconds(): number }[] = [];
  #error: string | null = null;
  #answerer: Answerer | null = null;
  #routed: Routed | null = null;
  #usage: Usage | 'unknown' = 'unknown';
  #asks: Asks | null = null;
  #expectedMs: number | null = null;
  #decidedMs: number | null = null;
  #firstMs: number | null = null;

  constructor(beginning: Beginning) {
    this.#beginning = beginning;
    this.#started = beginning.now();
  }

  get traceId(): string {
    return this.#beginning.traceId;
  }

  /** Its body was read. */
  read({ dialect, model, stream }: Asks): void {
    this.#asks = { dialect, model, stream };
  }

  /** @param expectedMs until a replica would be asked */
  routed(routed: Routed, expectedMs: number): void {
    this.#routed = routed;
    this.#expectedMs = expectedMs;
    this.#decidedMs = this.#elapsed();
  }

  asked(who: Pick<Answerer, 'expert' | 'replica'>, seconds: () => number): TryStory {
    const { traceId, spans, prices } = this.#beginning;
    if (prices.get(who.expert)?.per_gpu_hour !== undefined) this.#taken.push({ expert: who.expert, seconds });
    const one = new OpenTry(who, this.#elapsed, traceId, spans);
    if (this.#asked.length < MOST_TOLD) this.#asked.push(one);
    return one;
  }

  served(by: Answerer): void {
    this.#answerer = by;
  }

  /** What GPUs have cost so far, in US dollars. */
  get gpuUsd(): number {
    return this.#sumOf((seconds, price) => gpuUsdOf(gpuSecondsOf(seconds, price), price));
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
  ended(response: Pick<ClientResponse, 'headersSent' | 'statusCode' | 'writableFinished'>): RequestNote {
    return this.#told(response.headersSent ? response.statusCode : null, response.writableFinished);
  }

  /** Of a request that still runs. */
  soFar(): RequestNote {
    return this.#told(null, false);
  }

  #told(status: number | null, whole: boolean): RequestNote {
    const { at, traceId, method, spans } = this.#beginning;
    const { decision, classification } = this.#routed ?? NOT_ROUTED;
    const expert = this.#answerer?.expert ?? null;
    const tokens = tokensOf(this.#usage);
    return {
      serial: this.serial,
      at,
      traceId,
      method,
      path: this.path,
      key: this.key,
      status,
      whole,
      error: this.#error,
      expert,
      replica: this.#answerer?.replica ?? null,
      tries: this.#answerer?.tries ?? 0,
      asked: this.#asked.map((one) => one.told()),
      reason: decision?.reason ?? null,
      cluster: classification?.cluster ?? null,
      clusterName: classification?.name ?? null,
      chosen: decision?.expert ?? null,
      home: decision?.home ?? null,
      livedAt: decision?.livedAt ?? null,
      confidence: classification?.confidence ?? null,
      margin: classification?.margin ?? null,
      outside: classification?.outside ?? false,
      dialect: this.#asks?.dialect.id ?? null,
      model: this.#asks?.model ?? null,
      stream: this.#asks?.stream ?? false,
      span: spans?.context ?? null,
      promptTokens: tokens.promptTokens,
      cachedTokens: tokens.cachedTokens,
      completionTokens: tokens.completionTokens,
      gpuSeconds:
        this.#taken.length === 0 ? null : this.#sumOf((seconds, price) => gpuSecondsOf(seconds, price) ?? 0),
      usd: this.#usd(expert, tokens),
      decidedMs: this.#decidedMs,
      expectedMs: this.#expectedMs,
      firstMs: this.#firstMs,
      totalMs: this.#elapsed(),
    };
  }

  /** Over all tries at experts whose GPUs have a price. */
  #sumOf(part: (replicaSeconds: number, price: Price | undefined) => number): number {
    const { prices } = this.#beginning;
    return this.#taken.reduce((sum, { expert, seconds }) => sum + part(seconds(), prices.get(expert)), 0);
  }

  /** Null for what is not known. */
  #usd(expert: string | null, tokens: ReturnType<typeof tokensOf>): number | null {
    if (expert === null) return this.#taken.length === 0 ? null : this.gpuUsd;
    const forTokens = usdOf(tokens, this.#beginning.prices.get(expert));
    return forTokens === null ? null : forTokens + this.gpuUsd;
  }

  readonly #elapsed = (): number => this.#beginning.now() - this.#started;
}

/** One request from its intended start to its end: times its tokens and judges its answer. */
import type { Exchange, HttpClient, OutgoingRequest, ResponseHandler, WireError } from '../../http/client.ts';
import type { ResponseHead } from '../../http/response-parser.ts';
import { ContentScan, completionTokens } from '../../serving/dialects/openai/content-scan.ts';
import type { Measures } from './measures.ts';

export interface Window {
  readonly from: number;
  readonly to: number;
}

export interface TimedRequestContext {
  readonly client: HttpClient;
  readonly measures: Measures;
  readonly now: () => number;
  readonly stream: boolean;
  /** Tokens that arrive within it count towards throughput. */
  readonly window: Window;
  /** Called once when the request has ended by itself, with the backoff after an error (else 0). */
  ended(request: TimedRequest, backOffMs: number): void;
}

/** Bytes of a body that are kept to read its usage from. */
const MAX_KEPT = 4 * 1024 * 1024;
/** Backoff after an error, which also keeps a broken target from a retry storm. */
const BACK_OFF_MS = 1000;
const MAX_BACK_OFF_MS = 10_000;

export class TimedRequest implements ResponseHandler {
  readonly #context: TimedRequestContext;
  /** Intended start: every latency counts from here, even if the request was delayed. */
  readonly intended: number;
  readonly #scan: ContentScan | null;
  #exchange: Exchange | null = null;
  #head: ResponseHead | null = null;
  #body: Buffer[] = [];
  #bodySize = 0;
  #firstAt = 0;
  #lastAt = 0;
  #inWindow = 0;
  #over = false;

  constructor(context: TimedRequestContext, intended: number) {
    this.#context = context;
    this.intended = intended;
    this.#scan = context.stream ? new ContentScan() : null;
  }

  start(request: OutgoingRequest): void {
    this.#context.measures.begin(this.#context.now() - this.intended);
    this.#exchange = this.#context.client.request(request, this);
  }

  /** Cancels it: `timeout` counts as an error, `interrupted` does not. */
  giveUp(kind: 'timeout' | 'interrupted'): void {
    if (this.#over) return;
    this.#exchange?.cancel();
    if (kind === 'timeout') this.#fail(kind);
    else {
      this.#over = true;
      this.#context.measures.interrupt(this.#contents, this.#inWindow);
    }
  }

  head(head: ResponseHead): void {
    this.#head = head;
  }

  /** Bodies are read in place: with thousands of streams, copying would cost too much. */
  borrow(bytes: Buffer, from: number, to: number): void {
    if (!this.#scan || this.#head?.status !== 200) {
      this.#bodySize += to - from;
      if (this.#bodySize <= MAX_KEPT) this.#body.push(Buffer.from(bytes.subarray(from, to)));
      return;
    }
    const contents = this.#scan.feed(bytes, from, to);
    if (contents > 0) this.#received(contents);
  }

  data(payload: Buffer): boolean {
    this.borrow(payload, 0, payload.length);
    return true;
  }

  end(surplus: boolean): void {
    if (this.#over) return;
    const problem = this.#problem(surplus);
    if (problem) this.#fail(problem);
    else this.#succeed();
  }

  fail(error: WireError): void {
    if (!this.#over) this.#fail(kindOf(error));
  }

  get #contents(): number {
    return this.#scan?.contents ?? 0;
  }

  #received(contents: number): void {
    const { now, measures, window } = this.#context;
    const at = now();
    if (this.#firstAt === 0) this.#firstAt = at;
    else measures.betweenTokens(at - this.#lastAt);
    for (let more = 1; more < contents; more += 1) measures.betweenTokens(0);
    this.#lastAt = at;
    if (at >= window.from && at < window.to) this.#inWindow += contents;
  }

  /** What is wrong with the answer, or null. */
  #problem(surplus: boolean): string | null {
    const { status, headers } = this.#head!;
    if (status !== 200) return `http_${status}`;
    if (surplus) return 'wrong_length';
    const wanted = this.#scan ? 'text/event-stream' : 'application/json';
    if (!headers['content-type']?.startsWith(wanted)) return 'wrong_content_type';
    if (!this.#scan) return isJson(this.#text()) ? null : 'malformed';
    if (this.#scan.failed) return 'error_event';
    if (this.#scan.malformed) return 'malformed';
    return this.#scan.done ? null : 'no_done';
  }

  #succeed(): void {
    this.#over = true;
    const { measures, now, window } = this.#context;
    const end = now();
    const reported = this.#scan ? this.#scan.reportedTokens : completionTokens(this.#text());
    const tokens = reported ?? this.#contents;
    const whole = !this.#scan && end >= window.from && end < window.to ? tokens : 0;
    measures.succeed({
      expert: this.#head!.headers['x-expert-router-expert'] ?? 'unnamed',
      tokens,
      tokensReported: reported !== null,
      // Pieces may hold several tokens; each counts for an equal share.
      tokensInWindow: this.#contents > 0 ? (tokens * this.#inWindow) / this.#contents : whole,
      firstTokenMs: this.#firstAt > 0 ? this.#firstAt - this.intended : null,
      perTokenMs: this.#firstAt > 0 && tokens > 1 ? (this.#lastAt - this.#firstAt) / (tokens - 1) : null,
      endToEndMs: end - this.intended,
    });
    this.#context.ended(this, 0);
  }

  #fail(kind: string): void {
    this.#over = true;
    this.#context.measures.fail(kind, this.#contents, this.#inWindow);
    const retryAfter = Number(this.#head?.headers['retry-after'] ?? 0) * 1000;
    const wait = Math.min(MAX_BACK_OFF_MS, Math.max(BACK_OFF_MS, retryAfter || 0));
    this.#context.ended(this, wait);
  }

  #text(): string {
    return Buffer.concat(this.#body).toString();
  }
}

/** The report's name for a failure below HTTP. */
export function kindOf({ failure, cause }: WireError): string {
  if (failure === 'garbled') return 'not_http';
  const code = (cause as NodeJS.ErrnoException | undefined)?.code;
  if (code === 'ECONNREFUSED') return 'refused';
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'reset';
  return code === undefined ? 'cut' : 'connect_failed';
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

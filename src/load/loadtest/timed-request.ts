/** One request from the moment it was meant to leave until its end: times its tokens and judges its answer. */
import type { Exchange, HttpClient, OutgoingRequest, ResponseHandler, WireError } from '../../http/client.ts';
import type { ResponseHead } from '../../http/response-parser.ts';
import type { Measures } from './measures.ts';
import { completionTokens, StreamScan } from './stream-scan.ts';

export interface Window {
  readonly from: number;
  readonly to: number;
}

export interface AskingContext {
  readonly client: HttpClient;
  readonly measures: Measures;
  readonly now: () => number;
  readonly stream: boolean;
  /** Tokens count towards throughput while the clock is within. */
  readonly window: Window;
  /** Called once when the request has ended by itself; after an error, with how long to wait. */
  ended(asking: Asking, backOffMs: number): void;
}

/** Longer bodies than this are not kept to look for usage in. */
const MAX_KEPT = 4 * 1024 * 1024;
/** A user who met an error tries again after so long, as people do; also what keeps a broken target from a storm. */
const BACK_OFF_MS = 1000;
const MAX_BACK_OFF_MS = 10_000;

export class Asking implements ResponseHandler {
  readonly #context: AskingContext;
  /** When it was meant to leave: every latency counts from here, whatever kept it. */
  readonly intended: number;
  readonly #scan: StreamScan | null;
  #exchange: Exchange | null = null;
  #head: ResponseHead | null = null;
  #body: Buffer[] = [];
  #bodySize = 0;
  #firstAt = 0;
  #lastAt = 0;
  #inWindow = 0;
  #over = false;

  constructor(context: AskingContext, intended: number) {
    this.#context = context;
    this.intended = intended;
    this.#scan = context.stream ? new StreamScan() : null;
  }

  start(request: OutgoingRequest): void {
    this.#context.measures.begin(this.#context.now() - this.intended);
    this.#exchange = this.#context.client.request(request, this);
  }

  /** Ends it from this side: as an error of the given kind, or as nobody's. */
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

  /** Bodies are looked at where they were read: thousands of streams leave no time to copy them. */
  borrow(bytes: Buffer, from: number, to: number): void {
    if (!this.#scan || this.#head?.status !== 200) {
      this.#bodySize += to - from;
      if (this.#bodySize <= MAX_KEPT) this.#body.push(Buffer.from(bytes.subarray(from, to)));
      return;
    }
    const contents = this.#scan.feed(bytes, from, to);
    if (contents > 0) this.#spoke(contents);
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

  #spoke(contents: number): void {
    const { now, measures, window } = this.#context;
    const at = now();
    if (this.#firstAt === 0) this.#firstAt = at;
    else measures.betweenTokens(at - this.#lastAt);
    for (let more = 1; more < contents; more += 1) measures.betweenTokens(0);
    this.#lastAt = at;
    if (at >= window.from && at < window.to) this.#inWindow += contents;
  }

  /** Why this is no good answer, or null. */
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
      // Pieces may hold several tokens; each stands for its share of the count.
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

/** How a request failed below HTTP, as reports name it. */
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

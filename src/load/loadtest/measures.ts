/** The figures of one stage, summed up as requests end: percentiles, tokens, errors by kind, shares. */
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';

export interface Percentiles {
  readonly p50: number;
  readonly p90: number;
  readonly p95: number;
  readonly p99: number;
  readonly p999: number;
  readonly mean: number;
  readonly max: number;
}

/** One request with a complete answer. Times in milliseconds. */
export interface Success {
  readonly expert: string;
  readonly tokens: number;
  readonly tokensReported: boolean;
  /** Tokens that arrived within the measured window. */
  readonly tokensInWindow: number;
  /** Null when the answer was not streamed. */
  readonly firstTokenMs: number | null;
  /** Mean time per token after the first; null below two tokens. */
  readonly perTokenMs: number | null;
  readonly endToEndMs: number;
}

export interface ExpertShare {
  readonly id: string;
  readonly requests: number;
  readonly share: number;
  readonly tokens_per_second: number;
}

/** An hour, in microseconds: longer than any request may last. */
const LONGEST = 3_600_000_000;

export class Measures {
  readonly #firstToken = micros();
  readonly #perToken = micros();
  readonly #betweenTokens = micros();
  readonly #endToEnd = micros();
  readonly #startLag = micros();
  readonly #errors = new Map<string, number>();
  readonly #experts = new Map<string, { requests: number; tokens: number }>();
  begun = 0;
  succeeded = 0;
  failed = 0;
  /** Cut off by the end of the test, which is not an error. */
  interrupted = 0;
  tokens = 0;
  tokensInWindow = 0;
  reported = 0;

  /** Records a request sent `lagMs` after its intended start. */
  begin(lagMs: number): void {
    this.begun += 1;
    record(this.#startLag, lagMs);
  }

  succeed(success: Success): void {
    this.succeeded += 1;
    this.#count(success.tokens, success.tokensInWindow);
    if (success.tokensReported) this.reported += 1;
    if (success.firstTokenMs !== null) record(this.#firstToken, success.firstTokenMs);
    if (success.perTokenMs !== null) record(this.#perToken, success.perTokenMs);
    record(this.#endToEnd, success.endToEndMs);
    const expert = this.#experts.get(success.expert) ?? { requests: 0, tokens: 0 };
    expert.requests += 1;
    expert.tokens += success.tokensInWindow;
    this.#experts.set(success.expert, expert);
  }

  /** Tokens that came before the failure still count. */
  fail(kind: string, tokens: number, tokensInWindow: number): void {
    this.failed += 1;
    this.#errors.set(kind, (this.#errors.get(kind) ?? 0) + 1);
    this.#count(tokens, tokensInWindow);
  }

  interrupt(tokens: number, tokensInWindow: number): void {
    this.interrupted += 1;
    this.#count(tokens, tokensInWindow);
  }

  betweenTokens(ms: number): void {
    record(this.#betweenTokens, ms);
  }

  firstTokenP50(): number {
    return this.#firstToken.count > 0 ? this.#firstToken.percentile(50) / 1000 : 0;
  }

  /** Per expert, the busiest first; `seconds` is the measured time. */
  experts(seconds: number): readonly ExpertShare[] {
    return [...this.#experts]
      .map(([id, { requests, tokens }]) => ({
        id,
        requests,
        share: requests / this.succeeded,
        tokens_per_second: tokens / seconds,
      }))
      .sort((a, b) => b.requests - a.requests);
  }

  errorsByKind(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#errors].sort(([, a], [, b]) => b - a));
  }

  percentiles(): Readonly<Record<'ttft_ms' | 'tpot_ms' | 'itl_ms' | 'e2e_ms' | 'start_lag_ms', Percentiles>> {
    return {
      ttft_ms: summary(this.#firstToken),
      tpot_ms: summary(this.#perToken),
      itl_ms: summary(this.#betweenTokens),
      e2e_ms: summary(this.#endToEnd),
      start_lag_ms: summary(this.#startLag),
    };
  }

  #count(tokens: number, inWindow: number): void {
    this.tokens += tokens;
    this.tokensInWindow += inWindow;
  }
}

function micros(): RecordableHistogram {
  return createHistogram({ lowest: 1, highest: LONGEST, figures: 3 });
}

function record(histogram: RecordableHistogram, ms: number): void {
  histogram.record(Math.min(LONGEST, Math.max(1, Math.round(ms * 1000))));
}

/** Milliseconds; zeros where nothing was recorded. */
function summary(histogram: RecordableHistogram): Percentiles {
  if (histogram.count === 0) return { p50: 0, p90: 0, p95: 0, p99: 0, p999: 0, mean: 0, max: 0 };
  const ms = (value: number): number => Math.round(value) / 1000;
  return {
    p50: ms(histogram.percentile(50)),
    p90: ms(histogram.percentile(90)),
    p95: ms(histogram.percentile(95)),
    p99: ms(histogram.percentile(99)),
    p999: ms(histogram.percentile(99.9)),
    mean: ms(histogram.mean),
    max: ms(histogram.max),
  };
}

/**
 * Two tries at once for a stream that is slow to start: after a delay a second expert begins, the first to answer
 * wins, and the other is cancelled.
 */
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import type { Generation, Outcome } from '../experts/expert.ts';
import { type Failure, isRetryable } from '../reply/failure.ts';
import type { Answerer, AttemptSink } from './attempts.ts';

export interface HedgeOptions {
  /** Milliseconds without a first byte until the second begins. */
  readonly delayMs: number;
  /** Whether a second is affordable; it is spent by asking. */
  mayHedge(): boolean;
  /** One sequence of tries, at experts that the other has not been to. */
  run(sink: AttemptSink): Generation;
}

export class Hedge implements Generation {
  readonly #sink: AttemptSink;
  readonly #timer: NodeJS.Timeout;
  #runners: Generation[] = [];
  #running = 1;
  #winner: number | null = null;
  #over = false;

  constructor(options: HedgeOptions, sink: AttemptSink) {
    this.#sink = sink;
    this.#timer = setTimeout(() => {
      if (this.#winner !== null || this.#over || !options.mayHedge()) return;
      this.#running += 1;
      this.#runners[1] = options.run(this.#lane(1));
    }, options.delayMs);
    this.#runners[0] = options.run(this.#lane(0));
  }

  resume(): void {
    if (this.#winner !== null) this.#runners[this.#winner]?.resume();
  }

  cancel(): void {
    this.#end();
    for (const runner of this.#runners) runner?.cancel();
  }

  /** One runner's way to the sink: open to the winner alone. */
  #lane(own: number): AttemptSink {
    const mine = (): boolean => this.#winner === own && !this.#over;
    return {
      served: (by) => {
        if (this.#winner !== null || this.#over) return;
        this.#winner = own;
        clearTimeout(this.#timer);
        this.#runners[1 - own]?.cancel();
        this.#sink.served({ ...by, tries: by.tries + own });
      },
      waiting: () => {
        if ((this.#winner ?? 0) === own && !this.#over) this.#sink.waiting();
      },
      head: (status, headers) => mine() && this.#sink.head(status, headers),
      data: (chunk) => !mine() || this.#sink.data(chunk),
      end: (outcome: Outcome) => {
        if (!mine()) return;
        this.#end();
        this.#sink.end(outcome);
      },
      fail: (failure, by) => this.#failed(own, failure, by && { ...by, tries: by.tries + own }),
    };
  }

  /** A failure counts when it is the winner's or the request's own, or when nobody is left who could win. */
  #failed(own: number, failure: Failure, by: Answerer | null): void {
    this.#running -= 1;
    const last = this.#running === 0 || (by !== null && !isRetryable(failure));
    if (this.#over || !(this.#winner === own || (this.#winner === null && last))) return;
    this.#end();
    this.#runners[1 - own]?.cancel();
    this.#sink.fail(failure, by);
  }

  #end(): void {
    this.#over = true;
    clearTimeout(this.#timer);
  }
}

/** Fewer answers than this say nothing of a 95th percentile. */
const LEAST_ANSWERS = 20;
/** After this many the old ones are forgotten, so that the figure follows the expert. */
const MOST_ANSWERS = 2_000;

/** The 95th percentile of each expert's time to first byte, in milliseconds. */
export class FirstByteTimes {
  readonly #times = new Map<string, RecordableHistogram>();

  record(expert: string, milliseconds: number): void {
    let times = this.#times.get(expert);
    if (!times || times.count >= MOST_ANSWERS) {
      times = createHistogram();
      this.#times.set(expert, times);
    }
    times.record(Math.max(1, Math.round(milliseconds)));
  }

  /** Null while too little is known. */
  p95(expert: string): number | null {
    const times = this.#times.get(expert);
    return times && times.count >= LEAST_ANSWERS ? times.percentile(95) : null;
  }
}

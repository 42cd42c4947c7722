/**
 * A question to several workers that all must affirm: it ends when each has answered or is gone. Pure bookkeeping;
 * messages and clocks are somebody else's.
 */

type Worker = number;

export class Agreement {
  readonly #waiting: Set<Worker>;
  #settle!: (problem: string | null) => void;

  /** Null when all affirmed, else the first problem. */
  readonly verdict: Promise<string | null>;

  constructor(workers: readonly Worker[]) {
    this.#waiting = new Set(workers);
    this.verdict = new Promise((resolve) => {
      this.#settle = resolve;
    });
    if (workers.length === 0) this.#settle(null);
  }

  /** @param problem null to affirm */
  answered(worker: Worker, problem: string | null): void {
    if (problem !== null) this.#settle(problem);
    else this.gone(worker);
  }

  /** A worker that is no more has no say; whoever takes its place begins with what was agreed on. */
  gone(worker: Worker): void {
    this.#waiting.delete(worker);
    if (this.#waiting.size === 0) this.#settle(null);
  }

  /** Ends it in favour of nothing. */
  fail(problem: string): void {
    this.#settle(problem);
  }
}

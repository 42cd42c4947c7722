/** The metrics page of all workers, whole or not at all: each is asked for its own, and what they say is added up. */
import { AggregatorRegistry } from 'prom-client';

type Worker = number;

interface Round {
  readonly waiting: Set<Worker>;
  readonly told: object[];
  /** Null where a worker did not answer in time. */
  end(page: Promise<string> | null): void;
}

/** Longest wait for a worker's answer. */
const ANSWER_MS = 2_000;

export class MetricsRounds {
  readonly #rounds = new Map<number, Round>();
  #next = 0;

  /**
   * @param ask asks a worker for its own metrics in the round of this id
   * @returns the page; null where a worker did not answer in time
   */
  collect(workers: readonly Worker[], ask: (worker: Worker, id: number) => void): Promise<string | null> {
    const id = this.#next++;
    return new Promise((resolve) => {
      const timer = setTimeout(() => round.end(null), ANSWER_MS);
      const round: Round = {
        waiting: new Set(workers),
        told: [],
        end: (page) => {
          clearTimeout(timer);
          this.#rounds.delete(id);
          resolve(page);
        },
      };
      this.#rounds.set(id, round);
      for (const worker of workers) ask(worker, id);
      this.#settle(round);
    });
  }

  /** @param metrics as `registry.getMetricsAsJSON()` gives them */
  told(worker: Worker, id: number, metrics: readonly object[]): void {
    const round = this.#rounds.get(id);
    if (!round?.waiting.delete(worker)) return;
    round.told.push(metrics);
    this.#settle(round);
  }

  /** A worker that has ended took its counts with it: the others' page is whole. */
  gone(worker: Worker): void {
    for (const round of this.#rounds.values()) if (round.waiting.delete(worker)) this.#settle(round);
  }

  #settle(round: Round): void {
    if (round.waiting.size === 0) round.end(AggregatorRegistry.aggregate(round.told).metrics());
  }
}

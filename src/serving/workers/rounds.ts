/** What all workers say, whole or not at all: each is asked for its own, and what they tell is put together. */

type Worker = number;

interface Round<Own, All> {
  readonly waiting: Set<Worker>;
  readonly told: Own[];
  /** Null where a worker did not answer in time. */
  end(all: All | Promise<All> | null): void;
}

/** Longest wait for a worker's answer. */
const ANSWER_MS = 2_000;

export class Rounds<Own, All> {
  readonly #together: (told: readonly Own[]) => All | Promise<All>;
  readonly #rounds = new Map<number, Round<Own, All>>();
  #next = 0;

  constructor(together: (told: readonly Own[]) => All | Promise<All>) {
    this.#together = together;
  }

  /**
   * @param ask asks a worker for its own in the round of this id
   * @returns null where a worker did not answer in time
   */
  collect(workers: readonly Worker[], ask: (worker: Worker, id: number) => void): Promise<All | null> {
    const id = this.#next++;
    return new Promise((resolve) => {
      const timer = setTimeout(() => round.end(null), ANSWER_MS);
      const round: Round<Own, All> = {
        waiting: new Set(workers),
        told: [],
        end: (all) => {
          clearTimeout(timer);
          this.#rounds.delete(id);
          resolve(all);
        },
      };
      this.#rounds.set(id, round);
      for (const worker of workers) ask(worker, id);
      this.#settle(round);
    });
  }

  /** Whether what this worker tells in this round will count. */
  awaits(worker: Worker, id: number): boolean {
    return this.#rounds.get(id)?.waiting.has(worker) ?? false;
  }

  told(worker: Worker, id: number, own: Own): void {
    const round = this.#rounds.get(id);
    if (!round?.waiting.delete(worker)) return;
    round.told.push(own);
    this.#settle(round);
  }

  /** A worker that has ended took what it knew with it: the others' is whole. */
  gone(worker: Worker): void {
    for (const round of this.#rounds.values()) if (round.waiting.delete(worker)) this.#settle(round);
  }

  #settle(round: Round<Own, All>): void {
    if (round.waiting.size === 0) round.end(this.#together(round.told));
  }
}

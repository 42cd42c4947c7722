/**
 * A timer wheel: many deadlines on one coarse clock. Tasks are in buckets one tick wide, and `advance` runs the due
 * ones.
 */

/** Something to run at a given time. It is its own entry, so that rescheduling allocates nothing. */
export interface Task {
  /** When, in the driver's milliseconds. Set by `schedule`. */
  due: number;
  /** A cancelled task; it is dropped when its bucket is due. */
  dead: boolean;
  run(now: number): void;
}

export class TimerWheel {
  readonly #tickMs: number;
  readonly #buckets: Task[][];
  /** The last tick whose bucket has been run. */
  #tick: number;

  constructor(now: number, tickMs = 5, buckets = 1024) {
    this.#tickMs = tickMs;
    this.#buckets = Array.from({ length: buckets }, () => []);
    this.#tick = Math.floor(now / tickMs);
  }

  /** Runs the task at the first tick that does not come before `due`; a past `due` means the next tick. */
  schedule(task: Task, due: number): void {
    task.due = due;
    const tick = Math.max(Math.ceil(due / this.#tickMs), this.#tick + 1);
    this.#buckets[tick % this.#buckets.length]!.push(task);
  }

  /** Runs everything due up to `now`. A task may schedule itself or others. */
  advance(now: number): void {
    const upTo = Math.floor(now / this.#tickMs);
    while (this.#tick < upTo) {
      this.#tick += 1;
      const at = this.#tick % this.#buckets.length;
      const tasks = this.#buckets[at]!;
      if (tasks.length === 0) continue;
      this.#buckets[at] = [];
      this.#run(tasks, now);
    }
  }

  #run(tasks: readonly Task[], now: number): void {
    const end = this.#tick * this.#tickMs;
    for (const task of tasks) {
      if (task.dead) continue;
      // Far deadlines share a bucket with near ones; they wait another round.
      if (task.due > end) this.schedule(task, task.due);
      else task.run(now);
    }
  }
}

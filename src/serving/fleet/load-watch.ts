/**
 * Polls the engines of a fleet for their load: one request in flight per replica, jittered, with exponential backoff while
 * none is answered. The group interprets the answers.
 */
import type { ExpertGroup } from './group.ts';
import { readReport } from './load-report.ts';
import type { Replica } from './replica.ts';

/** How often one process polls an engine, with a jitter of up to a quarter. */
const EVERY_MS = 1_000;
/** The backoff's limit, for engines that do not answer. */
const AT_LEAST_EVERY_MS = 30_000;
const TIMEOUT_MS = 2_000;
/**
 * Processes that may ask an engine once a second each. Every process reads for itself, so that no reading depends on
 * another process's life; where there are more, each asks less often, and no engine is asked more for it.
 */
const READERS = 4;

export interface WatchOptions {
  /** The clock of the replicas, in milliseconds. */
  readonly now: () => number;
  /** How many processes share the replicas. */
  readonly processes: number;
  /** Uniform in [0, 1), for the jitter. */
  readonly random: () => number;
}

export class LoadWatch {
  readonly #options: WatchOptions;
  readonly #every: number;
  readonly #timers = new Set<NodeJS.Timeout>();
  #closed = false;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#every = EVERY_MS * Math.max(1, options.processes / READERS);
  }

  /** From now on; nothing where the replica's kind never reports. */
  watch(group: ExpertGroup, replica: Replica): void {
    if (!replica.expert.reportedLoad) return;
    // The first reading soon, and not from every process at once.
    this.#later(this.#options.random() * this.#every, () => this.#keepReading(group, replica, this.#every));
  }

  close(): void {
    this.#closed = true;
    for (const timer of this.#timers) clearTimeout(timer);
  }

  /** @param pause milliseconds before this reading */
  async #keepReading(group: ExpertGroup, replica: Replica, pause: number): Promise<void> {
    if (!group.replicas.includes(replica)) return; // it has left
    const every = this.#every;
    // An unreachable engine has no load. Once it is back it is polled at once: it may be another engine.
    if (replica.health.state === 'down') replica.engine = null;
    const told = replica.health.state !== 'down' && (await this.#read(group, replica));
    const slower = replica.health.state === 'down' ? every : Math.min(2 * pause, AT_LEAST_EVERY_MS);
    const next = told ? every : slower;
    this.#later(next, () => this.#keepReading(group, replica, next));
  }

  async #read(group: ExpertGroup, replica: Replica): Promise<boolean> {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const { now } = this.#options;
    const report = await readReport(replica, replica.report, { every: this.#every, now, signal });
    group.heard(replica, report);
    const told = report.seen !== null && report.problem === null;
    if (!told) replica.engine = null;
    else replica.engine ??= (await replica.expert.describe?.(signal).catch(() => null)) ?? null;
    return told;
  }

  #later(milliseconds: number, act: () => Promise<void>): void {
    if (this.#closed) return;
    const timer = setTimeout(
      () => {
        this.#timers.delete(timer);
        void act();
      },
      milliseconds * (1 + this.#options.random() / 4),
    );
    timer.unref();
    this.#timers.add(timer);
  }
}

/**
 * Every expert with its replicas, asked for health and load in the background. It chooses nothing; it knows what runs.
 */
import { describeError } from '../core/errors.ts';
import type { Health } from '../experts/expert.ts';
import type { LoadSnapshot } from '../routing/policy.ts';
import type { ExpertGroup } from './group.ts';
import { readReport } from './load-report.ts';
import type { Replica } from './replica.ts';

/** Each replica is asked this often, spread by up to a quarter so that gateways do not ask in step. */
const PROBE_EVERY_MS = 5_000;
const PROBE_TIMEOUT_MS = 2_000;
/** How often an engine is asked for its load by one process, spread by up to a quarter. */
const LOAD_EVERY_MS = 1_000;
/** Who does not tell, or cannot be asked, is asked ever more seldom, down to this. */
const LOAD_AT_LEAST_EVERY_MS = 30_000;
/**
 * Processes that may ask an engine once a second each. Every process reads for itself, so that no reading depends on
 * another process's life; where there are more, each asks less often, and no engine is asked more for it.
 */
const LOAD_READERS = 4;

export class Fleet {
  readonly groups: ReadonlyMap<string, ExpertGroup>;
  readonly #random: () => number;
  readonly #now: () => number;
  readonly #loadEvery: number;
  readonly #timers = new Set<NodeJS.Timeout>();
  #closed = false;

  /**
   * @param random uniform in [0, 1), for the jitter of questions
   * @param options.now the clock of its replicas @param options.processes how many share its experts
   */
  constructor(
    groups: readonly ExpertGroup[],
    random: () => number,
    options: { now: () => number; processes: number },
  ) {
    this.groups = new Map(groups.map((group) => [group.id, group]));
    this.#random = random;
    this.#now = options.now;
    this.#loadEvery = LOAD_EVERY_MS * Math.max(1, options.processes / LOAD_READERS);
  }

  /** One snapshot an expert, in the order of the config. */
  loads(): readonly LoadSnapshot[] {
    return Array.from(this.groups.values(), (group) => group.load());
  }

  /** There may be room again: lets in who waits. */
  letIn(): void {
    for (const group of this.groups.values()) group.letIn();
  }

  /** What this process holds, by replica (`expert/index`), and who waits, by expert. */
  ownLoads(): { replicas: Record<string, [number, number]>; queued: Record<string, number> } {
    const replicas: Record<string, [number, number]> = {};
    const queued: Record<string, number> = {};
    for (const [expert, group] of this.groups) {
      queued[expert] = group.queued;
      group.replicas.forEach((replica, index) => {
        replicas[`${expert}/${index}`] = [replica.own.inFlight, replica.own.outstandingTokens];
      });
    }
    return { replicas, queued };
  }

  /** The same of all other processes together. */
  hearElsewhere(loads: {
    readonly replicas: Readonly<Record<string, readonly [number, number]>>;
    readonly queued: Readonly<Record<string, number>>;
  }): void {
    for (const [expert, group] of this.groups) {
      group.queuedElsewhere = loads.queued[expert] ?? 0;
      group.replicas.forEach((replica, index) => {
        const [inFlight, outstandingTokens] = loads.replicas[`${expert}/${index}`] ?? [0, 0];
        replica.elsewhere = { inFlight, outstandingTokens };
      });
    }
  }

  /** Asks all replicas from now on. */
  watch(): void {
    for (const group of this.groups.values()) {
      for (const replica of group.replicas) {
        this.#later(PROBE_EVERY_MS, () => this.#keepProbing(group, replica));
        // The first reading soon, and not from every process at once.
        if (replica.expert.reportedLoad)
          this.#later(this.#random() * this.#loadEvery, () =>
            this.#keepReading(group, replica, this.#loadEvery),
          );
      }
    }
  }

  /** Asks every replica at once; the answers are kept too. */
  async check(): Promise<ReadonlyMap<string, Health>> {
    const states = [...this.groups.values()].map(async (group): Promise<[string, Health]> => {
      const found = await Promise.all(group.replicas.map((replica) => probe(group, replica)));
      return [group.id, found.find((health) => health.state === 'ready') ?? found[0]!];
    });
    return new Map(await Promise.all(states));
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    const replicas = [...this.groups.values()].flatMap((group) => group.replicas);
    await Promise.all(replicas.map((replica) => replica.expert.close()));
  }

  async #keepProbing(group: ExpertGroup, replica: Replica): Promise<void> {
    await probe(group, replica);
    this.#later(PROBE_EVERY_MS, () => this.#keepProbing(group, replica));
  }

  /** One question at a time a replica: the next is put only after an answer, or its end. @param pause before the next */
  async #keepReading(group: ExpertGroup, replica: Replica, pause: number): Promise<void> {
    const every = this.#loadEvery;
    const signal = AbortSignal.timeout(PROBE_TIMEOUT_MS);
    const report = await readReport(replica, replica.report, { every, now: this.#now, signal });
    group.heard(replica, report);
    const told = report.seen !== null && report.problem === null;
    if (!told) replica.engine = null;
    else replica.engine ??= (await replica.expert.describe?.(signal).catch(() => null)) ?? null;
    const next = told ? every : Math.min(2 * pause, LOAD_AT_LEAST_EVERY_MS);
    this.#later(next, () => this.#keepReading(group, replica, next));
  }

  #later(milliseconds: number, act: () => Promise<void>): void {
    if (this.#closed) return;
    const timer = setTimeout(
      () => {
        this.#timers.delete(timer);
        void act();
      },
      milliseconds * (1 + this.#random() / 4),
    );
    timer.unref();
    this.#timers.add(timer);
  }
}

async function probe(group: ExpertGroup, replica: Replica): Promise<Health> {
  let health: Health;
  try {
    health = await replica.expert.health(AbortSignal.timeout(PROBE_TIMEOUT_MS));
  } catch (error) {
    health = { state: 'down', detail: describeError(error) };
  }
  group.found(replica, health);
  return health;
}

/** Every expert with its replicas, asked for health and load in the background. */
import type { LoadSnapshot } from '../../deciding/routing/policy.ts';
import { failureFrom, type Health } from '../experts/expert.ts';
import { Drains } from './drains.ts';
import type { ExpertGroup } from './group.ts';
import type { Signal, Signals } from './keeping.ts';
import { LoadWatch } from './load-watch.ts';
import { PrefillRate } from './prefill-rate.ts';
import type { Replica } from './replica.ts';
import { OVERDUE_SHARE } from './signs-of-life.ts';
import { slotsKey } from './slots.ts';

/** Each replica is asked this often, spread by up to a quarter so that gateways do not ask in step. */
const PROBE_EVERY_MS = 5_000;
/** One that is not there is asked this often whether it is back. */
const PROBE_UNREACHABLE_EVERY_MS = 500;
const PROBE_TIMEOUT_MS = 2_000;
/** A replica in doubt gets a small request soon, and again until it is answered. */
const PROVE_AFTER_MS = 200;
const PROVE_EVERY_MS = 5_000;
/** Time for the answer to a small request where the fleet is not told otherwise. */
const PROOF_MS = 30_000;
const NOBODY: Health = { state: 'down', failure: { kind: 'other', detail: 'no replica of it is there' } };
const DRAINED: Health = { state: 'down', failure: { kind: 'other', detail: 'it is drained' } };

export class Fleet {
  readonly groups: ReadonlyMap<string, ExpertGroup>;
  readonly #groupLoads: readonly LoadSnapshot[];
  readonly #random: () => number;
  readonly #timers = new Map<Replica, NodeJS.Timeout>();
  readonly #proofs = new Map<Replica, NodeJS.Timeout>();
  readonly #proofMs: (expert: string) => number;
  readonly #loads: LoadWatch;
  readonly #drains: Drains;
  readonly #heard: (expert: string, replica: string, health: Health) => void;
  readonly #gone: (expert: string, replica: string) => void;
  readonly #measured = new PrefillRate();
  /** What is to end with it. */
  readonly #closers: (() => void)[] = [];
  #limited = false;
  #watching = false;
  #closed = false;

  /**
   * @param random uniform in [0, 1), for the jitter of questions
   * @param options.now the clock of its replicas @param options.processes how many share its experts
   * @param options.proofMs time for the answer to a small request, by expert
   * @param options.heard told what every probe found, by the replica's own name
   * @param options.gone told that a replica has left @param options.drains what operators have taken out of service
   */
  constructor(
    groups: readonly ExpertGroup[],
    random: () => number,
    options: {
      now: () => number;
      processes: number;
      proofMs?: (expert: string) => number;
      heard?: (expert: string, replica: string, health: Health) => void;
      gone?: (expert: string, replica: string) => void;
      drains?: Drains;
    },
  ) {
    this.groups = new Map(groups.map((group) => [group.id, group]));
    this.#groupLoads = groups.map((group) => group.load());
    this.#random = random;
    for (const { replicas } of groups) for (const replica of replicas) replica.prefill.peers = this.#measured;
    this.#heard = options.heard ?? (() => {});
    this.#gone = options.gone ?? (() => {});
    this.#proofMs = options.proofMs ?? (() => PROOF_MS);
    this.#drains = options.drains ?? new Drains();
    this.applyDrains();
    this.#loads = new LoadWatch({ ...options, random });
  }

  /** One an expert, in the order of the config; each tells what is so when it is read. */
  loads(): readonly LoadSnapshot[] {
    return this.#groupLoads;
  }

  /** Whether anybody waits for it or is being answered by it. */
  get busy(): boolean {
    return [...this.groups.values()].some(
      (group) => group.queued > 0 || group.replicas.some((replica) => replica.busy),
    );
  }

  /** The limits of its replicas hold from now on. */
  applyLimits(): void {
    this.#limited = true;
    for (const { replicas } of this.groups.values()) for (const replica of replicas) replica.applyLimit();
  }

  /** What operators have taken out of service, or put back, is so from now on; who waits for it alone goes elsewhere. */
  applyDrains(): void {
    for (const group of this.groups.values()) {
      group.drainedWhole = this.#drains.covers(group.id);
      for (const replica of group.replicas) replica.drained = this.#drains.includes(group.id, replica.name);
      group.letIn();
    }
  }

  /** There may be room again: lets in who waits. */
  letIn(): void {
    for (const group of this.groups.values()) group.letIn();
  }

  /** What this process holds, by replica (`slotsKey`), and who waits, by expert. */
  ownLoads(): { replicas: Record<string, [number, number]>; queued: Record<string, number> } {
    const replicas: Record<string, [number, number]> = {};
    const queued: Record<string, number> = {};
    for (const [expert, group] of this.groups) {
      queued[expert] = group.queued;
      for (const [key, { own }] of keyed(group)) replicas[key] = [own.inFlight, own.outstandingTokens];
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
      for (const [key, replica] of keyed(group)) {
        const [inFlight, outstandingTokens] = loads.replicas[key] ?? [0, 0];
        replica.elsewhere = { inFlight, outstandingTokens };
      }
    }
  }

  /** What this process sees of experts that somebody starts. @param arrivals prompts of an expert so far */
  signals(arrivals: (expert: string) => number): Signals {
    const all = Array.from(this.groups, ([id, group]) => [id, group.signal(arrivals(id))] as const);
    return Object.fromEntries(all.filter((one): one is [string, Signal] => one[1] !== null));
  }

  /** Asks all replicas from now on. */
  watch(): void {
    this.#watching = true;
    for (const group of this.groups.values())
      for (const replica of group.replicas) this.#watch(group, replica);
  }

  #watch(group: ExpertGroup, replica: Replica): void {
    replica.onUnreachable = () => this.#probeLater(group, replica);
    replica.onDoubt = () => this.#proveLater(group, replica, PROVE_AFTER_MS);
    this.#probeLater(group, replica);
    this.#loads.watch(group, replica);
  }

  /** Takes a replica up. Where replicas are asked, it gets nothing before it has been found ready. */
  async join(group: ExpertGroup, replica: Replica): Promise<void> {
    replica.prefill.peers = this.#measured;
    if (this.#limited) replica.applyLimit();
    if (this.#watching) await this.#probe(group, replica);
    if (this.#closed) return replica.expert.close();
    replica.drained = this.#drains.includes(group.id, replica.name);
    group.add(replica);
    if (this.#watching) this.#watch(group, replica);
  }

  /** Gives a replica nothing new, and closes it once nothing is with it any more. */
  part(group: ExpertGroup, replica: Replica): void {
    replica.leave(() => this.#remove(group, replica));
    group.letIn(); // who waits for it alone goes elsewhere
  }

  #remove(group: ExpertGroup, replica: Replica): void {
    group.remove(replica);
    replica.onUnreachable = replica.onDoubt = () => {};
    for (const timers of [this.#timers, this.#proofs]) {
      clearTimeout(timers.get(replica));
      timers.delete(replica);
    }
    void replica.expert.close();
    this.#gone(group.id, replica.name);
  }

  /** Called when the fleet is closed. */
  onClose(act: () => void): void {
    this.#closers.push(act);
  }

  /** Asks every replica at once; the answers are kept too. */
  async check(): Promise<ReadonlyMap<string, Health>> {
    const states = [...this.groups.values()].map(async (group): Promise<[string, Health]> => {
      const found = await Promise.all(group.replicas.map((replica) => this.#probe(group, replica)));
      const ready = found.find((health, at) => health.state === 'ready' && !group.replicas[at]?.drained);
      return [group.id, ready ?? (group.drained ? DRAINED : (found[0] ?? NOBODY))];
    });
    return new Map(await Promise.all(states));
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const act of this.#closers) act();
    this.#loads.close();
    for (const timer of [...this.#timers.values(), ...this.#proofs.values()]) clearTimeout(timer);
    const replicas = [...this.groups.values()].flatMap((group) => group.replicas);
    await Promise.all(replicas.map((replica) => replica.expert.close()));
  }

  #probeLater(group: ExpertGroup, replica: Replica): void {
    clearTimeout(this.#timers.get(replica));
    const every = replica.unreachable ? PROBE_UNREACHABLE_EVERY_MS : PROBE_EVERY_MS;
    const timer = setTimeout(
      async () => {
        await this.#probe(group, replica);
        // Whoever has set another timer meanwhile has also seen to the next probe.
        if (!this.#closed && this.#timers.get(replica) === timer) this.#probeLater(group, replica);
      },
      every * (1 + this.#random() / 4),
    );
    timer.unref();
    this.#timers.set(replica, timer);
  }

  #proveLater(group: ExpertGroup, replica: Replica, after: number): void {
    if (this.#closed) return;
    if (!replica.expert.prove) {
      void this.#probe(group, replica); // all that may be asked is its health
      return;
    }
    clearTimeout(this.#proofs.get(replica));
    const timer = setTimeout(async () => {
      if (replica.isToProve) await this.#prove(group, replica);
      if (replica.isInDoubt && group.replicas.includes(replica))
        this.#proveLater(group, replica, PROVE_EVERY_MS);
    }, after);
    timer.unref();
    this.#proofs.set(replica, timer);
  }

  async #prove(group: ExpertGroup, replica: Replica): Promise<void> {
    const question = replica.question();
    const limitMs = this.#proofMs(group.id) * (question.alone ? 1 : 1 - OVERDUE_SHARE);
    let health: Health;
    try {
      health = await replica.expert.prove!(AbortSignal.timeout(limitMs));
    } catch (error) {
      health = { state: 'down', failure: failureFrom(error) };
    }
    if (this.#closed) return;
    group.proved(replica, health, question);
    this.#heard(group.id, replica.name, replica.health);
  }

  async #probe(group: ExpertGroup, replica: Replica): Promise<Health> {
    let health: Health;
    try {
      health = await replica.expert.health(AbortSignal.timeout(PROBE_TIMEOUT_MS));
    } catch (error) {
      health = { state: 'down', failure: failureFrom(error) };
    }
    if (this.#closed) return health; // what it was asked in closing says nothing
    group.found(replica, health);
    this.#heard(group.id, replica.name, replica.health);
    return replica.health;
  }
}

/** Each replica by a name that is the same in every process. */
export function keyed({ id, replicas }: ExpertGroup): readonly [string, Replica][] {
  const seen = new Map<string, number>();
  return replicas.map((replica) => {
    const alike = seen.get(replica.name) ?? 0;
    seen.set(replica.name, alike + 1);
    return [slotsKey(id, replica.name, alike), replica];
  });
}

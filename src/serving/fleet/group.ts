/**
 * One expert as the gateway sees it: its replicas, the limit on what they hold, and the queue for them. It admits or
 * refuses.
 */

import { RouterError } from '../../core/errors.ts';
import { expectedWait } from '../../deciding/routing/expected-wait.ts';
import type { LoadSnapshot } from '../../deciding/routing/policy.ts';
import { chooseReplica } from '../../deciding/routing/replica.ts';
import type { Usage } from '../reply/reply.ts';
import type { Admission, Cold, GroupOptions, Ticket } from './admission.ts';
import { FairQueue } from './fair-queue.ts';
import { GroupLoad, snapshotOf } from './group-load.ts';
import type { Keeping, Signal } from './keeping.ts';
import type { LoadReport } from './load-report.ts';
import { shareAfter } from './observed-load.ts';
import { Offers } from './offers.ts';
import { busy, failedStart, leftAlone, notReady, notStarted, waitedTooLong } from './refusals.ts';
import type { Lease, Replica } from './replica.ts';

export type { Admission, Cold, GroupOptions, Ticket } from './admission.ts';

/** How fast the cached share follows: about the last eight answers count. */
const CACHED_STEP = 1 / 8;
/** A backoff that is longer is told to the client, who can do something else meanwhile. */
const PATIENCE_MS = 10_000;

type Decided = (result: Lease | RouterError) => void;

interface Queued extends Admission {
  readonly decided: Decided;
  readonly timer: NodeJS.Timeout;
  /** As of `GroupOptions.now`. */
  readonly since: number;
}

export class ExpertGroup {
  readonly id: string;
  readonly offers: Offers;
  readonly #replicas: Replica[];
  readonly #options: GroupOptions;
  readonly #now: () => number;
  readonly #queue = new FairQueue<Queued>();
  readonly #letIn = (): void => this.letIn();
  /** Requests that wait in other processes, as last heard. */
  queuedElsewhere = 0;
  /** Ours among all requests of this expert; 1 until its engines tell of others. */
  share = 1;
  /** Of the prompt of a conversation that it has answered before, what is cached on average; 1 until its engine tells. */
  cachedShare = 1;
  #keeping: Keeping = { state: 'open' };
  /** Lets in those who were told to wait. */
  #wake: NodeJS.Timeout | undefined;
  readonly #load: LoadSnapshot;
  /** The same without what others may have sent since: that is no ground for a refusal. */
  readonly #alone: LoadSnapshot;

  constructor(id: string, replicas: readonly Replica[], options: GroupOptions) {
    this.id = id;
    this.#replicas = [...replicas];
    this.#options = options;
    this.offers = new Offers(options.declared ?? {}, this.#replicas, options.face);
    this.#now = options.now ?? (() => performance.now());
    this.#load = new GroupLoad(this.#replicas, this);
    const waiting = () => this.waiting;
    const startsIn = () => this.startsIn;
    this.#alone = new GroupLoad(this.#replicas, {
      share: 1,
      cachedShare: 1,
      get waiting() {
        return waiting();
      },
      get startsIn() {
        return startsIn();
      },
    });
  }

  /** Those that are leaving among them, until nothing is with them any more. */
  get replicas(): readonly Replica[] {
    return this.#replicas;
  }

  add(replica: Replica): void {
    this.#replicas.push(replica);
    this.offers.changed();
    this.#changed();
  }

  remove(replica: Replica): void {
    const at = this.#replicas.indexOf(replica);
    if (at >= 0) this.#replicas.splice(at, 1);
    this.offers.changed();
  }

  /** Requests that wait here. */
  get queued(): number {
    return this.#queue.length;
  }

  /** When whoever waits longest here began to, by the clock of `GroupOptions.now`; null where nobody waits. */
  get waitingSince(): number | null {
    let first: number | null = null;
    for (const { since } of this.#queue) first = Math.min(first ?? since, since);
    return first;
  }

  /** Whether operators have taken all of it out of service, replicas that are yet to come among them. */
  drainedWhole = false;

  /** The same, or every replica by itself. */
  get drained(): boolean {
    return this.drainedWhole || (this.#replicas.length > 0 && this.#replicas.every(({ drained }) => drained));
  }

  /** Requests that our processes have with it. */
  get inFlight(): number {
    return this.replicas.reduce((sum, replica) => sum + replica.inFlight, 0);
  }

  /** Over all processes, and with what others have at its engines where those tell; as it is when it is read. */
  load(): LoadSnapshot {
    return this.#load;
  }

  /** Requests of others that a replica holds, as far as its engine tells. */
  others(replica: Replica): number {
    return replica.others(this.share);
  }

  /** What a replica's engine said of its load. */
  heard(replica: Replica, report: LoadReport): void {
    replica.report = report;
    const seen = this.replicas.flatMap((one) => one.report.seen ?? []);
    if (report.problem === null) this.share = shareAfter(this.share, seen);
  }

  /** What its engine said of the prompt of a conversation that it had answered before, in tokens. */
  cached({ inputTokens, cachedTokens }: Usage): void {
    if (cachedTokens === undefined || inputTokens <= 0) return;
    const share = Math.min(1, Math.max(0, cachedTokens / inputTokens));
    this.cachedShare += (share - this.cachedShare) * CACHED_STEP;
  }

  /** How it starts, while nothing of it runs and its start is waited for; null otherwise. */
  get #starting(): Cold | null {
    const { cold } = this.#options;
    if (cold === undefined || this.#keeping.state === 'troubled' || this.drained) return null;
    return this.replicas.every(({ absent, leaving }) => absent || leaving) ? cold : null;
  }

  /** As of `LoadSnapshot`. */
  get startsIn(): number | undefined {
    const starting = this.#starting;
    return starting ? starting.start.leftMs / 1000 : undefined;
  }

  /** Whether it is on its way for somebody who wanted it. */
  get isComing(): boolean {
    return this.replicas.some(({ coming }) => coming) || (this.#options.cold?.start.underWay ?? false);
  }

  /** A prompt belongs to it, whoever answers. */
  wanted(): void {
    const starting = this.#starting;
    starting?.start.wanted(starting.limitMs);
  }

  /** What whoever starts and stops its server has decided. */
  keep(keeping: Keeping): void {
    this.#keeping = keeping;
    for (const replica of this.replicas) replica.parked = keeping.state === 'parked';
    this.letIn();
  }

  /** What this process sees of it; null for one that nobody starts, and for one that is drained: it stays as it is. @param arrivals prompts that belonged to it so far */
  signal(arrivals: number): Signal | null {
    if (!this.#options.cold || this.drained) return null;
    return {
      inFlight: this.replicas.reduce((sum, { own }) => sum + own.inFlight, 0),
      queued: this.queued,
      arrivals,
      ready: this.replicas.some(({ absent, leaving }) => !absent && !leaving),
      unloaded: this.replicas.some(
        ({ health }) => health.state === 'down' && health.failure.kind === 'not-loaded',
      ),
      keeping: this.#keeping.state,
    };
  }

  /** In all processes. */
  get waiting(): number {
    return this.#queue.length + this.queuedElsewhere;
  }

  /** Seconds a request would wait that comes now. */
  #expectedWait(): number {
    return expectedWait(this.#alone);
  }

  /**
   * Calls back once: with a lease, at once or after waiting in the queue, or with the reason why not
   * (`expert_not_ready`, `overloaded`, `queue_timeout`). After `leave` it does not call back.
   */
  admit(admission: Admission, decided: Decided): Ticket {
    const lease = this.#queue.length === 0 ? (this.#lease(admission) ?? this.#trial(admission)) : null;
    if (lease) {
      decided(lease);
      return { leave: () => {} };
    }
    const refusal = this.#refusal(admission);
    if (refusal) {
      decided(refusal);
      return { leave: () => {} };
    }
    return this.#wait(admission, decided);
  }

  #lease(admission: Admission): Lease | null {
    if (this.#replicas.length === 1) {
      const only = this.#replicas[0]!;
      return isOpen(only, admission) && only.hasRoom
        ? only.lease(admission.tokens, admission.shape, this.#letIn)
        : null;
    }
    const open = this.replicas.filter((replica) => isOpen(replica, admission) && replica.hasRoom);
    const trusted = open.filter(({ isSuspected }) => !isSuspected);
    const free = trusted.length > 0 ? trusted : open;
    const best = chooseReplica(
      free.map((replica) => snapshotOf(replica, this.share)),
      admission.affinityKey,
    );
    if (best === null) return null;
    return free[best]!.lease(admission.tokens, admission.shape, this.#letIn);
  }

  /** Whether a request with nowhere else to go may ask one of its replicas all the same. */
  get isOnTrial(): boolean {
    return this.replicas.every(({ available }) => !available) && this.replicas.some((one) => one.isOnTrial);
  }

  /** Where nobody else is left to ask: a replica of which only a small request says that it does not answer. */
  #trial({ patient, tried, tenant, shape, tokens }: Admission): Lease | null {
    if (!patient || !this.isOnTrial) return null;
    const replica = this.replicas.find(
      (one) => one.isOnTrial && !tried.has(one) && one.backoffOf(tenant) === 0 && one.takes(shape),
    );
    return replica?.lease(tokens, shape, this.#letIn) ?? null;
  }

  /** Milliseconds until one of its replicas that asked to be left alone may be asked again; null where none did. */
  backoff(tenant: string): number | null {
    const ends = this.replicas
      .filter((replica) => replica.health.state === 'ready')
      .map((replica) => Math.max(replica.backingOff ? replica.opensIn : 0, replica.backoffOf(tenant)));
    const soonest = Math.min(...ends);
    return Number.isFinite(soonest) && soonest > 0 ? soonest : null;
  }

  /** Whether one more request is no burden: a replica that answers is less than half busy, and nobody waits. */
  get idle(): boolean {
    return (
      this.waiting === 0 &&
      this.replicas.some((replica) => replica.proven && replica.inFlight < replica.slots / 2)
    );
  }

  #refusal(admission: Admission): RouterError | null {
    const left = this.replicas.filter((replica) => isOpen(replica, admission));
    // A replica that is loading its model will come: who asks for it waits in the queue, and the wait is bounded.
    const coming = this.replicas.some((replica) => replica.coming);
    const backoff = left.length === 0 ? this.backoff(admission.tenant) : null;
    if (
      backoff !== null &&
      !(admission.patient && backoff <= Math.min(PATIENCE_MS, this.#options.queueTimeout))
    )
      return leftAlone(this.id, backoff);
    const starting = this.#starting;
    if (left.length === 0 && !coming && !starting && backoff === null) return this.#notReady(admission);
    const waitMs = this.#expectedWait() * 1000;
    if (this.#queue.length >= this.#options.queueSize) return busy(this.id, waitMs, this.#queue.length);
    const hopeless = starting === null && waitMs > this.#options.queueTimeout;
    return hopeless ? busy(this.id, waitMs, null) : null;
  }

  #notReady({ shape }: Admission): RouterError {
    const keeping = this.#keeping;
    return keeping.state === 'troubled'
      ? failedStart(this.id, keeping.problem, keeping.retryMs)
      : notReady(this.id, this.replicas, this.drained, shape);
  }

  #wait(admission: Admission, decided: Decided): Ticket {
    const starting = this.#starting;
    starting?.start.wanted(starting.limitMs);
    const limitMs = starting?.limitMs ?? this.#options.queueTimeout;
    const timer = setTimeout(() => {
      if (!this.#queue.remove(item)) return;
      const left = this.#starting?.start.leftMs;
      decided(
        left === undefined
          ? waitedTooLong(this.id, limitMs, this.#expectedWait() * 1000)
          : notStarted(this.id, limitMs, left),
      );
    }, limitMs);
    const item: Queued = { ...admission, decided, timer, since: this.#now() };
    this.#queue.push(item);
    if (this.backoff(admission.tenant) !== null || Number.isFinite(this.#reopensIn)) this.letIn();
    return {
      leave: () => {
        clearTimeout(timer);
        this.#queue.remove(item);
      },
    };
  }

  /** Lets in whoever is next while there is room; to be called when there may be room again. */
  letIn(): void {
    let soonest = Number.POSITIVE_INFINITY;
    const hasRoom = () => this.replicas.some((replica) => replica.hasRoom && replica.available);
    for (let left = this.#queue.length; left > 0 && this.#queue.length > 0 && hasRoom(); left--) {
      const next = this.#queue.shift()!;
      const lease = this.#lease(next);
      const backoff = lease ? null : this.backoff(next.tenant);
      if (backoff !== null) {
        this.#queue.push(next); // its tenant has to wait, others may go on
        soonest = Math.min(soonest, backoff);
        continue;
      }
      clearTimeout(next.timer);
      next.decided(
        lease ?? new RouterError('expert_not_ready', `Expert '${this.id}' has no replica left to try.`),
      );
    }
    if (this.#queue.length > 0) soonest = Math.min(soonest, this.#sendAway(), this.#reopensIn);
    if (soonest < Number.POSITIVE_INFINITY) this.#wakeIn(soonest);
  }

  /** Milliseconds until the breaker of a replica lets one through again; infinite for none. */
  get #reopensIn(): number {
    const closed = this.replicas.filter(({ health, opensIn }) => health.state === 'ready' && opensIn > 0);
    return Math.min(...closed.map(({ opensIn }) => opensIn));
  }

  /**
   * Whoever was told to wait is let in again. A timer may fire a little before its time by the clock that the wait goes by;
   * then it waits once more.
   */
  #wakeIn(ms: number): void {
    clearTimeout(this.#wake);
    this.#wake = setTimeout(() => this.letIn(), ms + 1).unref();
  }

  /**
   * Who waits for replicas of which none can be asked any more goes elsewhere now, not when its patience ends.
   * @returns milliseconds until the first that stays may ask again; infinite for none
   */
  #sendAway(): number {
    let soonest = Number.POSITIVE_INFINITY;
    if (this.#starting || this.replicas.some(({ available, coming }) => available || coming)) return soonest;
    for (let left = this.#queue.length; left > 0 && this.#queue.length > 0; left--) {
      const next = this.#queue.shift()!;
      const backoff = this.backoff(next.tenant);
      if (backoff !== null) {
        this.#queue.push(next);
        soonest = Math.min(soonest, backoff);
        continue;
      }
      clearTimeout(next.timer);
      next.decided(this.#notReady(next));
    }
    return soonest;
  }

  /** What a probe found about a replica; those who wait may profit. */
  found(replica: Replica, health: Parameters<Replica['found']>[0]): void {
    replica.found(health);
    this.offers.changed();
    this.#changed();
  }

  /** What a small request found. */
  proved(replica: Replica, ...found: Parameters<Replica['proved']>): void {
    replica.proved(...found);
    this.#changed();
  }

  /** A replica may be there that was not. */
  #changed(): void {
    if (this.replicas.some(({ available }) => available)) this.#options.cold?.start.came();
    this.letIn();
  }
}

/** Whether it may be asked with this request, be there room or not. */
function isOpen(replica: Replica, { tried, tenant, shape }: Admission): boolean {
  return replica.available && !tried.has(replica) && replica.backoffOf(tenant) === 0 && replica.takes(shape);
}

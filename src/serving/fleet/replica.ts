/** One replica of an expert: how it fares, and leases on it. What it holds is its load (replica-load.ts). */
import type { Expert, Health } from '../experts/expert.ts';
import type { Breaker, BreakerState } from './breaker.ts';
import { Breakers, type Shape } from './breakers.ts';
import { HeldLease, type LeaseOn, type LeaseOutcome, type Lessor } from './lease.ts';
import { slotsNow } from './observed-load.ts';
import { ReplicaLoad, type ReplicaOptions } from './replica-load.ts';
import { type Question, SignsOfLife } from './signs-of-life.ts';

export type Lease = LeaseOn<Replica>;

type Failing = Extract<Health, { state: 'down' }>;
/** Failures of a server that does not run, or is not up yet. */
const NOT_THERE: ReadonlySet<string> = new Set<Failing['failure']['kind']>([
  'unreachable',
  'timeout',
  'cut',
  'loading',
  'not-loaded',
]);
const unreached = (detail: string): Health => ({
  state: 'down',
  failure: { kind: 'unreachable', code: null, detail },
});
const STOPPED = unreached('it is stopped until it is needed');
const NOT_SEEN = unreached('it has not been seen since it was stopped');

export class Replica extends ReplicaLoad {
  readonly #breakers = new Breakers();
  readonly #signs = new SignsOfLife();
  /** Called when its breaker has opened because nobody was there. */
  onUnreachable: () => void = () => {};
  /** Called when it has met a request with silence, or broken off: its server may be there without its engine. */
  onDoubt: () => void = () => {};
  #health: Health = { state: 'ready' };
  #parked = false;
  #proven = false;
  #leases = 0;
  /** Called once nothing is with it any more; null while it is to stay. */
  #left: (() => void) | null = null;
  /** An operator has taken it out of service: it gets nothing new. */
  drained = false;
  readonly #lessor: Lessor<Replica>;

  constructor(name: string, expert: Expert, options: ReplicaOptions) {
    super(name, expert, options);
    this.#lessor = {
      replica: this,
      signs: this.#signs,
      now: options.now,
      virtual: () => this.clock.virtual(this.now()),
      answering: () => this.#breakers.main.answering(),
      doubt: () => this.#doubt(),
      proven: () => this.#proven,
      ended: (lease, outcome) => this.#ended(lease, outcome),
      settled: () => {
        if (!this.busy) this.#left?.();
      },
      absolved: (proven) => {
        this.#proven ||= proven;
      },
    };
  }

  /** Whether a request that it was leased to still runs. */
  get busy(): boolean {
    return this.#leases > 0;
  }

  /** From now on it gets nothing new. @param left called once nothing is with it any more; perhaps at once */
  leave(left: () => void): void {
    this.#left = left;
    if (!this.busy) left();
  }

  /** It gets requests again. */
  stay(): void {
    this.#left = null;
  }

  get leaving(): boolean {
    return this.#left !== null;
  }

  /** Its model is being loaded: who asks for it may wait. */
  get coming(): boolean {
    return !this.leaving && !this.drained && this.health.state === 'warming';
  }

  /** Its server does not run, as far as known, rather than being at fault. */
  get absent(): boolean {
    const health = this.#health;
    return health.state === 'warming' || (health.state === 'down' && NOT_THERE.has(health.failure.kind));
  }

  /** Its server is kept from requests, since it is about to end; or it is not, and no earlier probe is believed. */
  set parked(parked: boolean) {
    if (parked === this.#parked) return;
    this.#parked = parked;
    this.#health = parked ? STOPPED : NOT_SEEN;
    this.#signs.forget();
    if (!parked) this.onUnreachable();
  }

  /** Another gateway leaves it alone: it is asked how it is, and the next failure counts as the last of several. */
  warn(): void {
    if (this.#breakers.main.warned()) this.onUnreachable();
  }

  get health(): Health {
    return this.#health.state === 'ready' ? (this.#signs.refuted ?? this.#health) : this.#health;
  }

  /** Whether a small request should find out if its engine answers. */
  get isToProve(): boolean {
    return this.#signs.isDoubted && this.#health.state === 'ready';
  }

  get isInDoubt(): boolean {
    return this.#signs.isDoubted;
  }

  /** Requests under way there have met silence, and so has a small one: others go before it, as long as there are any. */
  get isSuspected(): boolean {
    return this.#signs.isSuspected;
  }

  /** To be asked for when a small request is sent. */
  question(): Question {
    return { signs: this.#signs.count, alone: this.inFlight === 0 };
  }

  /** What a small request found. */
  proved(health: Health, question: Question): void {
    if (health.state === 'ready') {
      this.#signs.believe();
      this.#breakers.main.returned();
      this.#proven = true;
      return;
    }
    const { seen } = this.report;
    const room = seen !== null && this.inFlight < slotsNow(seen, this.limit, this.now());
    if (!this.isToProve || !this.#signs.unanswered(health, question, room)) return;
    this.#proven = false;
    if (this.isSuspected) this.#signs.tellSuspicion();
  }

  /**
   * A small request was not answered, and nobody asks it now: one real request may find out whether that still holds. The
   * small one may have met what only it meets, and until the next somebody may have no other expert to ask.
   */
  get isOnTrial(): boolean {
    const { state } = this.#health;
    if (this.leaving || this.drained || this.#signs.refuted === null || state !== 'ready') return false;
    return this.inFlight === 0 && this.#breakers.main.allows(this.now());
  }

  #doubt(): void {
    if (this.#signs.doubt()) this.onDoubt();
  }

  get breaker(): BreakerState {
    return this.#breakers.main.state(this.now());
  }

  /** Milliseconds until its breaker lets a request through; 0 when it does already. */
  get opensIn(): number {
    return this.#breakers.main.opensIn(this.now());
  }

  /** It asked everybody to leave it alone. */
  get backingOff(): boolean {
    return this.#breakers.main.backingOff;
  }

  /** Healthy as far as known, and its breaker lets requests through. */
  get available(): boolean {
    if (this.leaving || this.drained || this.health.state !== 'ready') return false;
    return this.#breakers.main.closed || this.#breakers.main.allows(this.now());
  }

  /** Milliseconds for which it asked this tenant to leave it alone; 0 when it may be asked. */
  backoffOf(tenant: string): number {
    return this.#breakers.backoffOf(tenant, this.now());
  }

  /** Whether it may be asked for this: it has not failed at its like again and again. */
  takes(shape: Shape): boolean {
    return this.#breakers.takes(shape, this.now());
  }

  /** Found ready by a probe or an answer, and has not failed since. */
  get proven(): boolean {
    return this.available && this.#proven;
  }

  /** Not there, as far as known: worth asking often whether it is back. */
  get unreachable(): boolean {
    return this.health.state !== 'ready' || this.#breakers.main.unreachable;
  }

  /** What a probe found. A server that is warming up is not failing: its breaker stays as it is. */
  found(health: Health): void {
    if (this.#parked) return;
    if (health.state === 'ready') {
      if (this.#health.state === 'ready') this.#breakers.main.returned();
      else this.#breakers.main.succeeded();
    }
    this.#health = health;
    this.#proven = health.state === 'ready' && !this.isInDoubt;
  }

  /**
   * @param tokens estimate of prompt and expected answer
   * @param changed called after every step of the lease that may have made room
   */
  lease(tokens: number, shape: Shape = () => '', changed: () => void = () => {}): Lease {
    const now = this.now();
    this.take(tokens, now);
    this.#leases += 1;
    this.#breakers.admitted(shape, now);
    return new HeldLease(this.#lessor, { tokens, shape, unloaded: this.unloaded }, changed);
  }

  #ended(lease: HeldLease<Replica>, outcome: LeaseOutcome): Breaker | null {
    const now = this.now();
    this.#leases -= 1;
    if (outcome.kind === 'ok' && outcome.streamed) this.measure(outcome.read, lease);
    this.finish(lease.tokens, outcome.kind === 'ok', now);
    const blamed = this.#conclude(outcome, lease, now);
    this.release();
    return blamed;
  }

  /** @returns the breaker that was told of a failure which may yet turn out to be the request's own */
  #conclude(outcome: LeaseOutcome, lease: HeldLease<Replica>, now: number): Breaker | null {
    const alive = lease.othersLive;
    switch (outcome.kind) {
      case 'ok':
        this.#signs.heard();
        this.#signs.believe();
        this.#proven = true;
        this.#breakers.succeeded(lease.shape);
        return null;
      case 'faulted':
        return this.#faulted(now, lease.shape(), alive);
      case 'limited':
        return this.#breakers.limited(now, outcome.forMs, outcome.tenant);
      case 'late':
        if (alive || !this.#signs.isShort(lease.tokens)) this.#breakers.main.undecided();
        else this.#silent(now);
        if (!alive) this.#doubt();
        return null;
      case 'failed':
        this.#failed(now, outcome.unreachable ?? false);
        if (!alive && !outcome.unreachable) this.#doubt();
        return null;
      default:
        this.#breakers.undecided(lease.shape);
        return null;
    }
  }

  #faulted(now: number, shape: string, alive: boolean): Breaker | null {
    const breaker = this.#breakers.blamed(shape);
    if (alive) {
      breaker.undecided();
      return null;
    }
    this.#proven = false;
    breaker.failed(now);
    return breaker;
  }

  /** A whole deadline has passed without a sign of it. */
  #silent(now: number): void {
    this.#proven = false;
    if (!this.#signs.hangs) {
      this.#breakers.main.failed(now);
      return;
    }
    this.#breakers.main.open(now);
    this.#signs.tell();
  }

  #failed(now: number, unreachable: boolean): void {
    const before = this.#breakers.main.unreachable;
    this.#proven = false;
    this.#breakers.main.failed(now, unreachable);
    if (this.#breakers.main.unreachable && !before) this.onUnreachable();
  }
}

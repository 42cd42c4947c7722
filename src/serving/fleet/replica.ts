/** One replica of an expert: what it holds, how it fares, and leases on it. */
import type { EngineDescription, Expert, Health } from '../experts/expert.ts';
import { AdapterLoad } from './adapter-load.ts';
import type { Breaker, BreakerState } from './breaker.ts';
import { Breakers, type Shape } from './breakers.ts';
import { BusyClock } from './busy-clock.ts';
import { HeldLease, type LeaseOn, type LeaseOutcome, type Lessor } from './lease.ts';
import { type LoadReport, NO_REPORT, type ReportState, stateOf } from './load-report.ts';
import { hasFullCache, othersNow, slotsNow } from './observed-load.ts';
import { PrefillRate } from './prefill-rate.ts';
import { ServiceRate } from './service-rate.ts';
import { type Question, SignsOfLife } from './signs-of-life.ts';
import { CountedSlots, type Slots } from './slots.ts';

export type Lease = LeaseOn<Replica>;

/** What other processes hold of the same replica, as last heard. */
interface Elsewhere {
  readonly inFlight: number;
  readonly outstandingTokens: number;
}

/** Tokens that a request is taken for until the first has come. */
const FIRST_TOKENS = 512;
/** How fast the mean follows: about the last 32 requests count. */
const MEAN_STEP = 1 / 32;
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

export class Replica {
  readonly name: string;
  readonly expert: Expert;
  /** Share of the work relative to the others. */
  weight: number;
  /** Requests it may hold at once, over all processes. */
  readonly limit: number;
  #elsewhere: Elsewhere = { inFlight: 0, outstandingTokens: 0 };
  /** Of its server, which experts may share. */
  readonly clock: BusyClock;
  /** What its engine last said of its load. */
  report: LoadReport = NO_REPORT;
  /** What its engine is, once it has told its load. */
  engine: EngineDescription | null = null;
  readonly #breakers = new Breakers();
  readonly #signs = new SignsOfLife();
  readonly #rate = new ServiceRate();
  /** How fast it reads prompts. */
  readonly prefill = new PrefillRate();
  readonly #adapterLoad = new AdapterLoad();
  readonly #now: () => number;
  readonly #slots: Slots;
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
  #outstandingTokens = 0;
  #meanTokens = FIRST_TOKENS;
  #toldRate = 0;
  readonly #lessor: Lessor<Replica>;

  constructor(
    name: string,
    expert: Expert,
    options: { weight: number; limit: number; now: () => number; slots?: Slots; clock?: BusyClock },
  ) {
    this.name = name;
    this.expert = expert;
    this.weight = options.weight;
    this.limit = options.limit;
    this.#now = options.now;
    this.clock = options.clock ?? new BusyClock();
    this.#slots = options.slots ?? new CountedSlots();
    if (!options.slots) this.applyLimit();
    this.#lessor = {
      replica: this,
      signs: this.#signs,
      now: options.now,
      virtual: () => this.clock.virtual(this.#now()),
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

  /** Of this process, those that end with an earlier config included. */
  get own(): Elsewhere {
    return { inFlight: this.#slots.used, outstandingTokens: this.#outstandingTokens };
  }

  get elsewhere(): Elsewhere {
    return this.#elsewhere;
  }

  set elsewhere(elsewhere: Elsewhere) {
    this.clock.change(elsewhere.inFlight - this.#elsewhere.inFlight, this.#now());
    this.#elsewhere = elsewhere;
  }

  get inFlight(): number {
    return this.#slots.used + this.#elsewhere.inFlight;
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

  /** Its limit holds from now on, in place of an earlier config's. */
  applyLimit(): void {
    this.#slots.limitTo(this.limit);
  }

  get outstandingTokens(): number {
    return this.#outstandingTokens + this.#elsewhere.outstandingTokens;
  }

  /** Mean tokens of a request, prompt and expected answer. */
  get meanTokens(): number {
    return this.#meanTokens;
  }

  /**
   * Requests there that are not ours, as far as its engine tells; 0 where it does not.
   * @param share ours among all requests of the expert
   */
  others(share: number): number {
    const { seen } = this.report;
    return seen ? othersNow(seen, this.inFlight, share, this.#now()) : 0;
  }

  /** Requests it runs at once before more have to wait. */
  get slots(): number {
    const { seen } = this.report;
    return seen ? slotsNow(seen, this.limit, this.#now()) : this.limit;
  }

  /** Its engine has no room for the tokens of one more. */
  get full(): boolean {
    const { seen } = this.report;
    return seen !== null && hasFullCache(seen, this.#now());
  }

  /** Its engine would have to load the expert's LoRA adapter into GPU memory first. */
  get unloaded(): boolean {
    return this.expert.adapter?.resident === false;
  }

  /** Milliseconds that loading that takes; 0 for an expert that is no adapter. */
  get adapterMs(): number {
    return this.#adapterLoad.ms ?? this.expert.adapter?.loadMs ?? 0;
  }

  get reportState(): ReportState {
    return stateOf(this.report, this.#now());
  }

  /** Milliseconds since the last reading; null where there is none. */
  get reportAge(): number | null {
    const { seen } = this.report;
    return seen ? Math.max(0, this.#now() - seen.at) : null;
  }

  /** As measured here; until then as other gateways have. */
  get tokensPerSecond(): number {
    return this.measuredRate || this.#toldRate;
  }

  /** Tokens per second, as measured here; 0 for unknown. */
  get measuredRate(): number {
    return this.#rate.perSecond(this.#now());
  }

  /**
   * Tokens per second that it would finish with a request in every slot, each as fast as they are now less what more at once
   * were seen to cost; 0 for unknown. What it
   * finishes at the moment says how much it is given, not how much it could do.
   */
  get fullRate(): number {
    const { slots } = this;
    if (!Number.isFinite(slots)) return this.tokensPerSecond;
    return this.#rate.full(slots, this.#now());
  }

  /** Rates that another gateway has measured, in tokens per second; 0 for unknown. */
  set told({ finishes, reads }: { readonly finishes: number; readonly reads: number }) {
    this.#toldRate = finishes || this.#toldRate;
    this.prefill.told = reads || this.prefill.told;
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
    const room = seen !== null && this.inFlight < slotsNow(seen, this.limit, this.#now());
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
    return this.inFlight === 0 && this.#breakers.main.allows(this.#now());
  }

  #doubt(): void {
    if (this.#signs.doubt()) this.onDoubt();
  }

  get breaker(): BreakerState {
    return this.#breakers.main.state(this.#now());
  }

  /** Milliseconds until its breaker lets a request through; 0 when it does already. */
  get opensIn(): number {
    return this.#breakers.main.opensIn(this.#now());
  }

  /** It asked everybody to leave it alone. */
  get backingOff(): boolean {
    return this.#breakers.main.backingOff;
  }

  /** Healthy as far as known, and its breaker lets requests through. */
  get available(): boolean {
    if (this.leaving || this.drained || this.health.state !== 'ready') return false;
    return this.#breakers.main.closed || this.#breakers.main.allows(this.#now());
  }

  /** Milliseconds for which it asked this tenant to leave it alone; 0 when it may be asked. */
  backoffOf(tenant: string): number {
    return this.#breakers.backoffOf(tenant, this.#now());
  }

  /** Whether it may be asked for this: it has not failed at its like again and again. */
  takes(shape: Shape): boolean {
    return this.#breakers.takes(shape, this.#now());
  }

  /** Found ready by a probe or an answer, and has not failed since. */
  get proven(): boolean {
    return this.available && this.#proven;
  }

  /** Not there, as far as known: worth asking often whether it is back. */
  get unreachable(): boolean {
    return this.health.state !== 'ready' || this.#breakers.main.unreachable;
  }

  get hasRoom(): boolean {
    return this.#slots.free;
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
    const now = this.#now();
    this.#slots.take();
    this.#leases += 1;
    this.#meanTokens += (tokens - this.#meanTokens) * MEAN_STEP;
    this.#outstandingTokens += tokens;
    this.#breakers.admitted(shape, now);
    this.#rate.started(now);
    this.clock.change(1, now);
    return new HeldLease(this.#lessor, { tokens, shape, unloaded: this.unloaded }, changed);
  }

  #ended(lease: HeldLease<Replica>, outcome: LeaseOutcome): Breaker | null {
    const now = this.#now();
    this.clock.change(-1, now);
    this.#leases -= 1;
    this.#outstandingTokens -= lease.tokens;
    if (outcome.kind === 'ok' && outcome.streamed) this.#measure(outcome.read, lease);
    this.#rate.ended(now, outcome.kind === 'ok' ? lease.tokens : 0);
    const blamed = this.#conclude(outcome, lease, now);
    this.#slots.release();
    return blamed;
  }

  /** @param read tokens; undefined for unknown */
  #measure(read: number | undefined, { firstMs, unloaded }: HeldLease<Replica>): void {
    if (this.expert.adapter) this.#adapterLoad.observe(unloaded, firstMs);
    // Loading an adapter is no reading.
    if (read !== undefined && !unloaded) this.prefill.observe(read, firstMs);
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

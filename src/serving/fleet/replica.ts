/**
 * One replica of an expert: what it holds, how it fares, and leases on it. A lease is the only way to count a
 * request in, and its first ending counts it out, so no exit path can leave a counter standing.
 */
import type { EngineDescription, Expert, Health } from '../experts/expert.ts';
import { Breaker, type BreakerState } from './breaker.ts';
import { type LoadReport, NO_REPORT, type ReportState, stateOf } from './load-report.ts';
import { hasFullCache, othersNow, slotsNow } from './observed-load.ts';
import { ServiceRate } from './service-rate.ts';
import { CountedSlots, type Slots } from './slots.ts';

export type LeaseOutcome =
  | { readonly kind: 'ok'; readonly outputTokens: number }
  /**
   * The server's fault.
   * @property retryAfterMs how long it asked to be left alone
   * @property away nobody was there
   */
  | { readonly kind: 'failed'; readonly retryAfterMs?: number; readonly away?: boolean }
  /** The reader left, or the request was refused for what it is. */
  | { readonly kind: 'undecided' };

export interface Lease {
  readonly replica: Replica;
  /** The first token has come. */
  answering(): void;
  /** Harmless when repeated. */
  end(outcome: LeaseOutcome): void;
}

/** What other processes hold of the same replica, as last heard. */
interface Elsewhere {
  readonly inFlight: number;
  readonly outstandingTokens: number;
}

/** Tokens that a request is taken for until the first has come. */
const FIRST_TOKENS = 512;
/** How fast the mean follows: about the last 32 requests count. */
const MEAN_STEP = 1 / 32;

export class Replica {
  readonly name: string;
  readonly expert: Expert;
  readonly weight: number;
  /** Requests it may hold at once, over all processes. */
  readonly limit: number;
  elsewhere: Elsewhere = { inFlight: 0, outstandingTokens: 0 };
  /** What its engine last said of its load. */
  report: LoadReport = NO_REPORT;
  /** What its engine is, once it has told its load. */
  engine: EngineDescription | null = null;
  readonly #breaker = new Breaker();
  readonly #rate = new ServiceRate();
  readonly #now: () => number;
  readonly #slots: Slots;
  /** Called when its breaker has opened because nobody was there. */
  onAway: () => void = () => {};
  #health: Health = { state: 'ready' };
  #leases = 0;
  #outstandingTokens = 0;
  #meanTokens = FIRST_TOKENS;

  constructor(
    name: string,
    expert: Expert,
    options: { weight: number; limit: number; now: () => number; slots?: Slots },
  ) {
    this.name = name;
    this.expert = expert;
    this.weight = options.weight;
    this.limit = options.limit;
    this.#now = options.now;
    this.#slots = options.slots ?? new CountedSlots();
    if (!options.slots) this.applyLimit();
  }

  /** Of this process, those that end with an earlier config included. */
  get own(): Elsewhere {
    return { inFlight: this.#slots.used, outstandingTokens: this.#outstandingTokens };
  }

  get inFlight(): number {
    return this.#slots.used + this.elsewhere.inFlight;
  }

  /** Whether a request that it was leased to still runs. */
  get busy(): boolean {
    return this.#leases > 0;
  }

  /** Its limit holds from now on, in place of an earlier config's. */
  applyLimit(): void {
    this.#slots.limitTo(this.limit);
  }

  get outstandingTokens(): number {
    return this.#outstandingTokens + this.elsewhere.outstandingTokens;
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

  get reportState(): ReportState {
    return stateOf(this.report, this.#now());
  }

  /** Milliseconds since the last reading; null where there is none. */
  get reportAge(): number | null {
    const { seen } = this.report;
    return seen ? Math.max(0, this.#now() - seen.at) : null;
  }

  get tokensPerSecond(): number {
    return this.#rate.perSecond(this.#now());
  }

  get health(): Health {
    return this.#health;
  }

  get breaker(): BreakerState {
    return this.#breaker.state(this.#now());
  }

  /** Milliseconds until its breaker lets a request through; 0 when it does already. */
  get opensIn(): number {
    return this.#breaker.opensIn(this.#now());
  }

  /** Healthy as far as known, and its breaker lets requests through. */
  get available(): boolean {
    return this.#health.state === 'ready' && this.#breaker.allows(this.#now());
  }

  /** Not there, as far as known: worth asking often whether it is back. */
  get away(): boolean {
    return this.#health.state !== 'ready' || this.#breaker.away;
  }

  get hasRoom(): boolean {
    return this.#slots.free;
  }

  /** What a probe found. A server that is warming up is not failing: its breaker stays as it is. */
  found(health: Health): void {
    if (health.state === 'ready') {
      if (this.#health.state === 'ready') this.#breaker.returned();
      else this.#breaker.succeeded();
    }
    this.#health = health;
  }

  /** @param tokens estimate of prompt and expected answer */
  lease(tokens: number): Lease {
    let open = true;
    this.#slots.take();
    this.#leases += 1;
    this.#meanTokens += (tokens - this.#meanTokens) * MEAN_STEP;
    this.#outstandingTokens += tokens;
    this.#breaker.admitted(this.#now());
    this.#rate.started(this.#now());
    return {
      replica: this,
      answering: () => {
        if (open) this.#breaker.answering();
      },
      end: (outcome) => {
        if (!open) return;
        open = false;
        this.#leases -= 1;
        this.#outstandingTokens -= tokens;
        this.#conclude(outcome, tokens);
        this.#slots.release();
      },
    };
  }

  #conclude(outcome: LeaseOutcome, tokens: number): void {
    const now = this.#now();
    this.#rate.ended(now, outcome.kind === 'ok' ? tokens : 0);
    if (outcome.kind === 'ok') this.#breaker.succeeded();
    else if (outcome.kind === 'undecided') this.#breaker.undecided();
    else if (outcome.retryAfterMs !== undefined) this.#breaker.rest(now, outcome.retryAfterMs);
    else this.#failed(now, outcome.away ?? false);
  }

  #failed(now: number, away: boolean): void {
    const before = this.#breaker.away;
    this.#breaker.failed(now, away);
    if (this.#breaker.away && !before) this.onAway();
  }
}

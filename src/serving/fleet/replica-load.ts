/** What one replica of an expert holds, here and elsewhere, and how fast it is. */
import type { EngineDescription, Expert } from '../experts/expert.ts';
import { AdapterLoad } from './adapter-load.ts';
import { BusyClock } from './busy-clock.ts';
import { type LoadReport, NO_REPORT, type ReportState, stateOf } from './load-report.ts';
import { hasFullCache, othersNow, slotsNow } from './observed-load.ts';
import { PrefillRate } from './prefill-rate.ts';
import { ServiceRate } from './service-rate.ts';
import { CountedSlots, type Slots } from './slots.ts';

/** Tokens that a request is taken for until the first has come. */
const FIRST_TOKENS = 512;
/** How fast the mean follows: about the last 32 requests count. */
const MEAN_STEP = 1 / 32;

/** What other processes hold of the same replica, as last heard. */
interface Elsewhere {
  readonly inFlight: number;
  readonly outstandingTokens: number;
}

export interface ReplicaOptions {
  readonly weight: number;
  readonly limit: number;
  /** Milliseconds that never run backwards. */
  readonly now: () => number;
  /** Those of this process; its own alone when absent. */
  readonly slots?: Slots;
  /** Of its server; one of its own when absent. */
  readonly clock?: BusyClock;
}

export abstract class ReplicaLoad {
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
  readonly #rate = new ServiceRate();
  /** How fast it reads prompts. */
  readonly prefill = new PrefillRate();
  readonly #adapterLoad = new AdapterLoad();
  protected readonly now: () => number;
  readonly #slots: Slots;
  #outstandingTokens = 0;
  #meanTokens = FIRST_TOKENS;
  #toldRate = 0;

  constructor(name: string, expert: Expert, { weight, limit, now, slots, clock }: ReplicaOptions) {
    this.name = name;
    this.expert = expert;
    this.weight = weight;
    this.limit = limit;
    this.now = now;
    this.clock = clock ?? new BusyClock();
    this.#slots = slots ?? new CountedSlots();
    if (!slots) this.applyLimit();
  }

  /** Of this process, those that end with an earlier config included. */
  get own(): Elsewhere {
    return { inFlight: this.#slots.used, outstandingTokens: this.#outstandingTokens };
  }

  get elsewhere(): Elsewhere {
    return this.#elsewhere;
  }

  set elsewhere(elsewhere: Elsewhere) {
    this.clock.change(elsewhere.inFlight - this.#elsewhere.inFlight, this.now());
    this.#elsewhere = elsewhere;
  }

  get inFlight(): number {
    return this.#slots.used + this.#elsewhere.inFlight;
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
    return seen ? othersNow(seen, this.inFlight, share, this.now()) : 0;
  }

  /** Requests it runs at once before more have to wait. */
  get slots(): number {
    const { seen } = this.report;
    return seen ? slotsNow(seen, this.limit, this.now()) : this.limit;
  }

  /** Its engine has no room for the tokens of one more. */
  get full(): boolean {
    const { seen } = this.report;
    return seen !== null && hasFullCache(seen, this.now());
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
    return stateOf(this.report, this.now());
  }

  /** Milliseconds since the last reading; null where there is none. */
  get reportAge(): number | null {
    const { seen } = this.report;
    return seen ? Math.max(0, this.now() - seen.at) : null;
  }

  /** As measured here; until then as other gateways have. */
  get tokensPerSecond(): number {
    return this.measuredRate || this.#toldRate;
  }

  /** Tokens per second, as measured here; 0 for unknown. */
  get measuredRate(): number {
    return this.#rate.perSecond(this.now());
  }

  /**
   * Tokens per second that it would finish with a request in every slot, each as fast as they are now less what more at once
   * were seen to cost; 0 for unknown. What it
   * finishes at the moment says how much it is given, not how much it could do.
   */
  get fullRate(): number {
    const { slots } = this;
    if (!Number.isFinite(slots)) return this.tokensPerSecond;
    return this.#rate.full(slots, this.now());
  }

  /** Rates that another gateway has measured, in tokens per second; 0 for unknown. */
  set told({ finishes, reads }: { readonly finishes: number; readonly reads: number }) {
    this.#toldRate = finishes || this.#toldRate;
    this.prefill.told = reads || this.prefill.told;
  }

  get hasRoom(): boolean {
    return this.#slots.free;
  }

  /** It has one more request. */
  protected take(tokens: number, now: number): void {
    this.#slots.take();
    this.#meanTokens += (tokens - this.#meanTokens) * MEAN_STEP;
    this.#outstandingTokens += tokens;
    this.#rate.started(now);
    this.clock.change(1, now);
  }

  /** One has ended; it keeps its slot until `release`. */
  protected finish(tokens: number, answered: boolean, now: number): void {
    this.clock.change(-1, now);
    this.#outstandingTokens -= tokens;
    this.#rate.ended(now, answered ? tokens : 0);
  }

  protected release(): void {
    this.#slots.release();
  }

  /** @param read tokens; undefined for unknown */
  protected measure(
    read: number | undefined,
    { firstMs, unloaded }: { readonly firstMs: number; readonly unloaded: boolean },
  ): void {
    if (this.expert.adapter) this.#adapterLoad.observe(unloaded, firstMs);
    // Loading an adapter is no reading.
    if (read !== undefined && !unloaded) this.prefill.observe(read, firstMs);
  }
}

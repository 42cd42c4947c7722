/** A lease on a replica: the only way to count a request in, and its first ending counts it out. */
import type { Seat } from '../../core/roster.ts';
import type { Breaker } from './breaker.ts';
import type { Shape } from './breakers.ts';
import type { SignsOfLife, Waiting } from './signs-of-life.ts';

export type LeaseOutcome =
  /** @property streamed absent for a whole answer @property read tokens of the prompt that were not cached, of a streamed answer; unknown when absent */
  | {
      readonly kind: 'ok';
      readonly outputTokens: number;
      readonly streamed?: boolean;
      readonly read?: number;
    }
  /** @property unreachable nobody was there */
  | { readonly kind: 'failed'; readonly unreachable?: boolean }
  /** The server answered with a failure, which may be its own doing or the request's. */
  | { readonly kind: 'faulted' }
  /** No first token within the deadline, which may be the length of the prompt. */
  | { readonly kind: 'late' }
  /** It asked to be left alone. @property tenant by whom; null for everybody */
  | { readonly kind: 'limited'; readonly forMs: number; readonly tenant: string | null }
  /** The reader left, or the request was refused for what it is. */
  | { readonly kind: 'undecided' };

/** @typeParam R the replica */
export interface LeaseOn<R> {
  readonly replica: R;
  /** The first token has come. */
  answering(): void;
  /** A part of the answer has come. */
  heard(): void;
  /** To be told that the replica hangs, before the first token has come. */
  wait(waiting: Waiting): void;
  /** A whole answer has taken so long that it is worth asking whether its replica lives. */
  overdue(): void;
  /** What it has taken of the replica's time so far, in seconds (`BusyClock`). */
  seconds(): number;
  /** Harmless when repeated. */
  end(outcome: LeaseOutcome): void;
  /** The failure it ended with was the request's own: others failed with it as well. */
  absolve(): void;
}

/** What a lease does to its replica. */
export interface Lessor<R> {
  readonly replica: R;
  readonly signs: SignsOfLife;
  now(): number;
  /** Of its server, in milliseconds (`BusyClock`). */
  virtual(): number;
  answering(): void;
  doubt(): void;
  /** Found ready by a probe or an answer, and not failed since. */
  proven(): boolean;
  /** @returns the breaker that was told of a failure which may yet turn out to be the request's own */
  ended(lease: HeldLease<R>, outcome: LeaseOutcome): Breaker | null;
  /** All that follows from the end has been done. */
  settled(): void;
  absolved(proven: boolean): void;
}

export class HeldLease<R> implements LeaseOn<R> {
  /** Estimate of prompt and expected answer. */
  readonly tokens: number;
  readonly shape: Shape;
  /** It found the expert's LoRA adapter not in GPU memory. */
  readonly unloaded: boolean;
  /** From its beginning to the first token; 0 before. */
  firstMs = 0;
  readonly #lessor: Lessor<R>;
  readonly #changed: () => void;
  readonly #started: number;
  readonly #begun: number;
  /** Parts of answers heard of others until now: signs of this request are none of others. */
  #signs: number;
  #state: 'waiting' | 'answering' | 'over' = 'waiting';
  #seat: Seat<Waiting> | null = null;
  #taken: number | null = null;
  #blamed: Breaker | null = null;
  #proven = false;

  /** @param changed called after every step that may have made room */
  constructor(
    lessor: Lessor<R>,
    request: { tokens: number; shape: Shape; unloaded: boolean },
    changed: () => void,
  ) {
    this.#lessor = lessor;
    this.tokens = request.tokens;
    this.shape = request.shape;
    this.#changed = changed;
    this.#signs = lessor.signs.count;
    this.#started = lessor.now();
    this.#begun = lessor.virtual();
    this.unloaded = request.unloaded;
  }

  get replica(): R {
    return this.#lessor.replica;
  }

  /** Whether others were answered since its beginning, or are being answered. */
  get othersLive(): boolean {
    return this.#lessor.signs.isAlive(this.#signs);
  }

  answering(): void {
    if (this.#state !== 'waiting') return;
    this.#state = 'answering';
    this.firstMs = this.#lessor.now() - this.#started;
    this.#lessor.signs.began(this.tokens);
    this.#signs += 1;
    this.#waitNoMore();
    this.#lessor.answering();
    this.#changed();
  }

  heard(): void {
    this.#lessor.signs.heard();
    this.#signs += 1;
  }

  wait(waiting: Waiting): void {
    this.#seat = this.#lessor.signs.wait(waiting);
  }

  overdue(): void {
    if (this.#state === 'waiting' && !this.othersLive) this.#lessor.doubt();
  }

  seconds(): number {
    return this.#shareMs() / 1000;
  }

  end(outcome: LeaseOutcome): void {
    if (this.#state === 'over') return;
    this.#taken = this.#shareMs();
    if (this.#state === 'answering') this.#lessor.signs.stopped();
    this.#state = 'over';
    this.#waitNoMore();
    this.#proven = this.#lessor.proven();
    this.#blamed = this.#lessor.ended(this, outcome);
    this.#changed();
    this.#lessor.settled();
  }

  absolve(): void {
    if (!this.#blamed) return;
    this.#blamed.absolve();
    this.#blamed = null;
    this.#lessor.absolved(this.#proven);
    this.#changed();
  }

  #shareMs(): number {
    return this.#taken ?? this.#lessor.virtual() - this.#begun;
  }

  #waitNoMore(): void {
    if (this.#seat) this.#lessor.signs.leave(this.#seat);
    this.#seat = null;
  }
}

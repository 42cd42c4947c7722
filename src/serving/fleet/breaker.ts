/**
 * A circuit breaker: after several failures in a row it keeps requests off for a while, then lets one through to
 * see. The time is passed in, in milliseconds.
 */

type State =
  | { readonly kind: 'closed'; readonly failures: number }
  | {
      readonly kind: 'open';
      readonly until: number;
      readonly cooldown: number;
      /** Nobody was there. */
      readonly unreachable: boolean;
      /** The server asked for it. */
      readonly asked: boolean;
      /** What it was before it opened. */
      readonly from: State;
    }
  | { readonly kind: 'half-open'; readonly cooldown: number; readonly probing: boolean };

/** Failures in a row that open it. */
const FAILURES = 5;
const FIRST_COOLDOWN_MS = 1_000;
const LONGEST_COOLDOWN_MS = 10_000;
/** A server may ask to be left alone, not for ever: after this it is tried again. */
const LONGEST_BACKOFF_MS = 120_000;

export type BreakerState = State['kind'];

export class Breaker {
  #state: State = { kind: 'closed', failures: 0 };

  state(now: number): BreakerState {
    this.#pass(now);
    return this.#state.kind;
  }

  /** Lets every request through, whatever the time. */
  get closed(): boolean {
    return this.#state.kind === 'closed';
  }

  /** Whether a request may go through now. */
  allows(now: number): boolean {
    this.#pass(now);
    return this.#state.kind === 'closed' || (this.#state.kind === 'half-open' && !this.#state.probing);
  }

  /** Milliseconds until it lets one through; 0 when it does already. */
  opensIn(now: number): number {
    this.#pass(now);
    return this.#state.kind === 'open' ? this.#state.until - now : 0;
  }

  /** A request goes through; half-open, it is the one that finds out. */
  admitted(now: number): void {
    this.#pass(now);
    if (this.#state.kind === 'half-open') this.#state = { ...this.#state, probing: true };
  }

  /** Open because nobody was there, so that finding somebody there is reason to try again. */
  get unreachable(): boolean {
    return this.#state.kind === 'open' && this.#state.unreachable;
  }

  /** Open because it was asked to be. */
  get backingOff(): boolean {
    return this.#state.kind === 'open' && this.#state.asked;
  }

  /** Somebody is there again. */
  returned(): void {
    if (this.#state.kind === 'open' && this.#state.unreachable)
      this.#state = { kind: 'half-open', cooldown: this.#state.cooldown, probing: false };
  }

  succeeded(): void {
    this.#state = { kind: 'closed', failures: 0 };
  }

  /**
   * The request that finds out has its first token: others may come too, before its end, which may be minutes ahead.
   * On trial still: the next failure opens it again.
   */
  answering(): void {
    if (this.#state.kind === 'half-open') this.#state = { kind: 'closed', failures: FAILURES - 1 };
  }

  /** A request that ended without saying anything about the server: the reader left, say. */
  undecided(): void {
    if (this.#state.kind === 'half-open') this.#state = { ...this.#state, probing: false };
  }

  /** @param unreachable whether nobody was there at all */
  failed(now: number, unreachable = false): void {
    this.#pass(now);
    if (this.#state.kind === 'closed' && this.#state.failures + 1 < FAILURES) {
      this.#state = { kind: 'closed', failures: this.#state.failures + 1 };
      return;
    }
    const cooldown =
      this.#state.kind === 'closed'
        ? FIRST_COOLDOWN_MS
        : Math.min(this.#state.cooldown * 2, LONGEST_COOLDOWN_MS);
    // Failures of requests admitted before it opened add nothing.
    if (this.#state.kind === 'open') return;
    this.#state = {
      kind: 'open',
      until: now + cooldown,
      cooldown,
      unreachable,
      asked: false,
      from: this.#state,
    };
  }

  /** Others have failed there: one failure more opens it. @returns whether that is news */
  warned(): boolean {
    if (this.#state.kind !== 'closed' || this.#state.failures >= FAILURES - 1) return false;
    this.#state = { kind: 'closed', failures: FAILURES - 1 };
    return true;
  }

  /** Opens at once, without further failures. */
  open(now: number): void {
    while (this.state(now) === 'closed') this.failed(now);
  }

  /** The server itself asked to be left alone (Retry-After). */
  backOff(now: number, milliseconds: number): void {
    const cooldown = this.#state.kind === 'closed' ? FIRST_COOLDOWN_MS : this.#state.cooldown;
    const until = now + Math.min(milliseconds, LONGEST_BACKOFF_MS);
    const from = this.#state.kind === 'open' ? this.#state.from : this.#state;
    this.#state = { kind: 'open', until, cooldown, unreachable: false, asked: true, from };
  }

  /** One of the failures it was told of turned out to be the request's own. */
  absolve(): void {
    if (this.#state.kind === 'closed')
      this.#state = { kind: 'closed', failures: Math.max(0, this.#state.failures - 1) };
    else if (this.#state.kind === 'open') this.#state = this.#state.from;
    else this.undecided();
  }

  #pass(now: number): void {
    if (this.#state.kind === 'open' && now >= this.#state.until) {
      this.#state = { kind: 'half-open', cooldown: this.#state.cooldown, probing: false };
    }
  }
}

/**
 * The breakers of one replica: one for all requests, one for each shape of request that it has failed at, and for each
 * tenant the time until which it asked to be left alone. The time is passed in, in milliseconds.
 */
import { Breaker } from './breaker.ts';

/** What a request asks for besides text, such as `image`; empty for text alone. Read only where it matters. */
export type Shape = () => string;

/** Shapes of requests that are judged apart. */
const MOST_SHAPES = 16;

export class Breakers {
  readonly main = new Breaker();
  /** For requests that ask for more than text: a server that fails at pictures may be good at everything else. */
  readonly #shapes = new Map<string, Breaker>();
  readonly #backoffs = new Map<string, number>();

  /** Milliseconds for which the tenant is to leave the replica alone; 0 when it may ask. */
  backoffOf(tenant: string, now: number): number {
    return Math.max(0, (this.#backoffs.get(tenant) ?? 0) - now);
  }

  /** Whether requests of this shape may go there: it has not failed at their like again and again. */
  takes(shape: Shape, now: number): boolean {
    return this.#of(shape)?.allows(now) ?? true;
  }

  admitted(shape: Shape, now: number): void {
    this.main.admitted(now);
    this.#of(shape)?.admitted(now);
  }

  succeeded(shape: Shape): void {
    this.main.succeeded();
    this.#of(shape)?.succeeded();
  }

  undecided(shape: Shape): void {
    this.main.undecided();
    this.#of(shape)?.undecided();
  }

  /** The breaker that a failure at a request of this shape is held against. */
  blamed(shape: string): Breaker {
    if (shape === '') return this.main;
    this.main.undecided();
    const known = this.#shapes.get(shape);
    if (known) return known;
    if (this.#shapes.size >= MOST_SHAPES) this.#shapes.delete(this.#shapes.keys().next().value!);
    const fresh = new Breaker();
    this.#shapes.set(shape, fresh);
    return fresh;
  }

  /**
   * One tenant is told to wait; when a second is told so too, it is meant for all.
   * @param tenant null for everybody
   * @returns the breaker that opened; null where one tenant alone waits
   */
  limited(now: number, forMs: number, tenant: string | null): Breaker | null {
    if (tenant !== null) {
      for (const [one, until] of this.#backoffs) if (until <= now) this.#backoffs.delete(one);
      const another = [...this.#backoffs.keys()].some((one) => one !== tenant);
      this.#backoffs.set(tenant, now + forMs);
      this.main.undecided();
      if (!another) return null;
    }
    this.main.backOff(now, forMs);
    return this.main;
  }

  /** The shape is read only where one has failed. */
  #of(shape: Shape): Breaker | undefined {
    return this.#shapes.size === 0 ? undefined : this.#shapes.get(shape());
  }
}

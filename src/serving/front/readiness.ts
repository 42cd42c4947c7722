/** Whether the router can serve: it is not shutting down and at least one expert is ready. */
import type { Fleet } from '../fleet/fleet.ts';

/** An answer is good for so long: a path that needs no key must not make the router ask experts without limit. */
const GOOD_FOR_MS = 1_000;

export class Readiness {
  readonly #fleet: Pick<Fleet, 'check'>;
  /** Milliseconds that never run backwards. */
  readonly #now: () => number;
  #draining = false;
  #asked: { readonly at: number; readonly ready: Promise<boolean> } | null = null;

  constructor(fleet: Pick<Fleet, 'check'>, now: () => number) {
    this.#fleet = fleet;
    this.#now = now;
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** From now on not ready, so that a load balancer stops sending. */
  drain(): void {
    this.#draining = true;
  }

  async check(): Promise<boolean> {
    if (this.#draining) return false;
    const now = this.#now();
    if (this.#asked === null || now - this.#asked.at >= GOOD_FOR_MS)
      this.#asked = { at: now, ready: this.#anyReady() };
    return (await this.#asked.ready) && !this.#draining;
  }

  async #anyReady(): Promise<boolean> {
    const states = await this.#fleet.check();
    return [...states.values()].some(({ state }) => state === 'ready');
  }
}

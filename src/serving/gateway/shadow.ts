/**
 * A second router model that decides beside the one in force, without effect: how often, and between which experts, would
 * prompts belong elsewhere by it? It looks at a sample, after the requests have gone on, and never has much to look at.
 */
import type { Routed, Router } from './router.ts';

/** Decisions looked at in a second, at most: at a millisecond each they take 2 % of a core. */
const MOST_A_SECOND = 20;
const MOST_WAITING = 20;
/** Reasons that no router model has a part in. */
const UNCOMPARED: ReadonlySet<string> = new Set(['explored', 'side-request']);

/** What became of one decision; it is known a moment later, if ever. */
export interface Shadowed {
  /** The expert that the prompt belongs to by the shadow; null where it has not looked. */
  home: string | null;
}

export interface ShadowCounts {
  /** Id of its router model. */
  readonly model: string;
  /** Decisions looked at: the expert in force, the shadow's, how many. */
  readonly pairs: readonly (readonly [home: string, shadow: string, count: number])[];
}

export class Shadow {
  readonly #router: Router;
  readonly #now: () => number;
  readonly #soon: (then: () => void) => unknown;
  readonly #pairs = new Map<string, Map<string, number>>();
  readonly #waiting: { readonly routed: Routed; readonly seen: Shadowed }[] = [];
  #second = 0;
  #looked = 0;
  #looking = false;

  /**
   * @param router of the same experts, by the shadow's model
   * @param now milliseconds that never run backwards
   * @param soon calls back in a later turn of the event loop
   */
  constructor(router: Router, now: () => number, soon: (then: () => void) => unknown = setImmediate) {
    this.#router = router;
    this.#now = now;
    this.#soon = soon;
  }

  get counts(): ShadowCounts {
    return {
      model: this.#router.model.id,
      pairs: [...this.#pairs].flatMap(([home, others]) =>
        [...others].map(([shadow, count]) => [home, shadow, count] as const),
      ),
    };
  }

  /** A decision was made. What the client, the config or chance chose is nothing to compare. */
  see(routed: Routed): Shadowed {
    const seen: Shadowed = { home: null };
    if (routed.among !== null && !UNCOMPARED.has(routed.decision.reason) && this.#takes()) {
      this.#waiting.push({ routed, seen });
      if (!this.#looking) this.#next();
    }
    return seen;
  }

  #takes(): boolean {
    const second = Math.floor(this.#now() / 1000);
    if (second !== this.#second) [this.#second, this.#looked] = [second, 0];
    if (this.#looked >= MOST_A_SECOND || this.#waiting.length >= MOST_WAITING) return false;
    this.#looked += 1;
    return true;
  }

  /** One in a turn of the event loop. */
  #next(): void {
    this.#looking = true;
    this.#soon(() => {
      const next = this.#waiting.shift();
      this.#looking = this.#waiting.length > 0;
      if (next) void this.#look(next.routed, next.seen);
      if (this.#looking) this.#next();
    });
  }

  /** A model that cannot decide this one has no say on it. */
  async #look({ turns, among, decision }: Routed, seen: Shadowed): Promise<void> {
    const home = await settled(() => this.#router.home(turns, among!, decision.livedAt));
    if (home === null) return;
    seen.home = home;
    const others = this.#pairs.get(decision.home) ?? new Map<string, number>();
    this.#pairs.set(decision.home, others.set(home, (others.get(home) ?? 0) + 1));
  }
}

/** Null where it throws or rejects. */
async function settled<T>(act: () => T | Promise<T>): Promise<T | null> {
  try {
    return await act();
  } catch {
    return null;
  }
}

/** Of several processes, as if it were one; those of another model are of an earlier moment and left out. */
export function addShadows(all: readonly (ShadowCounts | null)[]): ShadowCounts | null {
  const told = all.filter((one) => one !== null);
  const model = told.at(-1)?.model;
  if (model === undefined) return null;
  const sums = new Map<string, [string, string, number]>();
  for (const [home, shadow, count] of told
    .filter((one) => one.model === model)
    .flatMap(({ pairs }) => pairs)) {
    const key = JSON.stringify([home, shadow]);
    const sum = sums.get(key) ?? [home, shadow, 0];
    sum[2] += count;
    sums.set(key, sum);
  }
  return { model, pairs: [...sums.values()] };
}

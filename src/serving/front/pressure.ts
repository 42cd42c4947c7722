/**
 * Whether requests come faster than this process can serve them, by what they wait in a turn of the event loop behind
 * others. A wait is nothing bad, a lasting one is: while it lasts, what has waited too long is refused at once, which costs
 * a fraction of serving it, and the rest is served in time. (The idea is CoDel's: Nichols and Jacobson, "Controlling Queue
 * Delay", ACM Queue 10(5), 2012.)
 */

/** How often the length of turns is looked at. */
export const PRESSURE_EVERY_MS = 20;
/** In a turn that has taken longer, what still comes is refused while pressure lasts. */
const TURN_MS = 40;
/** Turns that are longer for so long are pressure. Until then they are a wave, such as many clients at once. */
const PATIENCE_MS = 5_000;
/** It is over after this long without a longer one. */
const CALM_MS = 2_000;
/** Turns are late on a busy machine too. A process that is short of time itself has none left between its turns. */
const BUSY = 0.95;
/** A client is told to come back when the pressure may have ended: it has lasted so long, and may as long again. */
const RETRY_S = { least: 1, most: 30 } as const;

export class Pressure {
  readonly #now: () => number;
  readonly #idleMs: () => number;
  #idleBefore: number;
  /** When the present turn began, if it is a long one. */
  #turnBegan: number;
  #longSince: number | null = null;
  #longAt = 0;
  /** When the pressure began; null for none: all that a request asks otherwise. */
  #since: number | null = null;

  /** @param now milliseconds that never run backwards @param idleMs how many the event loop has had nothing to do so far */
  constructor(now: () => number, idleMs: () => number) {
    this.#now = now;
    this.#idleMs = idleMs;
    this.#idleBefore = idleMs();
    this.#turnBegan = now();
  }

  /** To be called by a timer, every `PRESSURE_EVERY_MS` if the loop allows: timers run when a turn begins. */
  look(): void {
    const now = this.#now();
    const idle = this.#idleMs();
    const took = now - this.#turnBegan;
    const busy = idle - this.#idleBefore < took * (1 - BUSY);
    this.#idleBefore = idle;
    this.#turnBegan = now;
    if (busy && took - PRESSURE_EVERY_MS > TURN_MS) {
      this.#longSince ??= now;
      this.#longAt = now;
      if (now - this.#longSince >= PATIENCE_MS) this.#since ??= this.#longSince;
    } else {
      this.#longSince = null;
      if (now - this.#longAt >= CALM_MS) this.#since = null;
    }
  }

  /**
   * Whether the request that is read now has waited too long.
   * @returns seconds after which to ask again; null to serve it
   */
  refusal(): number | null {
    if (this.#since === null) return null;
    const now = this.#now();
    if (now - this.#turnBegan <= TURN_MS) return null;
    return Math.min(RETRY_S.most, Math.max(RETRY_S.least, Math.ceil((now - this.#since) / 1000)));
  }
}

/**
 * The start of an expert that has been scaled to zero: since when it is wanted, and how long its starts take. Kept beyond
 * a config, so that a reload forgets neither.
 */

/** Of a start while none has been seen: a model of some gigabytes goes from a disk into a GPU. */
const ASSUMED_MS = 60_000;
/** How far the mean follows one start: about the last four count. */
const STEP = 1 / 4;
/** A start that takes longer than expected is taken to have this share of the expected time before it. */
const LEAST_LEFT = 0.1;

export class ColdStart {
  readonly #now: () => number;
  #meanMs: number | null = null;
  /** Null while it is not wanted. */
  #wanted: { readonly at: number; readonly until: number } | null = null;

  /** Called when a start has been seen, with what one is then expected to take. */
  readonly #learned: (ms: number) => void;

  /** @param now milliseconds that never run backwards @param known what an earlier process had learned */
  constructor(now: () => number, known: number | null = null, learned: (ms: number) => void = () => {}) {
    this.#now = now;
    this.#meanMs = known;
    this.#learned = learned;
  }

  /** Somebody needs it while nothing of it runs. @param limitMs a start that takes longer has failed */
  wanted(limitMs: number): void {
    const at = this.#now();
    if (this.#wanted && at < this.#wanted.until) return;
    if (this.#wanted) this.#took(this.#wanted.until - this.#wanted.at);
    this.#wanted = { at, until: at + limitMs };
  }

  /** It runs. */
  came(): void {
    if (this.underWay) this.#took(this.#now() - this.#wanted!.at);
    this.#wanted = null;
  }

  /** Whether it was wanted and may yet come. */
  get underWay(): boolean {
    return this.#wanted !== null && this.#now() < this.#wanted.until;
  }

  /** Milliseconds that a whole start is expected to take. */
  get expectedMs(): number {
    return this.#meanMs ?? ASSUMED_MS;
  }

  /** Milliseconds from now until it runs, if it is wanted now or has been already. */
  get leftMs(): number {
    if (!this.underWay) return this.expectedMs;
    const passed = this.#now() - this.#wanted!.at;
    return Math.max(this.expectedMs - passed, this.expectedMs * LEAST_LEFT);
  }

  #took(ms: number): void {
    this.#meanMs = this.#meanMs === null ? ms : this.#meanMs + (ms - this.#meanMs) * STEP;
    this.#learned(this.#meanMs);
  }
}

/** Keeps over restarts how long starts take, in milliseconds. */
export interface StartMemory {
  known(expert: string): number | null;
  learned(expert: string, ms: number): void;
}

const FORGETFUL: StartMemory = { known: () => null, learned: () => {} };

/** Of each expert that starts when it is needed, by id. */
export class ColdStarts {
  readonly #starts = new Map<string, ColdStart>();
  readonly #now: () => number;
  readonly #memory: StartMemory;

  constructor(now: () => number, memory: StartMemory = FORGETFUL) {
    this.#now = now;
    this.#memory = memory;
  }

  of(expert: string): ColdStart {
    const known =
      this.#starts.get(expert) ??
      new ColdStart(this.#now, this.#memory.known(expert), (ms) => this.#memory.learned(expert, ms));
    this.#starts.set(expert, known);
    return known;
  }
}

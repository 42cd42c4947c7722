/**
 * How much longer a token of a request takes for each further request beside it, from how it went at other times: a straight
 * line through the times of a token by requests at once, as the time of a decode step is one in the size of its batch. Older
 * times count less.
 */

/** Observed over so much busy time each, and longer where nothing has finished yet. */
const WINDOW_MS = 5_000;
/** After so much busy time an observation counts half: longer than a rate, so that quiet and busy times are both known. */
const HALF_LIFE_MS = 300_000;
/** The number at once must have differed by this share of its mean before it says anything. */
const LEAST_SPREAD = 0.15;

export class Crowding {
  #busyMs = 0;
  #requestMs = 0;
  #tokens = 0;
  /** Weighted sums: of the weights (tokens), of x = requests at once and y = milliseconds a token, of x² and of xy. */
  #sums = { w: 0, x: 0, y: 0, xx: 0, xy: 0 };

  /** So many milliseconds with so many requests. */
  passed(ms: number, requests: number): void {
    // Not as the first of several ends that end together: the others' tokens are of this window too.
    if (ms > 0 && this.#busyMs >= WINDOW_MS && this.#tokens > 0) this.#close();
    this.#busyMs += ms;
    this.#requestMs += ms * requests;
  }

  /** A request ended, with so many tokens. */
  finished(tokens: number): void {
    this.#tokens += tokens;
  }

  #close(): void {
    const x = this.#requestMs / this.#busyMs;
    const y = this.#requestMs / this.#tokens;
    const kept = 0.5 ** (this.#busyMs / HALF_LIFE_MS);
    const w = this.#tokens;
    const { w: weight, x: sumX, y: sumY, xx, xy } = this.#sums;
    this.#sums = {
      w: weight * kept + w,
      x: sumX * kept + w * x,
      y: sumY * kept + w * y,
      xx: xx * kept + w * x * x,
      xy: xy * kept + w * x * y,
    };
    this.#busyMs = 0;
    this.#requestMs = 0;
    this.#tokens = 0;
  }

  /** Milliseconds a token more for each request more; 0 while nothing is known, and never less. */
  get slope(): number {
    const { w, x, y, xx, xy } = this.#sums;
    if (w === 0) return 0;
    const [meanX, meanY] = [x / w, y / w];
    const spread = xx / w - meanX * meanX;
    if (spread < (LEAST_SPREAD * meanX) ** 2) return 0;
    return Math.max(0, (xy / w - meanX * meanY) / spread);
  }
}

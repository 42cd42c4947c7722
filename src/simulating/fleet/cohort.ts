/**
 * The requests asked within the measured time, followed until they are answered or the run is given up: their waiting
 * times, those cut off included, and how many were present.
 */
import { type Percentiles, Sketch } from './sketch.ts';

/** Where a request is, from question to last token. */
export interface Asked {
  readonly asked: number;
  /** 0 until there is one. */
  firstToken: number;
}

export interface CohortMeasures {
  readonly requests: number;
  readonly answered: number;
  readonly ttft_ms: Percentiles;
  readonly tpot_ms: Percentiles;
  readonly e2e_ms: Percentiles;
  readonly little: LittlesLaw;
}

/** Little (1961): requests present on average = rate at which they come x time each stays. */
export interface LittlesLaw {
  readonly present: number;
  readonly rate_times_time: number;
  /** Whether the two agree within 5 %: they do once as many leave as come. Reported times are those of that state. */
  readonly steady: boolean;
}

const STEADY = 0.05;

export class Cohort {
  readonly #from: number;
  readonly #until: number;
  readonly #ttft = new Sketch();
  readonly #tpot = new Sketch();
  readonly #e2e = new Sketch();
  #asked = 0;
  #answered = 0;
  /** Integral of the number present over the measured time, and the same summed request by request. */
  #present = 0;
  #presentSeconds = 0;
  #overlap = 0;
  #lag = 0;
  #since: number;

  constructor(from: number, until: number) {
    this.#from = from;
    this.#until = until;
    this.#since = from;
  }

  /** Requests of the cohort that are still unanswered. */
  get open(): number {
    return this.#asked - this.#answered;
  }

  asked(now: number): void {
    this.#tick(now);
    this.#present += 1;
    if (this.#within(now)) this.#asked += 1;
  }

  firstToken({ asked, firstToken }: Asked): void {
    if (this.#within(asked)) this.#ttft.add(1000 * (firstToken - asked));
  }

  /** @param now when it left the fleet @param time when its last token reached the client, a little later */
  answered({ asked, firstToken }: Asked, outputTokens: number, now: number, time: number): void {
    this.#tick(now);
    this.#present -= 1;
    this.#count(asked, time);
    this.#lag += this.#clip(asked, time) - this.#clip(asked, now);
    if (!this.#within(asked)) return;
    this.#answered += 1;
    this.#e2e.add(1000 * (time - asked));
    if (outputTokens > 1) this.#tpot.add((1000 * (time - firstToken)) / (outputTokens - 1));
  }

  /**
   * The run is over; what is unanswered is cut off at `now`.
   * @param generated tokens each of them has by now
   * @throws {Error} when presence over time and request by request differ: a request was lost or counted twice
   */
  close(unanswered: Iterable<Asked & { readonly generated: number }>, now: number): CohortMeasures {
    this.#tick(now);
    for (const { asked, firstToken, generated } of unanswered) {
      this.#count(asked, now);
      if (!this.#within(asked)) continue;
      this.#e2e.addAtLeast(1000 * (now - asked));
      if (firstToken === 0) this.#ttft.addAtLeast(1000 * (now - asked));
      else if (generated > 1) this.#tpot.add((1000 * (now - firstToken)) / (generated - 1));
    }
    const difference = Math.abs(this.#presentSeconds + this.#lag - this.#overlap);
    if (difference > 1e-6 * (1 + this.#overlap))
      throw new Error(
        `requests present, over time and one by one, differ by ${difference} s of ${this.#overlap} s`,
      );
    const e2e = this.#e2e.percentiles();
    return {
      requests: this.#asked,
      answered: this.#answered,
      ttft_ms: this.#ttft.percentiles(),
      tpot_ms: this.#tpot.percentiles(),
      e2e_ms: e2e,
      little: this.#little(e2e),
    };
  }

  #little({ mean, at_least }: Percentiles): LittlesLaw {
    const seconds = this.#until - this.#from;
    const present = this.#overlap / seconds;
    const product = this.#asked === 0 ? 0 : (this.#asked / seconds) * (mean / 1000);
    const steady =
      at_least.length === 0 && Math.abs(product - present) <= STEADY * Math.max(present, product);
    return { present, rate_times_time: product, steady };
  }

  #tick(now: number): void {
    const to = Math.min(now, this.#until);
    if (to <= this.#since) return;
    this.#presentSeconds += this.#present * (to - this.#since);
    this.#since = to;
  }

  #count(asked: number, left: number): void {
    this.#overlap += this.#clip(asked, left);
  }

  #clip(asked: number, left: number): number {
    return Math.max(0, Math.min(left, this.#until) - Math.max(asked, this.#from));
  }

  #within(asked: number): boolean {
    return asked >= this.#from && asked < this.#until;
  }
}

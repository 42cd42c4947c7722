/**
 * Quantiles of any number of samples in bounded memory: counts in logarithmic buckets, within half a percent of the true
 * value (DDSketch, Masson, Rim and Lee, VLDB 2019). Samples that were cut off count as at least what they had reached.
 */

export interface Percentiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly mean: number;
  /** Which of them are only lower bounds: too many samples were cut off to know more. NaN where there was no sample. */
  readonly at_least: readonly Quantile[];
}

export type Quantile = 'p50' | 'p95' | 'p99' | 'mean';

const SHARES = { p50: 0.5, p95: 0.95, p99: 0.99 } as const;

/** Half the relative width of a bucket. */
const ACCURACY = 0.005;
const GAMMA = (1 + ACCURACY) / (1 - ACCURACY);
const LOG_GAMMA = Math.log(GAMMA);
/** Values below this are one bucket, and values above it another; times are milliseconds. */
const SMALLEST = 1e-6;
const GREATEST = 1e12;
const FIRST = Math.floor(Math.log(SMALLEST) / LOG_GAMMA);
const BUCKETS = Math.ceil(Math.log(GREATEST) / LOG_GAMMA) - FIRST + 1;

export class Sketch {
  /** By bucket: samples that ended there, and samples cut off there. */
  readonly #ended = new Float64Array(BUCKETS);
  readonly #cut = new Float64Array(BUCKETS);
  #endedCount = 0;
  #cutCount = 0;
  #sum = 0;

  get count(): number {
    return this.#endedCount + this.#cutCount;
  }

  /** A sample that is known. */
  add(value: number): void {
    this.#ended[bucketOf(value)]! += 1;
    this.#endedCount += 1;
    this.#sum += value;
  }

  /** A sample of which only a lower bound is known. */
  addAtLeast(value: number): void {
    this.#cut[bucketOf(value)]! += 1;
    this.#cutCount += 1;
    this.#sum += value;
  }

  /**
   * Nearest ranks. With some samples cut off, a quantile is known while those that ended reach its rank even if all
   * others were longer; else it is a lower bound, taken over what everybody had reached.
   */
  percentiles(): Percentiles {
    const { count } = this;
    if (count === 0)
      return { p50: Number.NaN, p95: Number.NaN, p99: Number.NaN, mean: Number.NaN, at_least: [] };
    const bound = this.#cutCount > 0;
    const known = (share: number): boolean => Math.ceil(share * count) <= this.#endedCount;
    const names = Object.keys(SHARES) as (keyof typeof SHARES)[];
    const values = Object.fromEntries(
      names.map((name) => [name, this.#rank(Math.ceil(SHARES[name] * count))]),
    );
    return {
      ...(values as Record<keyof typeof SHARES, number>),
      mean: this.#sum / count,
      at_least: [...names.filter((name) => !known(SHARES[name])), ...(bound ? (['mean'] as const) : [])],
    };
  }

  #rank(rank: number): number {
    let left = rank;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      left -= this.#ended[bucket]! + this.#cut[bucket]!;
      if (left <= 0) return middleOf(bucket);
    }
    return Number.NaN;
  }
}

function bucketOf(value: number): number {
  if (value <= SMALLEST) return 0;
  return Math.min(BUCKETS - 1, Math.ceil(Math.log(value) / LOG_GAMMA) - FIRST);
}

function middleOf(bucket: number): number {
  return bucket === 0 ? 0 : (2 * GAMMA ** (bucket + FIRST)) / (GAMMA + 1);
}

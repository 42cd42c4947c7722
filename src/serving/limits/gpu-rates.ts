/** What a token of an expert is expected to cost in the time of its GPUs, from what requests were charged: for reservations. */
import { gpuUsdOf, type Price } from './price.ts';

/** Tokens of prompt and answer that a replica is taken to finish in a second until a request has ended. */
const ASSUMED_PER_SECOND = 500;
/** How far the mean follows one request. */
const STEP = 1 / 16;

export class GpuRates {
  readonly #prices: ReadonlyMap<string, Price>;
  /** Millionths of a dollar for a token, by expert. */
  readonly #perToken = new Map<string, number>();

  constructor(prices: ReadonlyMap<string, Price>) {
    this.#prices = prices;
  }

  /** Millionths of a dollar; 0 where GPUs have no price. */
  expected(expert: string, tokens: number): number {
    return Math.ceil(tokens * this.#rate(expert));
  }

  /** A whole answer was charged so many millionths of a dollar. */
  ended(expert: string, tokens: number, money: number): void {
    if (tokens <= 0 || this.#prices.get(expert)?.per_gpu_hour === undefined) return;
    const rate = this.#rate(expert);
    this.#perToken.set(expert, rate + (money / tokens - rate) * STEP);
  }

  #rate(expert: string): number {
    const price = this.#prices.get(expert);
    const second = gpuUsdOf(price?.gpus ?? 1, price) * 1e6;
    return this.#perToken.get(expert) ?? second / ASSUMED_PER_SECOND;
  }
}

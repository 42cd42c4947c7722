/** What an expert's tokens and GPUs cost. */
import type { Usage } from '../reply/reply.ts';
import type { Amount } from './ledger.ts';

/** Dollars: for a million tokens, for the time of GPUs, or both. */
export interface Price {
  readonly input?: number | undefined;
  readonly cached_input?: number | undefined;
  readonly output?: number | undefined;
  readonly per_gpu_hour?: number | undefined;
  /** Of a replica; 1 when absent. */
  readonly gpus?: number | undefined;
}

/** A price in dollars for a million tokens is one in millionths of a dollar for a token. */
export function amountOf(
  {
    inputTokens,
    outputTokens,
    cachedTokens = 0,
  }: Pick<Usage, 'inputTokens' | 'outputTokens' | 'cachedTokens'>,
  price: Price | null,
): Amount {
  const tokens = Math.ceil(inputTokens + outputTokens);
  if (price === null) return { tokens, money: 0 };
  const { input = 0, cached_input: cached = input, output = 0 } = price;
  const kept = Math.min(cachedTokens, inputTokens);
  const fresh = inputTokens - kept;
  return { tokens, money: Math.ceil(fresh * input + kept * cached + outputTokens * output) };
}

/** GPU-seconds of a replica's time; null where the price does not go by them. */
export function gpuSecondsOf(replicaSeconds: number, price: Price | undefined): number | null {
  return price?.per_gpu_hour === undefined ? null : replicaSeconds * (price.gpus ?? 1);
}

/** US dollars. */
export function gpuUsdOf(gpuSeconds: number | null, price: Price | undefined): number {
  return ((gpuSeconds ?? 0) * (price?.per_gpu_hour ?? 0)) / 3600;
}

/** US dollars for tokens; null where tokens or price are not known. What is not known is not free. */
export function usdOf(
  { promptTokens, cachedTokens, completionTokens }: ReportedTokens,
  price: Price | undefined,
): number | null {
  if (price === undefined) return null;
  if (price.input === undefined) return 0;
  if (promptTokens === null || completionTokens === null) return null;
  const usage = {
    inputTokens: promptTokens,
    cachedTokens: cachedTokens ?? 0,
    outputTokens: completionTokens,
  };
  return amountOf(usage, price).money / 1e6;
}

/** As an expert reported them; null where it did not. */
interface ReportedTokens {
  readonly promptTokens: number | null;
  readonly cachedTokens: number | null;
  readonly completionTokens: number | null;
}

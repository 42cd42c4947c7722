/**
 * Time of multi-head latent attention in one layer on one GPU (DeepSeek-V2, 2024): decoding with the up-projections
 * absorbed, so that one vector a token serves all heads; prompts as ordinary heads.
 */
import type { LatentEfficiency } from './efficiency.ts';
import { roundedMax } from './gemm.ts';

/** Heads are those on one GPU. */
export interface LatentShape {
  readonly heads: number;
  readonly rank: number;
  readonly rope: number;
  readonly nope: number;
  readonly value: number;
  readonly kvBytes: 1 | 2;
}

/** Seconds, without the floor, to attend to `contextTokens` tokens in all. */
export function latentDecodeSeconds(
  e: LatentEfficiency,
  bandwidth: number,
  peak16: number,
  s: LatentShape,
  contextTokens: number,
): number {
  const memory = (contextTokens * (s.rank + s.rope) * s.kvBytes) / (bandwidth * e.bandwidth[s.kvBytes]);
  const work = 2 * contextTokens * s.heads * (2 * s.rank + s.rope);
  return roundedMax(memory, work / (peak16 * e.decode[s.kvBytes]), e.knee);
}

/** Seconds, without the floor, for (query, key) pairs of prompts. */
export function latentPrefillSeconds(
  e: LatentEfficiency,
  peak16: number,
  s: LatentShape,
  pairs: number,
): number {
  return (2 * pairs * s.heads * (s.nope + s.rope + s.value)) / (peak16 * e.prefill[s.kvBytes]);
}

/** Time of attention in one layer on one GPU, for decoding and for prompts. */
import type { DecodeAttentionEfficiency, PrefillAttentionEfficiency } from './efficiency.ts';

/** Head counts are those on one GPU, after sharding. */
export interface AttentionShape {
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly kvBytes: 1 | 2;
}

/** Bytes of keys and values one token holds in one layer of one GPU. */
function layerBytesPerToken(shape: AttentionShape): number {
  return 2 * shape.kvHeads * shape.headDim * shape.kvBytes;
}

/**
 * Seconds, without the floor, for one new token in each of `sequences`: the cache is read once, so memory binds.
 * @param contextTokens tokens attended to, summed over the sequences
 */
export function decodeAttentionSeconds(
  efficiency: DecodeAttentionEfficiency,
  bandwidth: number,
  shape: AttentionShape,
  sequences: number,
  contextTokens: number,
): number {
  const bytes = contextTokens * layerBytesPerToken(shape);
  const share = (shape.heads > shape.kvHeads ? efficiency.grouped : efficiency.ungrouped)[shape.kvBytes];
  const waiting = (efficiency.mid * bytes) / (bytes + efficiency.halfBytes);
  return bytes / (bandwidth * share) + waiting + sequences * shape.heads * efficiency.perSequenceHead;
}

/**
 * Seconds, without the floor, for prompt chunks. Two products of 2 x pairs x headDim operations per head:
 * FlashAttention's count (Dao, 2022), halved for the causal mask by counting only pairs that are attended.
 * @param pairs (query, key) token pairs under the causal mask, summed over the chunks
 */
export function prefillAttentionSeconds(
  efficiency: PrefillAttentionEfficiency,
  peak16: number,
  shape: AttentionShape,
  tokens: number,
  pairs: number,
): number {
  const elements = shape.heads * shape.headDim;
  const products = (4 * pairs * elements) / (peak16 * efficiency.compute[shape.kvBytes]);
  return products + tokens * elements * efficiency.perTokenElement;
}

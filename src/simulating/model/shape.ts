/**
 * What a decoder-only transformer looks like from outside: counts of layers, heads and weights.
 * It knows nothing of GPUs, precisions or time.
 */

/** Mixture-of-experts feed-forward: each token passes `active` of `experts` blocks. */
export interface MixtureOfExperts {
  readonly experts: number;
  readonly active: number;
}

/** The sizes a Hugging Face `config.json` gives. Lengths are in elements, never in bytes. */
export interface TransformerShape {
  readonly name: string;
  readonly layers: number;
  readonly hidden: number;
  readonly heads: number;
  /** Key/value heads: fewer than `heads` with grouped-query attention (Ainslie et al., 2023). */
  readonly kvHeads: number;
  readonly headDim: number;
  /** Width of one feed-forward block (of one expert, where there are several). */
  readonly intermediate: number;
  readonly vocabulary: number;
  /** Gated feed-forward (SwiGLU: three matrices) or plain (two). */
  readonly gated: boolean;
  /** Input embedding and output head share one matrix. */
  readonly tiedEmbeddings: boolean;
  readonly moe: MixtureOfExperts | null;
  /** Tokens that a sliding-window layer looks back, and the share of the layers which have one. */
  readonly window: { readonly tokens: number; readonly layerShare: number } | null;
  /** The longest context the model was trained for, tokens. */
  readonly maxContext: number;
}

/** One class of matrix product in a layer: activations [m, k] times weights [k, n], before any sharding. */
export interface LayerMatrix {
  readonly kind: 'qkv' | 'attention-out' | 'ffn-in' | 'ffn-out';
  readonly n: number;
  readonly k: number;
  /** Which side tensor parallelism splits (Shoeybi et al., Megatron-LM, 2019: columns first, then rows). */
  readonly split: 'n' | 'k';
}

/** The matrix products of one layer; the feed-forward ones are those of a single expert. */
export function layerMatrices(shape: TransformerShape): readonly LayerMatrix[] {
  const { hidden, heads, kvHeads, headDim, intermediate, gated } = shape;
  return [
    { kind: 'qkv', n: (heads + 2 * kvHeads) * headDim, k: hidden, split: 'n' },
    { kind: 'attention-out', n: hidden, k: heads * headDim, split: 'k' },
    { kind: 'ffn-in', n: (gated ? 2 : 1) * intermediate, k: hidden, split: 'n' },
    { kind: 'ffn-out', n: hidden, k: intermediate, split: 'k' },
  ];
}

export interface ParameterCount {
  /** Weights of all layers, all experts, norms left out (below 0.01 %). */
  readonly layers: number;
  /** Input embedding, and the output head where it is not the same matrix. */
  readonly embedding: number;
  readonly head: number;
  readonly total: number;
  /** Weights one token passes: differs from `total` only for mixtures of experts. */
  readonly active: number;
}

/** Parameters by part. Llama-2-13B gives 13.0e9, Mixtral-8x7B 46.7e9 with 12.9e9 active. */
export function countParameters(shape: TransformerShape): ParameterCount {
  let attention = 0;
  let feedForward = 0;
  for (const { kind, n, k } of layerMatrices(shape)) {
    if (kind === 'ffn-in' || kind === 'ffn-out') feedForward += n * k;
    else attention += n * k;
  }
  const { moe, layers, hidden, vocabulary } = shape;
  const router = moe ? hidden * moe.experts : 0;
  const inLayers = layers * (attention + feedForward * (moe?.experts ?? 1) + router);
  const activeInLayers = layers * (attention + feedForward * (moe?.active ?? 1) + router);
  const embedding = vocabulary * hidden;
  const head = shape.tiedEmbeddings ? 0 : embedding;
  return {
    layers: inLayers,
    embedding,
    head,
    total: inLayers + embedding + head,
    active: activeInLayers + embedding + head,
  };
}

/** Elements of key and value that one token leaves in the cache over all layers. */
export function kvElementsPerToken(shape: TransformerShape): number {
  return 2 * shape.layers * shape.kvHeads * shape.headDim;
}

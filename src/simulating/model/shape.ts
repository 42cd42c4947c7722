/**
 * What a decoder-only transformer looks like from outside: kinds of layers, and how many of each.
 */

/** Layers in which every query head attends to keys and values (multi-head, grouped-query and multi-query attention). */
export interface HeadAttention {
  readonly kind: 'heads';
  readonly layers: number;
  readonly heads: number;
  /** Key/value heads: fewer than `heads` with grouped-query attention (Ainslie et al., 2023), 1 with multi-query. */
  readonly kvHeads: number;
  /** Elements of a key (and a query), and of a value. */
  readonly headDim: number;
  readonly valueDim: number;
  /** Tokens these layers look back; null for all. */
  readonly window: number | null;
  /** The output is gated by a projection as wide as the queries (Qwen3-Next). */
  readonly gated?: boolean;
  /** Keys and values come out of one projection (Gemma 4); both are cached. */
  readonly keyIsValue?: boolean;
  /** These layers read the cache of others and keep none of their own (Gemma 4's small models). */
  readonly sharesCache?: boolean;
  /** A lightning indexer chooses the blocks that are attended to (MiniMax M3, DeepSeek V3.2). */
  readonly indexer?: Indexer;
}

/** Layers with multi-head latent attention (DeepSeek-V2, 2024): one compressed vector a token is cached. */
export interface LatentAttention {
  readonly kind: 'latent';
  readonly layers: number;
  readonly heads: number;
  /** Width of the compressed queries; null where queries are projected directly. */
  readonly queryRank: number | null;
  /** Width of the compressed keys and values, and of the rotary part beside them. */
  readonly rank: number;
  readonly rope: number;
  /** Elements of a head's key without the rotary part, and of its value. */
  readonly nope: number;
  readonly value: number;
  readonly indexer?: Indexer;
}

/** Sparse attention: small heads score all tokens, and only the best `tokens` are attended to. */
export interface Indexer {
  readonly heads: number;
  readonly dim: number;
  readonly tokens: number;
}

export type AttentionLayers = HeadAttention | LatentAttention;

/** Linear-attention and state-space layers: a state of constant size per sequence instead of a cache. */
export interface RecurrentLayers {
  readonly layers: number;
  /** Columns of the input projection, and rows of the output projection. */
  readonly inWidth: number;
  readonly outWidth: number;
  /** Weights beside the two projections: convolutions, gates. */
  readonly otherWeights: number;
  /** Bytes of state one sequence holds in one layer. */
  readonly stateBytes: number;
}

/** Feed-forward layers, dense or as a mixture of experts: each token passes `active` of `experts` blocks. */
export interface FeedForward {
  readonly layers: number;
  /** Width of one block (of one expert, where there are several). */
  readonly width: number;
  /** Gated (SwiGLU: three matrices) or plain (two). */
  readonly gated: boolean;
  readonly experts: number;
  readonly active: number;
  /** Width of the shared expert that every token passes; 0 for none. */
  readonly shared: number;
  /** Elements a token is projected to before the routed experts and back after them (Nemotron 3); none when absent. */
  readonly latent?: number;
}

/** How a checkpoint stores its layers. */
export interface PublishedFormat {
  /** A name of `hardware/precision.ts`. */
  readonly precision: string;
  /** Attention stays in 16 bit. */
  readonly feedForwardOnly: boolean;
}

export interface TransformerShape {
  readonly name: string;
  /** Layers as the model's card counts them. */
  readonly layers: number;
  readonly hidden: number;
  readonly vocabulary: number;
  /** Input embedding and output head share one matrix. */
  readonly tiedEmbeddings: boolean;
  /** The longest context the model was trained for, tokens. */
  readonly maxContext: number;
  readonly attention: readonly AttentionLayers[];
  readonly recurrent: readonly RecurrentLayers[];
  readonly feedForward: readonly FeedForward[];
  /** Weights every GPU holds in 16 bit whatever the split: vision towers, learned positions, per-layer embeddings. */
  readonly replicated: number;
  /** The number format of the published weights where it is not 16 bit. */
  readonly published: PublishedFormat | null;
}

/** One class of matrix product: activations [m, k] times weights [k, n], of one GPU after sharding. */
export interface LayerMatrix {
  readonly part: 'attention' | 'feed-forward';
  readonly n: number;
  readonly k: number;
  /** How often one step runs it. */
  readonly times: number;
  /** Routed experts: how many matrices there are, and how many of them a token passes. */
  readonly experts: number;
  readonly active: number;
}

/** Splits that sharding a model may use. */
export interface Split {
  /** GPUs that share one layer's work. */
  readonly degree: number;
  /** Attention is replicated, each GPU serving its own sequences, instead of split by heads. */
  readonly attentionData?: boolean;
  /** Experts are dealt out whole instead of each being split. */
  readonly expertParallel?: boolean;
}

const WHOLE: Split = { degree: 1 };

/**
 * The matrix products of all layers on one GPU. Columns of the first and rows of the second product of a block are
 * split (Megatron-LM, Shoeybi et al., 2019); key/value heads are replicated when there are fewer than GPUs.
 */
export function layerMatrices(shape: TransformerShape, split: Split = WHOLE): readonly LayerMatrix[] {
  const tp = split.attentionData ? 1 : split.degree;
  return [
    ...shape.attention.flatMap((layers) => attentionMatrices(shape.hidden, layers, tp)),
    ...shape.recurrent.flatMap((r) => [
      dense('attention', r.inWidth / tp, shape.hidden, r.layers),
      dense('attention', shape.hidden, r.outWidth / tp, r.layers),
    ]),
    ...shape.feedForward.flatMap((f) => feedForwardMatrices(shape.hidden, f, split)),
  ];
}

function dense(part: LayerMatrix['part'], n: number, k: number, times: number): LayerMatrix {
  return { part, n, k, times, experts: 1, active: 1 };
}

function attentionMatrices(hidden: number, a: AttentionLayers, tp: number): readonly LayerMatrix[] {
  const product = (n: number, k: number): LayerMatrix => dense('attention', n, k, a.layers);
  const index = a.indexer
    ? [
        product(a.indexer.heads * a.indexer.dim, a.kind === 'latent' ? (a.queryRank ?? hidden) : hidden),
        product(a.indexer.dim + a.indexer.heads, hidden),
      ]
    : [];
  if (a.kind === 'heads') {
    const kvHeads = a.sharesCache ? 0 : Math.max(1, a.kvHeads / tp);
    const queries = (a.gated ? 2 : 1) * (a.heads / tp) * a.headDim;
    const keysAndValues = kvHeads * (a.headDim + (a.keyIsValue ? 0 : a.valueDim));
    return [product(queries + keysAndValues, hidden), product(hidden, (a.heads / tp) * a.valueDim), ...index];
  }
  const { heads, queryRank, rank, rope, nope, value } = a;
  const perHead = heads / tp;
  const queries = queryRank
    ? [product(queryRank + rank + rope, hidden), product(perHead * (nope + rope), queryRank)]
    : [product(perHead * (nope + rope) + rank + rope, hidden)];
  return [...queries, product(perHead * (nope + value), rank), product(hidden, perHead * value), ...index];
}

function feedForwardMatrices(hidden: number, f: FeedForward, split: Split): readonly LayerMatrix[] {
  const { layers, width, gated, experts, active, shared, latent } = f;
  const columns = gated ? 2 : 1;
  const inner = latent ?? hidden;
  const routed = experts > 1;
  const whole = split.expertParallel && routed;
  const own = whole ? width : width / split.degree;
  // With expert parallelism a GPU has its share of the experts, and of the tokens' choices.
  const held = whole ? experts / split.degree : experts;
  const chosen = whole ? active / split.degree : active;
  const block = (n: number, k: number): LayerMatrix => ({
    part: 'feed-forward',
    n,
    k,
    times: layers,
    experts: held,
    active: chosen,
  });
  return [
    block(columns * own, inner),
    block(inner, own),
    ...(shared > 0
      ? [
          dense('feed-forward', (columns * shared) / split.degree, hidden, layers),
          dense('feed-forward', hidden, shared / split.degree, layers),
        ]
      : []),
    ...(latent
      ? [dense('feed-forward', latent, hidden, layers), dense('feed-forward', hidden, latent, layers)]
      : []),
    ...(routed ? [dense('feed-forward', experts, hidden, layers)] : []),
  ];
}

export interface ParameterCount {
  /** Weights of all layers by part, all experts, norms and biases left out (below 0.1 %). */
  readonly attention: number;
  readonly feedForward: number;
  /** Input embedding, and the output head where it is not the same matrix. */
  readonly embedding: number;
  readonly head: number;
  readonly replicated: number;
  readonly total: number;
  /** Weights a token of text passes, its embedding included, towers for pictures not. */
  readonly active: number;
}

/** Parameters by part. Llama-2-13B gives 13.0e9, Mixtral-8x7B 46.7e9 with 12.9e9 active, DeepSeek-V3 671e9 with 37e9. */
export function countParameters(shape: TransformerShape): ParameterCount {
  let attention = 0;
  let feedForward = 0;
  let idle = 0;
  for (const { part, n, k, times, experts, active } of layerMatrices(shape)) {
    const all = n * k * times * experts;
    if (part === 'attention') attention += all;
    else feedForward += all;
    idle += n * k * times * (experts - active);
  }
  for (const r of shape.recurrent) attention += r.layers * r.otherWeights;
  const embedding = shape.vocabulary * shape.hidden;
  const head = shape.tiedEmbeddings ? 0 : embedding;
  const total = attention + feedForward + embedding + head + shape.replicated;
  return {
    attention,
    feedForward,
    embedding,
    head,
    replicated: shape.replicated,
    total,
    active: total - idle - shape.replicated,
  };
}

/** Bytes of an indexer's key per token: 8-bit elements and one 32-bit scale per 128, as DeepSeek-V3.2 keeps it. */
export function indexBytesPerToken(indexer: Indexer | undefined): number {
  return indexer ? indexer.dim + (4 * indexer.dim) / 128 : 0;
}

/** Bytes of cache that one more token takes in these layers on one GPU, within the window. */
export function cacheBytesPerToken(a: AttentionLayers, elementBytes: number, split: Split = WHOLE): number {
  const tp = split.attentionData ? 1 : split.degree;
  if (a.kind === 'latent')
    return a.layers * ((a.rank + a.rope) * elementBytes + indexBytesPerToken(a.indexer));
  if (a.sharesCache) return 0;
  const kvHeads = Math.max(1, a.kvHeads / tp);
  return a.layers * (kvHeads * (a.headDim + a.valueDim) * elementBytes + indexBytesPerToken(a.indexer));
}

/**
 * Bytes that one more token takes over all layers while it is within every window: what model cards call KV cache per
 * token. DeepSeek-V3 in 16 bit: 61 x (512 + 64) x 2 = 70,272.
 */
export function kvBytesPerToken(shape: TransformerShape, elementBytes: number, split: Split = WHOLE): number {
  return shape.attention.reduce((sum, a) => sum + cacheBytesPerToken(a, elementBytes, split), 0);
}

/** Bytes that a sequence of so many tokens holds on one GPU: windows cut off, recurrent state added. */
export function bytesPerSequence(
  shape: TransformerShape,
  tokens: number,
  elementBytes: number,
  split: Split = WHOLE,
): number {
  const tp = split.attentionData ? 1 : split.degree;
  let bytes = 0;
  for (const a of shape.attention) {
    const kept = a.kind === 'heads' && a.window ? Math.min(tokens, a.window) : tokens;
    bytes += kept * cacheBytesPerToken(a, elementBytes, split);
  }
  for (const r of shape.recurrent) bytes += (r.layers * r.stateBytes) / tp;
  return bytes;
}

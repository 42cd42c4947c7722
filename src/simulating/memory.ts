/** Where a GPU's memory goes: weights, activations and reserve, and what is left for the key/value cache. */
import { type Deployment, splitOf } from './deployment.ts';
import { bytesPerSequence, countParameters, layerMatrices } from './model/shape.ts';

export interface EngineLimits {
  /** Most sequences in a step. */
  readonly maxBatch: number;
  /** Most tokens in a step. */
  readonly maxTokens: number;
  /** TensorRT-LLM: share of the memory left after loading that goes to the cache. vLLM, SGLang: share of all memory used. */
  readonly kvFraction: number;
  readonly blockTokens: number;
}

/** TensorRT-LLM's defaults; its `free_gpu_memory_fraction` is 0.90 and counts what is left after weights. */
export const DEFAULT_LIMITS: EngineLimits = {
  maxBatch: 2048,
  maxTokens: 8192,
  kvFraction: 0.9,
  blockTokens: 64,
};

/** Bytes on each GPU of the group. */
export interface MemoryBudget {
  readonly total: number;
  readonly weights: number;
  /** Activations of the largest step, logits, the CUDA context and communication buffers. */
  readonly reserve: number;
  /** What the engine keeps for the cache; negative when the model does not fit. */
  readonly kvCache: number;
  /** Mean over a sequence of the length asked about: windows cut off and recurrent state spread over its tokens. */
  readonly kvBytesPerToken: number;
  /** Tokens the cache of the whole group holds, in sequences of that length. */
  readonly kvTokens: number;
}

/** Length of a sequence when nobody says: what windows and recurrent states are averaged over. */
const TYPICAL_SEQUENCE = 2048;
/** CUDA context, kernels and library workspaces, bytes; with buffers for communication when there are neighbours. */
const CONTEXT_BYTES = 0.75e9;
const COMMUNICATION_BYTES = 0.6e9;
/** 16-bit tensors of feed-forward width alive at once in a step. */
const LIVE_ACTIVATIONS = 1.5;
/**
 * 32-bit tensors of batch x vocabulary that choosing tokens needs. The decoder of TensorRT-LLM up to 0.15 has whole ones on
 * every GPU, six by what fits its published throughput; later it gets along with its share of one.
 */
const WHOLE_LOGITS = 6;
/** vLLM captures graphs of its decode steps inside of its share. */
const GRAPH_BYTES = 0.5e9;

/** Layer weights in the precision and split; embedding and towers replicated, head split, all in 16 bit. */
export function weightBytesPerGpu(d: Deployment): number {
  const { model, precision } = d;
  const split = splitOf(d);
  const attention = (precision.attention ?? precision).weightBytes;
  let bytes = 0;
  for (const { part, n, k, times, experts } of layerMatrices(model, split))
    bytes += n * k * times * experts * (part === 'attention' ? attention : precision.weightBytes);
  for (const r of model.recurrent) bytes += (2 * r.layers * r.otherWeights) / d.tensorParallel;
  const { embedding, head, replicated } = countParameters(model);
  return bytes + 2 * (embedding + head / d.tensorParallel + replicated);
}

/** Columns of the widest feed-forward activation of a token on one GPU. */
function activationWidth({ model, tensorParallel: tp }: Deployment): number {
  const widths = model.feedForward.map((f) => ((f.gated ? 2 : 1) * (f.width * f.active + f.shared)) / tp);
  return model.hidden + Math.max(...widths);
}

/** @param sequenceTokens prompt and answer of the requests to be served */
export function memoryBudget(
  d: Deployment,
  limits: EngineLimits = DEFAULT_LIMITS,
  sequenceTokens = TYPICAL_SEQUENCE,
): MemoryBudget {
  const weights = weightBytesPerGpu(d);
  const { model, tensorParallel: tp } = d;
  const total = d.gpu.memoryBytes;
  const activations = 2 * LIVE_ACTIVATIONS * limits.maxTokens * activationWidth(d);
  const logits = 4 * limits.maxBatch * model.vocabulary * (/-0\.1\d$/.test(d.engine) ? WHOLE_LOGITS : 1 / tp);
  const fixed = CONTEXT_BYTES + (tp > 1 ? COMMUNICATION_BYTES : 0) + (reservesRest(d) ? 0 : GRAPH_BYTES);
  const reserve = fixed + activations + logits;
  // TensorRT-LLM takes a share of what is left after loading; vLLM and SGLang have a share of everything.
  const kvCache = reservesRest(d)
    ? (total - weights - reserve) * limits.kvFraction
    : total * limits.kvFraction - weights - reserve;
  const sequence = Math.max(1, sequenceTokens);
  const kvBytesPerToken = bytesPerSequence(model, sequence, d.precision.kvBytes, splitOf(d)) / sequence;
  const blocks = Math.floor(kvCache / (kvBytesPerToken * limits.blockTokens));
  const groups = d.attentionData ? tp : 1;
  return {
    total,
    weights,
    reserve,
    kvCache,
    kvBytesPerToken,
    kvTokens: Math.max(0, blocks) * limits.blockTokens * groups,
  };
}

function reservesRest({ engine }: Deployment): boolean {
  return engine.startsWith('tensorrt');
}

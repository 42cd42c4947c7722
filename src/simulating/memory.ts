/**
 * Where a GPU's memory goes: weights, activations and reserve, and what is left for the key/value cache.
 * It knows bytes, and nothing of time.
 */
import { UserError } from '../core/errors.ts';
import { kvBytesPerTokenPerGpu } from './cost/step.ts';
import { type Deployment, describeDeployment } from './deployment.ts';
import { countParameters } from './model/shape.ts';

export interface EngineLimits {
  /** Most sequences in a step. */
  readonly maxBatch: number;
  /** Most tokens in a step. */
  readonly maxTokens: number;
  /** Share of the memory left after loading that the engine gives to the cache. */
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
  readonly kvBytesPerToken: number;
  /** Tokens the cache of the whole group holds. */
  readonly kvTokens: number;
}

/** CUDA context, kernels and library workspaces, bytes; with buffers for communication when there are neighbours. */
const CONTEXT_BYTES = 0.75e9;
const COMMUNICATION_BYTES = 0.6e9;
/** 16-bit tensors of feed-forward width alive at once in a step, and 32-bit copies of the logits. */
const LIVE_ACTIVATIONS = 1.5;
const LOGIT_COPIES = 1;

/** Layer weights in the precision and split; embedding replicated and head split, both in 16 bit. */
export function weightBytesPerGpu(d: Deployment): number {
  const count = countParameters(d.model);
  const head = count.head / d.tensorParallel;
  return (count.layers * d.precision.weightBytes) / d.tensorParallel + 2 * (count.embedding + head);
}

export function memoryBudget(d: Deployment, limits: EngineLimits = DEFAULT_LIMITS): MemoryBudget {
  const weights = weightBytesPerGpu(d);
  const { model, tensorParallel: tp } = d;
  const width = model.hidden + ((model.gated ? 2 : 1) * model.intermediate * (model.moe?.active ?? 1)) / tp;
  const activations = 2 * LIVE_ACTIVATIONS * limits.maxTokens * width;
  const logits = (LOGIT_COPIES * 4 * limits.maxBatch * model.vocabulary) / tp;
  const reserve = CONTEXT_BYTES + (tp > 1 ? COMMUNICATION_BYTES : 0) + activations + logits;
  const kvCache = (d.gpu.memoryBytes - weights - reserve) * limits.kvFraction;
  const kvBytesPerToken = kvBytesPerTokenPerGpu(d);
  const blocks = Math.floor(kvCache / (kvBytesPerToken * limits.blockTokens));
  const kvTokens = Math.max(0, blocks) * limits.blockTokens;
  return { total: d.gpu.memoryBytes, weights, reserve, kvCache, kvBytesPerToken, kvTokens };
}

/** @throws {UserError} when not even one sequence of `tokens` tokens fits; says what is missing and what would help. */
export function requireFit(d: Deployment, limits: EngineLimits, tokens: number): MemoryBudget {
  const budget = memoryBudget(d, limits);
  if (budget.kvTokens >= tokens) return budget;
  const needed = tokens * budget.kvBytesPerToken - budget.kvCache;
  const gb = (bytes: number): string => (bytes / 1e9).toFixed(1);
  throw new UserError(
    `model: ${describeDeployment(d)} does not fit: each GPU has ${gb(budget.total)} GB, weights take ${gb(budget.weights)} GB, ` +
      `activations and reserve ${gb(budget.reserve)} GB; ${gb(needed)} GB too little for one sequence of ${tokens} tokens. ` +
      `Try a higher tensor-parallel degree, a narrower precision, or a GPU with more memory.`,
  );
}

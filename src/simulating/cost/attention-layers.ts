/** Time of all attention and recurrent layers of a step on one GPU: each kind by its own kernel, windows cut off. */
import { type Deployment, splitOf } from '../deployment.ts';
import { isBlackwell } from '../hardware/gpu.ts';
import {
  type AttentionLayers,
  type HeadAttention,
  indexBytesPerToken,
  type LatentAttention,
} from '../model/shape.ts';
import { type AttentionShape, decodeAttentionSeconds, prefillAttentionSeconds } from './attention.ts';
import type { EngineOverheads, KernelEfficiency } from './efficiency.ts';
import { type LatentShape, latentDecodeSeconds, latentPrefillSeconds } from './latent.ts';
import type { StepLoad } from './step-load.ts';

/** Seconds of decoding and of prompts in one layer, floors included. */
interface LayerCost {
  readonly layers: number;
  decode(sequences: number, context: number): number;
  prefill(tokens: number, pairs: number): number;
}

/** @returns seconds of all layers for a step's load, of which each of `groups` GPUs takes its share */
export function attentionCost(
  d: Deployment,
  kernels: KernelEfficiency,
  engine: EngineOverheads,
): (load: StepLoad, groups: number) => number {
  const costs = d.model.attention.map((a) =>
    a.kind === 'heads' ? heads(d, a, kernels, engine) : latent(d, a, kernels, engine),
  );
  const recurrent = recurrentCost(d, kernels, engine);
  return (load, groups) => {
    let seconds = 0;
    const sequences = load.decodeSequences / groups;
    for (const cost of costs) {
      if (sequences > 0) seconds += cost.layers * cost.decode(sequences, load.decodeContext / groups);
      if (load.prefillTokens > 0)
        seconds += cost.layers * cost.prefill(load.prefillTokens / groups, load.prefillPairs / groups);
    }
    return seconds + recurrent(sequences, load.prefillTokens / groups);
  };
}

/** Tokens attended to, of `context` over so many queries, when each looks back over `limit` at most; averages. */
function within(limit: number | null, queries: number, context: number): number {
  return limit === null ? context : Math.min(context, queries * limit);
}

/** What layers look back over: their window, or the tokens their indexer chooses. */
function limitOf(a: AttentionLayers): number | null {
  return a.indexer?.tokens ?? (a.kind === 'heads' ? a.window : null);
}

/**
 * Whether decoding multiplies on tensor cores: TensorRT-LLM's XQA kernels (docs/source/blogs/XQA-kernel.md) take groups of
 * query heads that fill a tile. The least group is what fits the published rows; Falcon's 29 heads fill none.
 */
function onTensorCores({ heads, kvHeads }: HeadAttention, { tensorCores = true }: EngineOverheads): boolean {
  const group = heads / kvHeads;
  return tensorCores && group >= 8 && Number.isInteger(Math.log2(group));
}

/** The engine's factor on reading the cache. */
function attentionFactor({ gpu, precision }: Deployment, engine: EngineOverheads): number {
  const factor = precision.kvBytes === 1 ? engine.attention8 : engine.attention16;
  return factor * (isBlackwell(gpu) ? engine.blackwellAttention : 1);
}

function heads(
  d: Deployment,
  a: HeadAttention,
  kernels: KernelEfficiency,
  engine: EngineOverheads,
): LayerCost {
  const { gpu, precision } = d;
  const tp = d.attentionData ? 1 : d.tensorParallel;
  const shape: AttentionShape = {
    heads: a.heads / tp,
    kvHeads: Math.max(1, a.kvHeads / tp),
    headDim: (a.headDim + a.valueDim) / 2,
    kvBytes: precision.kvBytes,
  };
  const factor = attentionFactor(d, engine);
  const { decodeAttention, prefillAttention } = kernels;
  const limit = limitOf(a);
  const index = indexSeconds(d, a, kernels);
  const decode = (sequences: number, attended: number): number =>
    Math.max(
      factor * decodeAttentionSeconds(decodeAttention, gpu.bandwidth, shape, sequences, attended),
      onTensorCores(a, engine) ? 0 : (engine.perHeadToken * shape.heads * attended * shape.headDim) / 128,
    );
  return {
    layers: a.layers,
    decode: (sequences, context) =>
      engine.floors * decodeAttention.floor +
      index(context) +
      decode(sequences, within(limit, sequences, context)),
    prefill: (tokens, pairs) =>
      engine.floors * prefillAttention.floor +
      prefillAttentionSeconds(prefillAttention, gpu.peak.bf16!, shape, tokens, within(limit, tokens, pairs)),
  };
}

function latent(
  d: Deployment,
  a: LatentAttention,
  kernels: KernelEfficiency,
  engine: EngineOverheads,
): LayerCost {
  const { gpu, precision } = d;
  const tp = d.attentionData ? 1 : d.tensorParallel;
  const shape: LatentShape = { ...a, heads: a.heads / tp, kvBytes: precision.kvBytes };
  const factor = attentionFactor(d, engine);
  const limit = limitOf(a);
  const index = indexSeconds(d, a, kernels);
  const e = kernels.latent;
  return {
    layers: a.layers,
    decode: (sequences, context) =>
      engine.floors * e.floor +
      index(context) +
      factor *
        latentDecodeSeconds(e, gpu.bandwidth, gpu.peak.bf16!, shape, within(limit, sequences, context)),
    prefill: (tokens, pairs) =>
      engine.floors * e.prefillFloor +
      latentPrefillSeconds(e, gpu.peak.bf16!, shape, within(limit, tokens, pairs)),
  };
}

/** An indexer reads its own keys of the whole context; never timed here, so at the bandwidth of attention. */
function indexSeconds(
  d: Deployment,
  a: AttentionLayers,
  kernels: KernelEfficiency,
): (context: number) => number {
  if (!a.indexer) return () => 0;
  const bytes = indexBytesPerToken(a.indexer);
  const rate = d.gpu.bandwidth * kernels.decodeAttention.grouped[1];
  return (context) => (context * bytes) / rate;
}

/** Share of the peak that a recurrent layer's scan reaches in prompts: assumed, never timed here. */
const SCAN = 0.3;

/**
 * Recurrent layers read and write every sequence's state for a token, and scan prompts in chunks: two products of the
 * state's size a token. A roofline without fitted constants.
 */
function recurrentCost(
  d: Deployment,
  kernels: KernelEfficiency,
  engine: EngineOverheads,
): (sequences: number, promptTokens: number) => number {
  const tp = splitOf(d).attentionData ? 1 : d.tensorParallel;
  const layers = d.model.recurrent.reduce((sum, r) => sum + r.layers, 0);
  const state = d.model.recurrent.reduce((sum, r) => sum + (r.layers * r.stateBytes) / tp, 0);
  const rate = d.gpu.bandwidth * kernels.gemm.bf16.bandwidth;
  return (sequences, promptTokens) =>
    layers === 0
      ? 0
      : engine.floors * layers * kernels.decodeAttention.floor +
        (2 * sequences * state) / rate +
        (promptTokens * state) / (SCAN * d.gpu.peak.bf16!);
}

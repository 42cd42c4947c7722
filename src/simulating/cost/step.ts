/**
 * The time of one engine step: every matrix product, attention, all-reduce and overhead of a mixed batch.
 * It knows one deployment, and nothing of which requests are in the batch or why.
 */
import type { Deployment } from '../deployment.ts';
import type { Gpu } from '../hardware/gpu.ts';
import { kvElementsPerToken, layerMatrices } from '../model/shape.ts';
import { allReduceSeconds } from './all-reduce.ts';
import { type AttentionShape, decodeAttentionSeconds, prefillAttentionSeconds } from './attention.ts';
import { ENGINES, KERNELS } from './constants.ts';
import type { AllReduceEfficiency, EngineOverheads, KernelEfficiency } from './efficiency.ts';
import { type GemmRates, gemmRates, roundedMax } from './gemm.ts';

/** What is in the batch of one step, summed over its sequences. */
export interface StepLoad {
  /** Sequences that get one more token, and the tokens they attend to in all. */
  readonly decodeSequences: number;
  readonly decodeContext: number;
  /** Prompt tokens processed, in how many chunks, and the (query, key) pairs they attend over. */
  readonly prefillTokens: number;
  readonly prefillSequences: number;
  readonly prefillPairs: number;
  /** Rows of the output head: decoding sequences and prompts that end in this step. */
  readonly logitRows: number;
}

/** Where a step's time goes, seconds. The parts sum to the whole. */
export interface StepBreakdown {
  /** Matrix products: time beyond the floor that memory, or else arithmetic, explains alone. */
  readonly products: number;
  readonly attention: number;
  readonly elementwise: number;
  readonly communication: number;
  readonly overhead: number;
  /** Which side of the roofline the products are on. */
  readonly productsBoundBy: 'memory' | 'compute';
}

export interface StepCost {
  seconds(load: StepLoad): number;
  breakdown(load: StepLoad): StepBreakdown;
  /** Seconds added once to each request's first token, outside of the engine's steps. */
  readonly perRequest: number;
}

/** One class of matrix product on one GPU, and how often a step runs it. */
interface Product {
  readonly n: number;
  readonly k: number;
  readonly times: number;
  readonly moe: { readonly experts: number; readonly active: number } | null;
}

/**
 * Products after sharding. Columns of qkv and ffn-in are split, rows of attention-out and ffn-out
 * (Megatron-LM, Shoeybi et al., 2019); key/value heads are replicated when there are fewer than GPUs.
 */
function shardedProducts({ model, tensorParallel: tp }: Deployment): readonly Product[] {
  return layerMatrices(model).map(({ kind, n, k, split }): Product => {
    const width =
      kind === 'qkv'
        ? (model.heads / tp + 2 * Math.max(1, model.kvHeads / tp)) * model.headDim
        : split === 'n'
          ? n / tp
          : n;
    const moe = kind === 'ffn-in' || kind === 'ffn-out' ? model.moe : null;
    return { n: width, k: split === 'k' ? k / tp : k, times: model.layers, moe };
  });
}

/** Distinct experts that `tokens` tokens meet when each picks `active` of `experts` evenly: E (1 - (1 - a/E)^m). */
export function expertsTouched(experts: number, active: number, tokens: number): number {
  return experts * (1 - (1 - active / experts) ** tokens);
}

/** Times the 32-bit logits cross memory while the next token is chosen: scale, normalise, pick. */
const LOGIT_PASSES = 3;

interface Rates {
  readonly layer: GemmRates;
  readonly head: GemmRates;
  readonly memory: number;
  readonly compute: number;
}

function ratesOf(d: Deployment, kernels: KernelEfficiency, engine: EngineOverheads): Rates {
  const { gpu, precision } = d;
  const narrow = precision.arithmetic !== 'bf16';
  const peak = { bandwidth: gpu.bandwidth, flops: gpu.peak[precision.arithmetic]! };
  const layer = gemmRates(narrow ? kernels.gemm.fp8 : kernels.gemm.bf16, peak, precision);
  // The head stays in 16 bit: quantising it costs accuracy, and the published checkpoints leave it.
  const wide = { bandwidth: gpu.bandwidth, flops: gpu.peak.bf16! };
  const head = gemmRates(kernels.gemm.bf16, wide, { weightBytes: 2, activationBytes: 2 });
  return { layer, head, memory: engine.memory, compute: narrow ? engine.compute8 : engine.compute16 };
}

function productTime(
  rates: GemmRates,
  scale: Rates,
  product: Product,
  tokens: number,
): readonly [number, number] {
  let matrices = 1;
  let rows = tokens;
  if (product.moe) {
    matrices = expertsTouched(product.moe.experts, product.moe.active, tokens);
    rows = (tokens * product.moe.active) / matrices;
  }
  const { n, k } = product;
  const bytes = matrices * (n * k * rates.weightBytes + rows * (k * rates.activationBytes + n * 2));
  const memory = (scale.memory * bytes) / rates.bandwidth;
  const compute = (scale.compute * 2 * matrices * rows * n * k) / rates.flops;
  return [memory, compute];
}

/** Tokens really attended to when some layers look back only over a window; averages, not per sequence. */
function windowed(d: Deployment, sequences: number, context: number): number {
  const { window } = d.model;
  if (!window || sequences === 0) return context;
  const seen = Math.min(context, sequences * window.tokens);
  return window.layerShare * seen + (1 - window.layerShare) * context;
}

/** The constants of a GPU's family; a PCIe card of any family reduces as the PCIe card that was measured. */
export function kernelsFor(
  gpu: Gpu,
  table: Readonly<Record<Gpu['family'], KernelEfficiency>> = KERNELS,
): KernelEfficiency {
  const own = table[gpu.family];
  return gpu.link === 'pcie' ? { ...own, allReduce: table.l40s.allReduce } : own;
}

/**
 * The all-reduce of the group. Over PCIe the measured kernel collapses beyond two cards, where engines take
 * NCCL's ring instead: the bandwidth of two, with the floor of the degree.
 */
function reduction(
  { gpu, tensorParallel }: Deployment,
  { allReduce }: KernelEfficiency,
): AllReduceEfficiency | null {
  if (tensorParallel === 1) return null;
  const measured = allReduce[tensorParallel];
  return gpu.link === 'nvlink' ? measured : { ...allReduce[2], floor: measured.floor };
}

/**
 * The cost model of a deployment. Kernel and engine constants default to the fitted ones; the fit passes its own.
 * Sum over a step (additive parts as in Vidur, Agrawal et al., MLSys 2024):
 * `perStep + layers (products + attention + elementwise + 2 all-reduces) + head + perSequence`.
 * @param streaming whether every token is sent to a client by itself; offline runs save that
 */
export function stepCost(
  d: Deployment,
  kernels: KernelEfficiency = kernelsFor(d.gpu),
  engine: EngineOverheads = ENGINES[d.engine],
  streaming = true,
): StepCost {
  const parts: Parts = { d, kernels, engine, ...ratesOf(d, kernels, engine) };
  const products = shardedProducts(d);
  const perSequence = engine.perSequence + (streaming ? engine.perStream : 0);
  const elementwise = elementwiseBytes(d) * engine.elementwise;
  const communicate = communication(parts);

  const breakdown = (load: StepLoad): StepBreakdown => {
    const tokens = load.decodeSequences + load.prefillTokens;
    const { seconds, boundBy } = productSeconds(parts, products, tokens, load.logitRows);
    const logitBytes = (LOGIT_PASSES * 4 * load.logitRows * d.model.vocabulary) / d.tensorParallel;
    return {
      products: seconds,
      attention: d.model.layers * attentionSeconds(parts, load),
      elementwise: (d.model.layers * tokens * elementwise + logitBytes) / d.gpu.bandwidth,
      communication: communicate(tokens),
      overhead: engine.perStep + perSequence * (load.decodeSequences + load.prefillSequences),
      productsBoundBy: boundBy,
    };
  };

  return {
    perRequest: engine.perRequest,
    breakdown,
    seconds: (load) => {
      const b = breakdown(load);
      return b.products + b.attention + b.elementwise + b.communication + b.overhead;
    },
  };
}

/** What every part of a step is computed from. */
interface Parts extends Rates {
  readonly d: Deployment;
  readonly kernels: KernelEfficiency;
  readonly engine: EngineOverheads;
}

function productSeconds(
  parts: Parts,
  products: readonly Product[],
  tokens: number,
  logitRows: number,
): { readonly seconds: number; readonly boundBy: 'memory' | 'compute' } {
  const { d, engine, layer, head } = parts;
  let memoryBound = 0;
  let seconds = 0;
  for (const product of products) {
    const [memory, compute] = productTime(layer, parts, product, tokens);
    memoryBound += product.times * (memory - compute);
    seconds += product.times * (engine.floors * layer.floor + roundedMax(memory, compute, layer.knee));
  }
  if (logitRows > 0) {
    const product = { n: d.model.vocabulary / d.tensorParallel, k: d.model.hidden, times: 1, moe: null };
    const [memory, compute] = productTime(head, parts, product, logitRows);
    seconds += roundedMax(memory, compute, head.knee);
  }
  return { seconds, boundBy: memoryBound >= 0 ? 'memory' : 'compute' };
}

/** Attention of one layer. */
function attentionSeconds({ d, kernels, engine }: Parts, load: StepLoad): number {
  const { model, gpu, precision, tensorParallel: tp } = d;
  const shape: AttentionShape = {
    heads: model.heads / tp,
    kvHeads: Math.max(1, model.kvHeads / tp),
    headDim: model.headDim,
    kvBytes: precision.kvBytes as 1 | 2,
  };
  let seconds = 0;
  if (load.decodeSequences > 0) {
    const { decodeAttention } = kernels;
    const context = windowed(d, load.decodeSequences, load.decodeContext);
    const factor = precision.kvBytes === 1 ? engine.attention8 : engine.attention16;
    seconds +=
      engine.floors * decodeAttention.floor +
      factor * decodeAttentionSeconds(decodeAttention, gpu.bandwidth, shape, load.decodeSequences, context);
  }
  if (load.prefillTokens > 0) {
    const { prefillAttention } = kernels;
    const pairs = windowed(d, load.prefillTokens, load.prefillPairs);
    seconds +=
      engine.floors * prefillAttention.floor +
      prefillAttentionSeconds(prefillAttention, gpu.peak.bf16!, shape, load.prefillTokens, pairs);
  }
  return seconds;
}

/** Bytes per token and layer outside of matrix products: norms, residuals, activation function, in 16 bit. */
function elementwiseBytes({ model, tensorParallel }: Deployment): number {
  const blocks = model.moe?.active ?? 1;
  return 2 * (8 * model.hidden + (3 * model.intermediate * blocks) / tensorParallel);
}

/** Two all-reduces a layer, after attention and after the feed-forward (Megatron-LM), for so many tokens. */
function communication({ d, kernels, engine }: Parts): (tokens: number) => number {
  const reduce = reduction(d, kernels);
  if (!reduce) return () => 0;
  const { model, gpu, tensorParallel } = d;
  const transfer = gpu.link === 'pcie' ? engine.transferPcie : engine.transfer;
  return (tokens) => {
    const moving = allReduceSeconds(reduce, gpu.linkBandwidth, tensorParallel, tokens * model.hidden * 2);
    return 2 * model.layers * (reduce.floor + engine.allReduce + transfer * moving);
  };
}

/** Bytes of cache one token takes on each GPU of the group. */
export function kvBytesPerTokenPerGpu({ model, precision, tensorParallel: tp }: Deployment): number {
  const shared = Math.max(1, model.kvHeads / tp) / model.kvHeads;
  return kvElementsPerToken(model) * precision.kvBytes * shared;
}

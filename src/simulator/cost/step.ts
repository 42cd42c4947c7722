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
 */
export function stepCost(
  d: Deployment,
  kernels: KernelEfficiency = kernelsFor(d.gpu),
  engine: EngineOverheads = ENGINES[d.engine],
  streaming = true,
): StepCost {
  const { model, gpu, tensorParallel: tp } = d;
  const products = shardedProducts(d);
  const rates = ratesOf(d, kernels, engine);
  const headProduct: Product = { n: model.vocabulary / tp, k: model.hidden, times: 1, moe: null };
  const attention: AttentionShape = {
    heads: model.heads / tp,
    kvHeads: Math.max(1, model.kvHeads / tp),
    headDim: model.headDim,
    kvBytes: d.precision.kvBytes as 1 | 2,
  };
  const reduce = reduction(d, kernels);
  const transfer = gpu.link === 'pcie' ? engine.transferPcie : engine.transfer;
  const perSequence = engine.perSequence + (streaming ? engine.perStream : 0);
  const activeBlocks = model.moe?.active ?? 1;
  const elementwiseBytes =
    engine.elementwise * 2 * (8 * model.hidden + (3 * model.intermediate * activeBlocks) / tp);

  const breakdown = (load: StepLoad): StepBreakdown => {
    const tokens = load.decodeSequences + load.prefillTokens;
    let memoryTime = 0;
    let computeTime = 0;
    let productTimes = 0;
    for (const product of products) {
      const [memory, compute] = productTime(rates.layer, rates, product, tokens);
      memoryTime += product.times * memory;
      computeTime += product.times * compute;
      productTimes +=
        product.times * (engine.floors * rates.layer.floor + roundedMax(memory, compute, rates.layer.knee));
    }
    if (load.logitRows > 0) {
      const [memory, compute] = productTime(rates.head, rates, headProduct, load.logitRows);
      productTimes += roundedMax(memory, compute, rates.head.knee);
    }
    let attending = 0;
    if (load.decodeSequences > 0) {
      const context = windowed(d, load.decodeSequences, load.decodeContext);
      attending +=
        engine.floors * kernels.decodeAttention.floor +
        (d.precision.kvBytes === 1 ? engine.attention8 : engine.attention16) *
          decodeAttentionSeconds(
            kernels.decodeAttention,
            gpu.bandwidth,
            attention,
            load.decodeSequences,
            context,
          );
    }
    if (load.prefillTokens > 0) {
      const pairs = windowed(d, load.prefillTokens, load.prefillPairs);
      attending +=
        engine.floors * kernels.prefillAttention.floor +
        prefillAttentionSeconds(
          kernels.prefillAttention,
          gpu.peak.bf16!,
          attention,
          load.prefillTokens,
          pairs,
        );
    }
    const communication = reduce
      ? 2 *
        model.layers *
        (reduce.floor +
          engine.allReduce +
          transfer * allReduceSeconds(reduce, gpu.linkBandwidth, tp, tokens * model.hidden * 2))
      : 0;
    const logitBytes = (LOGIT_PASSES * 4 * load.logitRows * model.vocabulary) / tp;
    return {
      products: productTimes,
      attention: model.layers * attending,
      elementwise: (model.layers * tokens * elementwiseBytes + logitBytes) / gpu.bandwidth,
      communication,
      overhead: engine.perStep + perSequence * (load.decodeSequences + load.prefillSequences),
      productsBoundBy: memoryTime >= computeTime ? 'memory' : 'compute',
    };
  };

  return {
    perRequest: engine.perRequest,
    breakdown,
    seconds: (load) => {
      const parts = breakdown(load);
      return parts.products + parts.attention + parts.elementwise + parts.communication + parts.overhead;
    },
  };
}

/** Bytes of cache one token takes on each GPU of the group. */
export function kvBytesPerTokenPerGpu({ model, precision, tensorParallel: tp }: Deployment): number {
  const shared = Math.max(1, model.kvHeads / tp) / model.kvHeads;
  return kvElementsPerToken(model) * precision.kvBytes * shared;
}

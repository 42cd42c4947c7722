/** The time of one engine step: every matrix product, attention, all-reduce and overhead of a mixed batch. */
import { type Deployment, splitOf } from '../deployment.ts';
import type { Gpu, GpuFamily } from '../hardware/gpu.ts';
import type { WeightFormat } from '../hardware/precision.ts';
import { layerMatrices } from '../model/shape.ts';
import { allReduceSeconds } from './all-reduce.ts';
import { attentionCost } from './attention-layers.ts';
import { ENGINES, KERNELS } from './constants.ts';
import type { AllReduceEfficiency, EngineOverheads, KernelEfficiency } from './efficiency.ts';
import { type GemmRates, gemmRates, roundedMax } from './gemm.ts';
import { measuredCost } from './measured.ts';
import { expertsMet, type MixtureRates, type MixtureShape, mixtureShape, mixtureTimes } from './mixture.ts';
import type { StepBreakdown, StepCost, StepLoad } from './step-load.ts';

export type { StepCost, StepLoad } from './step-load.ts';

/** Times the 32-bit logits cross memory while the next token is chosen: scale, normalise, pick. */
const LOGIT_PASSES = 3;

/** One class of dense matrix product on one GPU, and how often a step runs it. */
interface Product {
  readonly n: number;
  readonly k: number;
  readonly times: number;
  readonly rates: GemmRates;
  /** The engine's factor on arithmetic. */
  readonly compute: number;
  /** Seconds at least. Quantising the input is measured with narrow products, but engines fuse it into what comes before. */
  readonly floor: number;
}

interface Mixture {
  readonly layers: number;
  readonly shape: MixtureShape;
  readonly rates: MixtureRates;
  readonly efficiency: KernelEfficiency['mixture']['bf16'];
  readonly compute: number;
  /** Experts met by so many tokens, once computed. */
  readonly met: Map<number, number>;
}

/** What every part of a step is computed from. */
interface Parts {
  readonly d: Deployment;
  readonly kernels: KernelEfficiency;
  readonly engine: EngineOverheads;
  readonly products: readonly Product[];
  readonly head: Product;
  readonly mixtures: readonly Mixture[];
}

const SIXTEEN: WeightFormat = { weightBytes: 2, activationBytes: 2, arithmetic: 'bf16' };

/** The constants under which a format is multiplied: 8-bit integers as 8-bit floats. */
function kindOf(format: WeightFormat): 'bf16' | 'fp8' | 'fp4' {
  return format.arithmetic === 'int8' ? 'fp8' : format.arithmetic;
}

function computeFactor(engine: EngineOverheads, format: WeightFormat): number {
  const kind = kindOf(format);
  return kind === 'bf16' ? engine.compute16 : kind === 'fp8' ? engine.compute8 : engine.compute4;
}

function partsOf(d: Deployment, kernels: KernelEfficiency, engine: EngineOverheads): Parts {
  const { gpu, model, precision } = d;
  const split = splitOf(d);
  const product = (n: number, k: number, times: number, format: WeightFormat): Product => {
    const peak = { bandwidth: gpu.bandwidth, flops: gpu.peak[format.arithmetic]! };
    return {
      n,
      k,
      times,
      rates: gemmRates(kernels.gemm[kindOf(format)], peak, format),
      compute: computeFactor(engine, format),
      floor: Math.min(kernels.gemm[kindOf(format)].floor, kernels.gemm.bf16.floor),
    };
  };
  const products = layerMatrices(model, split)
    .filter(({ experts }) => experts === 1)
    .map(({ part, n, k, times }) =>
      product(n, k, times, part === 'attention' ? (precision.attention ?? precision) : precision),
    );
  const mixtures = model.feedForward
    .filter(({ experts }) => experts > 1)
    .map((f): Mixture => {
      const kind = precision.weightBytes < 1 && precision.arithmetic === 'bf16' ? 'w4' : kindOf(precision);
      return {
        layers: f.layers,
        shape: mixtureShape(f, model.hidden, d.tensorParallel, d.expertParallel ?? false),
        rates: { bandwidth: gpu.bandwidth, flops: gpu.peak[precision.arithmetic]!, ...precision },
        efficiency: kernels.mixture[kind],
        compute: computeFactor(engine, precision),
        met: new Map(),
      };
    });
  // The head stays in 16 bit: quantising it costs accuracy, and the published checkpoints leave it.
  const head = product(model.vocabulary / d.tensorParallel, model.hidden, 1, SIXTEEN);
  return { d, kernels, engine, products, head, mixtures };
}

/** The constants of a GPU's family; a PCIe card of any family reduces as the PCIe card that was measured. */
export function kernelsFor(
  gpu: Gpu,
  table: Readonly<Record<GpuFamily, KernelEfficiency>> = KERNELS,
): KernelEfficiency {
  const own = table[gpu.family];
  return gpu.link === 'pcie' && gpu.family !== 'rtx-pro-6000'
    ? { ...own, allReduce: table.l40s.allReduce }
    : own;
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
 * `perStep + products + attention + elementwise + all-reduces + head + perSequence`.
 * A deployment that its owner has measured is priced by what was measured.
 * @param streaming whether every token is sent to a client by itself; offline runs save that
 */
export function stepCost(
  d: Deployment,
  kernels: KernelEfficiency = kernelsFor(d.gpu),
  engine: EngineOverheads = ENGINES[d.engine === 'sglang' ? 'vllm' : d.engine],
  streaming = true,
): StepCost {
  if (d.measured) return measuredCost(d.measured);
  const parts = partsOf(d, kernels, engine);
  const perSequence = engine.perSequence + (streaming ? engine.perStream : 0);
  const elementwise = elementwiseBytes(d) * engine.elementwise;
  const attention = attentionCost(d, kernels, engine);
  const communicate = communication(parts);
  // With replicated attention each GPU of the group serves its share of the sequences.
  const groups = d.attentionData ? d.tensorParallel : 1;

  // Steps without prompts are most steps, and their products depend on the number of sequences alone.
  const decoding = new Map<number, ReturnType<typeof productSeconds>>();
  const productsOf = (load: StepLoad): ReturnType<typeof productSeconds> => {
    const { decodeSequences, prefillTokens, logitRows } = load;
    if (prefillTokens > 0 || logitRows !== decodeSequences)
      return productSeconds(parts, decodeSequences + prefillTokens, logitRows, groups);
    const known = decoding.get(decodeSequences) ?? productSeconds(parts, decodeSequences, logitRows, groups);
    decoding.set(decodeSequences, known);
    return known;
  };

  const breakdown = (load: StepLoad): StepBreakdown => {
    const tokens = load.decodeSequences + load.prefillTokens;
    const { seconds, boundBy } = productsOf(load);
    const logitBytes = (LOGIT_PASSES * 4 * load.logitRows * d.model.vocabulary) / d.tensorParallel;
    return {
      products: seconds,
      attention: attention(load, groups),
      elementwise: ((tokens / groups) * elementwise + logitBytes) / d.gpu.bandwidth,
      communication: communicate(tokens),
      overhead: engine.perStep + perSequence * (load.decodeSequences + load.prefillSequences),
      productsBoundBy: boundBy,
    };
  };

  return {
    perRequest: streaming ? engine.perRequest : 0,
    breakdown,
    seconds: (load) => {
      const b = breakdown(load);
      return b.products + b.attention + b.elementwise + b.communication + b.overhead;
    },
  };
}

function productSeconds(
  parts: Parts,
  tokens: number,
  logitRows: number,
  groups: number,
): { readonly seconds: number; readonly boundBy: 'memory' | 'compute' } {
  const { engine } = parts;
  let memoryBound = 0;
  let seconds = 0;
  const dense = (p: Product, rows: number, floor: number): void => {
    const bytes = p.n * p.k * p.rates.weightBytes + rows * (p.k * p.rates.activationBytes + p.n * 2);
    const memory = (engine.memory * bytes) / p.rates.bandwidth;
    const compute = (p.compute * 2 * rows * p.n * p.k) / p.rates.flops;
    memoryBound += p.times * (memory - compute);
    seconds += p.times * (floor + roundedMax(memory, compute, p.rates.knee));
  };
  for (const p of parts.products) dense(p, tokens / groups, engine.floors * p.floor);
  for (const m of parts.mixtures) {
    const met = m.met.get(tokens) ?? expertsMet(m.shape.chances, tokens);
    m.met.set(tokens, met);
    const [memory, compute] = mixtureTimes(m.efficiency, m.rates, m.shape, tokens, met);
    memoryBound += m.layers * (memory - m.compute * compute);
    const { floor, perExpert, knee } = m.efficiency;
    seconds +=
      m.layers *
      (engine.mixtureFloors * (floor + perExpert * met) +
        roundedMax(engine.memory * memory, m.compute * compute, knee));
  }
  if (logitRows > 0) dense(parts.head, logitRows / groups, 0);
  return { seconds, boundBy: memoryBound >= 0 ? 'memory' : 'compute' };
}

/** Bytes per token outside of matrix products: norms, residuals, dense activation functions, in 16 bit, all layers. */
function elementwiseBytes({ model, tensorParallel }: Deployment): number {
  // A mixture's own activations are part of its measured time.
  const activations = model.feedForward.reduce(
    (sum, f) => sum + (f.layers * 3 * (f.experts > 1 ? f.shared : f.width)) / tensorParallel,
    0,
  );
  return 2 * (8 * model.hidden * blocks(model) + activations);
}

/** Pairs of a mixer and a feed-forward: layers as most cards count them. */
function blocks({ attention, recurrent, feedForward }: Deployment['model']): number {
  const count = (parts: readonly { readonly layers: number }[]): number =>
    parts.reduce((sum, p) => sum + p.layers, 0);
  return (count(attention) + count(recurrent) + count(feedForward)) / 2;
}

/**
 * Two all-reduces a block, after attention and after the feed-forward (Megatron-LM), for so many tokens. With
 * replicated attention only the feed-forward communicates: gathering and scattering move what one all-reduce does.
 */
function communication({ d, kernels, engine }: Parts): (tokens: number) => number {
  const reduce = reduction(d, kernels);
  if (!reduce) return () => 0;
  const { model, gpu, tensorParallel } = d;
  const transfer = gpu.link === 'pcie' ? engine.transferPcie : engine.transfer;
  const times = (d.attentionData ? 1 : 2) * blocks(model);
  return (tokens) => {
    const moving = allReduceSeconds(reduce, gpu.linkBandwidth, tensorParallel, tokens * model.hidden * 2);
    return times * (reduce.floor + engine.allReduce + transfer * moving);
  };
}

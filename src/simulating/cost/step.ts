/** The time of one engine step: every matrix product, attention, all-reduce and overhead of a mixed batch. */
import { type Deployment, splitOf } from '../deployment.ts';
import { type Gpu, type GpuFamily, inGroupOf, isBlackwell } from '../hardware/gpu.ts';
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

function computeFactor(engine: EngineOverheads, gpu: Gpu, format: WeightFormat): number {
  const kind = kindOf(format);
  const factor = kind === 'bf16' ? engine.compute16 : kind === 'fp8' ? engine.compute8 : engine.compute4;
  return factor * (isBlackwell(gpu) ? engine.blackwellCompute : 1);
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
      compute: computeFactor(engine, gpu, format),
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
        compute: computeFactor(engine, gpu, precision),
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
  asked: Deployment,
  kernels: KernelEfficiency = kernelsFor(inGroupOf(asked.tensorParallel, asked.gpu)),
  engine: EngineOverheads = ENGINES[asked.engine === 'sglang' ? 'vllm' : asked.engine],
  streaming = true,
): StepCost {
  if (asked.measured) return measuredCost(asked.measured);
  const d = { ...asked, gpu: inGroupOf(asked.tensorParallel, asked.gpu) };
  const parts = partsOf(d, kernels, engine);
  const perSequence = engine.perSequence + (streaming ? engine.perStream : 0);
  const elementwise = elementwiseBytes(d) * engine.elementwise;
  const attention = attentionCost(d, kernels, engine);
  const communicate = communication(parts);
  // With replicated attention each GPU of the group serves its share of the sequences.
  const groups = d.attentionData ? d.tensorParallel : 1;

  // A step's products depend on how many tokens are in it, and its head on how many rows, alone.
  const layers = (tokens: number): ProductTime => layerProducts(parts, tokens, groups);
  const head = (rows: number): ProductTime => headProduct(parts, rows / groups);
  const layerSeconds = byCount((tokens) => layers(tokens).seconds);
  const headSeconds = byCount((rows) => head(rows).seconds);

  const others = (load: StepLoad): Omit<StepBreakdown, 'products' | 'productsBoundBy'> => {
    const tokens = load.decodeSequences + load.prefillTokens;
    const logitBytes = (LOGIT_PASSES * 4 * load.logitRows * d.model.vocabulary) / d.tensorParallel;
    return {
      attention: attention(load, groups),
      elementwise: ((tokens / groups) * elementwise + logitBytes) / d.gpu.bandwidth,
      communication: communicate(tokens),
      overhead: engine.perStep + perSequence * (load.decodeSequences + load.prefillSequences),
    };
  };

  return {
    perRequest: streaming ? engine.perRequest : 0,
    breakdown(load) {
      const inLayers = layers(load.decodeSequences + load.prefillTokens);
      const atHead = head(load.logitRows);
      return {
        products: inLayers.seconds + atHead.seconds,
        ...others(load),
        productsBoundBy: inLayers.memoryBound + atHead.memoryBound >= 0 ? 'memory' : 'compute',
      };
    },
    seconds(load) {
      const b = others(load);
      const products = layerSeconds(load.decodeSequences + load.prefillTokens) + headSeconds(load.logitRows);
      return products + b.attention + b.elementwise + b.communication + b.overhead;
    },
  };
}

/** Most counts whose products are remembered: beyond them are prompts too long for one step. */
const REMEMBERED = 16_384;

/** A positive function of a whole number, computed once for each; 0 stands for one that was not asked for yet. */
function byCount(compute: (count: number) => number): (count: number) => number {
  let known = new Float64Array(256);
  return (count) => {
    if (!(count < REMEMBERED && Number.isInteger(count))) return compute(count);
    if (count >= known.length) {
      const before = known;
      known = new Float64Array(Math.min(REMEMBERED, 2 * count));
      known.set(before);
    }
    if (known[count] === 0) known[count] = compute(count);
    return known[count]!;
  };
}

/** Time of matrix products, and by how much their memory takes longer than their arithmetic. */
interface ProductTime {
  readonly seconds: number;
  readonly memoryBound: number;
}

function denseTime({ engine }: Parts, p: Product, rows: number, floor: number): ProductTime {
  const bytes = p.n * p.k * p.rates.weightBytes + rows * (p.k * p.rates.activationBytes + p.n * 2);
  const memory = (engine.memory * bytes) / p.rates.bandwidth;
  const compute = (p.compute * 2 * rows * p.n * p.k) / p.rates.flops;
  return {
    seconds: p.times * (floor + roundedMax(memory, compute, p.rates.knee)),
    memoryBound: p.times * (memory - compute),
  };
}

function headProduct(parts: Parts, rows: number): ProductTime {
  return rows > 0 ? denseTime(parts, parts.head, rows, 0) : { seconds: 0, memoryBound: 0 };
}

function layerProducts(parts: Parts, tokens: number, groups: number): ProductTime {
  const { engine } = parts;
  let memoryBound = 0;
  let seconds = 0;
  for (const p of parts.products) {
    const time = denseTime(parts, p, tokens / groups, engine.floors * p.floor);
    seconds += time.seconds;
    memoryBound += time.memoryBound;
  }
  for (const m of parts.mixtures) {
    const met = expertsMet(m.shape.chances, tokens);
    const [memory, compute] = mixtureTimes(m.efficiency, m.rates, m.shape, tokens, met);
    memoryBound += m.layers * (memory - m.compute * compute);
    const { floor, perExpert, knee } = m.efficiency;
    seconds +=
      m.layers *
      (engine.mixtureFloors * (floor + perExpert * met) +
        roundedMax(engine.memory * memory, m.compute * compute, knee));
  }
  return { seconds, memoryBound };
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

/** Fits the kernels' constants of each GPU to measured times of matrix products, mixtures, attention and all-reduce. */
import { allReduceSeconds } from '../../src/simulating/cost/all-reduce.ts';
import {
  type AttentionShape,
  decodeAttentionSeconds,
  prefillAttentionSeconds,
} from '../../src/simulating/cost/attention.ts';
import type {
  AllReduceEfficiency,
  DecodeAttentionEfficiency,
  GemmEfficiency,
  KernelEfficiency,
  LatentEfficiency,
  MixtureEfficiency,
  PrefillAttentionEfficiency,
} from '../../src/simulating/cost/efficiency.ts';
import { gemmRates, gemmSeconds } from '../../src/simulating/cost/gemm.ts';
import {
  type LatentShape,
  latentDecodeSeconds,
  latentPrefillSeconds,
} from '../../src/simulating/cost/latent.ts';
import {
  expertsMet,
  type MixtureRates,
  mixtureSeconds,
  mixtureShape,
} from '../../src/simulating/cost/mixture.ts';
import { findGpu, type Gpu } from '../../src/simulating/hardware/gpu.ts';
import { PRECISIONS } from '../../src/simulating/hardware/precision.ts';
import { type Row, readTable } from './csv.ts';
import { minimise } from './minimise.ts';
import { FAMILIES, type Family } from './systems.ts';

/** No kernel exceeds this share of the data sheet's bandwidth; a fit that does has measured cache hits. */
const BANDWIDTH_CEILING = 0.93;

/** Nor does a product reach more than this share of the peak in its own format, whatever a noisy corner says. */
const COMPUTE_CEILING = 0.95;
const below = (ceiling: number, x: number | undefined): number => Math.min(x!, ceiling);

/** A measured time and a way to predict it from the constants under search. */
interface Sample<C> {
  readonly seconds: number;
  predict(constants: C): number;
}

interface Fitted<C> {
  readonly constants: C;
  /** Mean absolute relative error. */
  readonly error: number;
  readonly rows: number;
}

function fitConstants<C>(
  samples: readonly Sample<C>[],
  build: (x: readonly number[]) => C,
  start: readonly number[],
): Fitted<C> {
  const loss = (x: readonly number[]): number => {
    const constants = build(x);
    let sum = 0;
    for (const sample of samples) sum += Math.abs(Math.log(sample.predict(constants) / sample.seconds));
    return sum / samples.length;
  };
  const constants = build(minimise(loss, start, 900).x);
  const errors = samples.map((sample) => Math.abs(sample.predict(constants) / sample.seconds - 1));
  return { constants, error: errors.reduce((a, b) => a + b, 0) / errors.length, rows: samples.length };
}

const seconds = (row: Row): number => Number(row.us) / 1e6;

type Format = 'bfloat16' | 'fp8' | 'nvfp4';
const FORMATS = {
  bfloat16: { bytes: { weightBytes: 2, activationBytes: 2 }, arithmetic: 'bf16' },
  fp8: { bytes: { weightBytes: 1, activationBytes: 1 }, arithmetic: 'fp8' },
  nvfp4: { bytes: PRECISIONS.fp4, arithmetic: 'fp4' },
} as const;

function fitGemm(rows: readonly Row[], gpu: Gpu, dtype: Format): Fitted<GemmEfficiency> {
  const { bytes, arithmetic } = FORMATS[dtype];
  const peak = { bandwidth: gpu.bandwidth, flops: gpu.peak[arithmetic]! };
  const samples = rows
    .filter((r) => r.gemm_dtype === dtype)
    .map((r): Sample<GemmEfficiency> => {
      const [m, n, k] = [Number(r.m), Number(r.n), Number(r.k)];
      return {
        seconds: seconds(r),
        predict: (c) =>
          c.floor + (c.quantise * m * k) / gpu.bandwidth + gemmSeconds(gemmRates(c, peak, bytes), m, n, k),
      };
    });
  return fitConstants(
    samples,
    ([bandwidth, compute, floor, knee, quantise]) => ({
      bandwidth: Math.min(bandwidth!, BANDWIDTH_CEILING),
      compute: below(COMPUTE_CEILING, compute),
      floor: floor!,
      knee: Math.min(knee!, 6),
      quantise: dtype === 'bfloat16' ? 0 : quantise!,
    }),
    [0.8, 0.7, 4e-6, 4, 5],
  );
}

const MIXTURES = {
  bf16: { dtype: 'bfloat16', weightBytes: 2, activationBytes: 2, arithmetic: 'bf16' },
  fp8: { dtype: 'fp8', weightBytes: 1, activationBytes: 1, arithmetic: 'fp8' },
  w4: { dtype: 'mxfp4', weightBytes: 0.5 + 1 / 32, activationBytes: 2, arithmetic: 'bf16' },
  fp4: { dtype: 'nvfp4', weightBytes: 0.5 + 1 / 16, activationBytes: 0.5 + 1 / 16, arithmetic: 'fp4' },
} as const;
type MixtureKind = keyof typeof MIXTURES;

/** Null where nothing was measured. */
function fitMixture(rows: readonly Row[], gpu: Gpu, kind: MixtureKind): Fitted<MixtureEfficiency> | null {
  const { dtype, weightBytes, activationBytes, arithmetic } = MIXTURES[kind];
  const rates: MixtureRates = {
    bandwidth: gpu.bandwidth,
    flops: gpu.peak[arithmetic]!,
    weightBytes,
    activationBytes,
  };
  const samples = rows
    .filter((r) => r.moe_dtype === dtype)
    .map((r): Sample<MixtureEfficiency> => {
      const tokens = Number(r.num_tokens);
      const layer = {
        layers: 1,
        gated: true,
        shared: 0,
        width: Number(r.inter_size),
        experts: Number(r.num_experts),
        active: Number(r.topk),
      };
      const shape = mixtureShape(layer, Number(r.hidden_size), Number(r.moe_tp_size), false);
      const met = expertsMet(shape.chances, tokens);
      return { seconds: seconds(r), predict: (c) => mixtureSeconds(c, rates, shape, tokens, met) };
    });
  if (samples.length === 0) return null;
  return fitConstants(
    samples,
    ([bandwidth, compute, floor, knee, tile, narrow, perExpert]) => ({
      bandwidth: Math.min(bandwidth!, BANDWIDTH_CEILING),
      compute: below(COMPUTE_CEILING, compute),
      floor: floor!,
      knee: Math.min(knee!, 6),
      tile: tile!,
      narrow: narrow!,
      perExpert: perExpert!,
    }),
    [0.7, 0.6, 2e-5, 2, 32, 200, 2e-8],
  );
}

function attentionShape(r: Row): AttentionShape {
  return {
    heads: Number(r.num_heads),
    kvHeads: Number(r.num_key_value_heads),
    headDim: Number(r.head_dim),
    kvBytes: r.kv_cache_dtype === 'fp8' ? 1 : 2,
  };
}

function fitDecode(rows: readonly Row[], gpu: Gpu): Fitted<DecodeAttentionEfficiency> {
  const narrow = rows.some((r) => r.kv_cache_dtype === 'fp8');
  const share = (x: number): number => Math.min(x, BANDWIDTH_CEILING);
  const samples = rows.map((r): Sample<DecodeAttentionEfficiency> => {
    const sequences = Number(r.batch_size);
    const context = sequences * (Number(r.isl) + Number(r.step));
    const shape = attentionShape(r);
    return {
      seconds: seconds(r),
      predict: (c) => c.floor + decodeAttentionSeconds(c, gpu.bandwidth, shape, sequences, context),
    };
  });
  return fitConstants(
    samples,
    ([grouped1, grouped2, ungrouped1, ungrouped2, floor, mid, halfBytes, perSequenceHead]) => ({
      grouped: { 1: share(narrow ? grouped1! : grouped2!), 2: share(grouped2!) },
      ungrouped: { 1: share(narrow ? ungrouped1! : ungrouped2!), 2: share(ungrouped2!) },
      floor: floor!,
      mid: mid!,
      halfBytes: Math.min(halfBytes!, 2e7),
      perSequenceHead: perSequenceHead!,
    }),
    [0.85, 0.9, 0.7, 0.9, 8e-6, 1.5e-5, 5e6, 3e-9],
  );
}

function fitPrefill(rows: readonly Row[], gpu: Gpu): Fitted<PrefillAttentionEfficiency> {
  const samples = rows.map((r): Sample<PrefillAttentionEfficiency> => {
    const [batch, length] = [Number(r.batch_size), Number(r.isl)];
    const pairs = (batch * length * (length + 1)) / 2;
    const shape = attentionShape(r);
    return {
      seconds: seconds(r),
      predict: (c) => c.floor + prefillAttentionSeconds(c, gpu.peak.bf16!, shape, batch * length, pairs),
    };
  });
  return fitConstants(
    samples,
    ([one, two, floor, perTokenElement]) => ({
      compute: { 1: one!, 2: two! },
      floor: floor!,
      perTokenElement: perTokenElement!,
    }),
    [0.7, 0.5, 1.2e-5, 4e-12],
  );
}

/** DeepSeek's sizes, which the kernels were timed with. */
const LATENT = { rank: 512, rope: 64, nope: 128, value: 128 };

/** Null where nothing was measured. */
function fitLatent(rows: readonly Row[], gpu: Gpu): Fitted<LatentEfficiency> | null {
  const samples = rows.map((r): Sample<LatentEfficiency> => {
    const shape: LatentShape = {
      ...LATENT,
      heads: Number(r.num_heads),
      kvBytes: r.kv_cache_dtype === 'fp8' ? 1 : 2,
    };
    const batch = Number(r.batch_size);
    const context = batch * (Number(r.isl) + Number(r.step));
    const length = Number(r.isl);
    const pairs = (batch * length * (length + 1)) / 2;
    return {
      seconds: seconds(r),
      predict: (c) =>
        r.op_name === 'mla_generation'
          ? c.floor + latentDecodeSeconds(c, gpu.bandwidth, gpu.peak.bf16!, shape, context)
          : c.prefillFloor + latentPrefillSeconds(c, gpu.peak.bf16!, shape, pairs),
    };
  });
  if (samples.length === 0) return null;
  const share = (x: number): number => Math.min(x, BANDWIDTH_CEILING);
  return fitConstants(
    samples,
    ([band1, band2, decode1, decode2, floor, knee, prefill1, prefill2, prefillFloor]) => ({
      bandwidth: { 1: share(band1!), 2: share(band2!) },
      decode: { 1: below(2 * COMPUTE_CEILING, decode1), 2: below(COMPUTE_CEILING, decode2) },
      floor: floor!,
      knee: Math.min(knee!, 6),
      prefill: { 1: below(2 * COMPUTE_CEILING, prefill1), 2: below(COMPUTE_CEILING, prefill2) },
      prefillFloor: prefillFloor!,
    }),
    [0.7, 0.7, 0.5, 0.5, 1.2e-5, 2, 0.6, 0.5, 1.5e-5],
  );
}

function fitAllReduce(rows: readonly Row[], gpu: Gpu, gpus: 2 | 4 | 8): Fitted<AllReduceEfficiency> | null {
  const samples = rows
    .filter((r) => Number(r.num_gpus) === gpus)
    .map((r): Sample<AllReduceEfficiency> => {
      const bytes = Number(r.message_size) * 2;
      return {
        seconds: seconds(r),
        predict: (c) => c.floor + allReduceSeconds(c, gpu.linkBandwidth, gpus, bytes),
      };
    });
  if (samples.length === 0) return null;
  return fitConstants(
    samples,
    ([floor, mid, halfBytes, bandwidth]) => ({
      floor: floor!,
      mid: mid!,
      halfBytes: halfBytes!,
      bandwidth: bandwidth!,
    }),
    [3e-6, 2e-5, 1e6, 0.7],
  );
}

export interface KernelFit {
  readonly family: Family;
  readonly kernels: KernelEfficiency;
  /** Kernel name → mean absolute relative error and rows. */
  readonly quality: Readonly<Record<string, { readonly error: number; readonly rows: number }>>;
}

/** What a family that was not measured borrows: latent attention of the H100 on the L40S. */
type Borrowed = Pick<KernelEfficiency, 'latent'>;

export function fitKernels(): readonly KernelFit[] {
  const names = ['gemm', 'moe', 'decode', 'prefill', 'latent', 'all-reduce'] as const;
  const tables = Object.fromEntries(names.map((name) => [name, readTable(name)]));
  const fits: KernelFit[] = [];
  for (const family of FAMILIES) {
    const here = (name: (typeof names)[number]): readonly Row[] =>
      tables[name]!.filter((r) => r.family === family);
    fits.push(fitFamily(family, here, fits[0]?.kernels));
  }
  return fits;
}

function fitFamily(
  family: Family,
  here: (name: 'gemm' | 'moe' | 'decode' | 'prefill' | 'latent' | 'all-reduce') => readonly Row[],
  borrowed: Borrowed | undefined,
): KernelFit {
  const gpu = findGpu(family);
  const bf16 = fitGemm(here('gemm'), gpu, 'bfloat16');
  const fp8 = gpu.peak.fp8 ? fitGemm(here('gemm'), gpu, 'fp8') : bf16;
  const fp4 = gpu.peak.fp4 ? fitGemm(here('gemm'), gpu, 'nvfp4') : fp8;
  const wide = fitMixture(here('moe'), gpu, 'bf16')!;
  const mixture = (kind: MixtureKind): Fitted<MixtureEfficiency> =>
    (gpu.peak[MIXTURES[kind].arithmetic] ? fitMixture(here('moe'), gpu, kind) : null) ?? wide;
  const mixtures = { bf16: wide, fp8: mixture('fp8'), w4: mixture('w4'), fp4: mixture('fp4') };
  const decode = fitDecode(here('decode'), gpu);
  const prefill = fitPrefill(here('prefill'), gpu);
  const latent = fitLatent(here('latent'), gpu);
  const [two, four, eight] = ([2, 4, 8] as const).map((n) => fitAllReduce(here('all-reduce'), gpu, n));
  const kernels: KernelEfficiency = {
    gemm: { bf16: bf16.constants, fp8: fp8.constants, fp4: fp4.constants },
    mixture: {
      bf16: wide.constants,
      fp8: mixtures.fp8.constants,
      w4: mixtures.w4.constants,
      fp4: mixtures.fp4.constants,
    },
    latent: latent?.constants ?? borrowed!.latent,
    decodeAttention: decode.constants,
    prefillAttention: prefill.constants,
    // GB200 was measured over two and four GPUs: a tray has four.
    allReduce: { 2: two!.constants, 4: four!.constants, 8: (eight ?? four)!.constants },
  };
  const named: Readonly<Record<string, Fitted<unknown> | null | undefined>> = {
    bf16,
    fp8: fp8 === bf16 ? null : fp8,
    fp4: fp4 === fp8 ? null : fp4,
    ...Object.fromEntries(
      Object.entries(mixtures).map(([kind, fit]) => [
        `mixture ${kind}`,
        kind !== 'bf16' && fit === wide ? null : fit,
      ]),
    ),
    decode,
    prefill,
    latent,
    'all-reduce 2': two,
    'all-reduce 4': four,
    'all-reduce 8': eight,
  };
  const quality = Object.fromEntries(
    Object.entries(named).flatMap(([name, fit]) =>
      fit ? [[name, { error: fit.error, rows: fit.rows }]] : [],
    ),
  );
  return { family, kernels, quality };
}

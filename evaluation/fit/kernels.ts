/** Fits each GPU's kernel constants to AIConfigurator's measured times of matrix products, attention and all-reduce. */
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
  PrefillAttentionEfficiency,
} from '../../src/simulating/cost/efficiency.ts';
import { gemmRates, gemmSeconds } from '../../src/simulating/cost/gemm.ts';
import { findGpu, type Gpu } from '../../src/simulating/hardware/gpu.ts';
import { type Row, readTable } from './csv.ts';
import { minimise } from './minimise.ts';

export const FAMILIES = ['h100', 'h200', 'a100', 'l40s', 'b200'] as const;
export type Family = (typeof FAMILIES)[number];

const SYSTEM: Readonly<Record<Family, string>> = {
  h100: 'h100_sxm',
  h200: 'h200_sxm',
  a100: 'a100_sxm',
  l40s: 'l40s',
  b200: 'b200_sxm',
};

/** No kernel exceeds this share of the data sheet's bandwidth; a fit that does has measured cache hits. */
const BANDWIDTH_CEILING = 0.93;

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

/** A subset of rows is enough for three or four constants, and keeps a fit within seconds. */
function thin<T>(rows: readonly T[], most: number): readonly T[] {
  const step = Math.max(1, Math.ceil(rows.length / most));
  return rows.filter((_, i) => i % step === 0);
}

function fitGemm(rows: readonly Row[], gpu: Gpu, dtype: 'bfloat16' | 'fp8'): Fitted<GemmEfficiency> {
  const bytes = dtype === 'fp8' ? 1 : 2;
  const flops = (dtype === 'fp8' ? gpu.peak.fp8 : gpu.peak.bf16)!;
  // Only shapes that serving uses: huge products (vocabulary-sized on both sides) and 16k rows would distort the fit.
  const usable = rows.filter(
    (r) => r.dtype === dtype && Number(r.m) <= 8192 && Number(r.n) * Number(r.k) < 4e8,
  );
  const samples = thin(usable, 1500).map((r): Sample<GemmEfficiency> => {
    const [m, n, k] = [Number(r.m), Number(r.n), Number(r.k)];
    return {
      seconds: Number(r.latency_ms) / 1000,
      predict: (c) =>
        c.floor +
        (c.quantise * m * k) / gpu.bandwidth +
        gemmSeconds(
          gemmRates(c, { bandwidth: gpu.bandwidth, flops }, { weightBytes: bytes, activationBytes: bytes }),
          m,
          n,
          k,
        ),
    };
  });
  return fitConstants(
    samples,
    ([bandwidth, compute, floor, knee, quantise]) => ({
      bandwidth: bandwidth!,
      compute: compute!,
      floor: floor!,
      knee: knee!,
      quantise: bytes === 1 ? quantise! : 0,
    }),
    [0.8, 0.7, 4e-6, 4, 5],
  );
}

function attentionShape(r: Row): AttentionShape {
  return {
    heads: Number(r.num_heads_per_gpu),
    kvHeads: Number(r.num_kv_heads_per_gpu),
    headDim: 128,
    kvBytes: r.kv_dtype === 'fp8' ? 1 : 2,
  };
}

function fitDecode(rows: readonly Row[], gpu: Gpu): Fitted<DecodeAttentionEfficiency> {
  const narrow = rows.some((r) => r.kv_dtype === 'fp8');
  const share = (x: number): number => Math.min(x, BANDWIDTH_CEILING);
  const usable = rows.filter((r) => r.phase === 'generation' && Number(r.step) < 32768);
  const samples = thin(usable, 1500).map((r): Sample<DecodeAttentionEfficiency> => {
    const sequences = Number(r.batch_size);
    const context = sequences * (Number(r.isl) + Number(r.step));
    const shape = attentionShape(r);
    return {
      seconds: Number(r.latency_ms) / 1000,
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
  // An FP8 cache is served with FP8 attention; a 16-bit one with 16-bit.
  const usable = rows.filter((r) => r.phase === 'context' && r.attn_dtype === r.kv_dtype);
  const samples = thin(usable, 1500).map((r): Sample<PrefillAttentionEfficiency> => {
    const [batch, length] = [Number(r.batch_size), Number(r.isl)];
    const shape = attentionShape(r);
    return {
      seconds: Number(r.latency_ms) / 1000,
      predict: (c) =>
        c.floor +
        prefillAttentionSeconds(
          c,
          gpu.peak.bf16!,
          shape,
          batch * length,
          (batch * length * (length + 1)) / 2,
        ),
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

function fitAllReduce(rows: readonly Row[], gpu: Gpu, gpus: 2 | 4 | 8): Fitted<AllReduceEfficiency> {
  const samples = rows
    .filter((r) => Number(r.num_gpus) === gpus)
    .map((r): Sample<AllReduceEfficiency> => {
      const bytes = Number(r.message_size) * 2;
      return {
        seconds: Number(r.latency_ms) / 1000,
        predict: (c) => c.floor + allReduceSeconds(c, gpu.linkBandwidth, gpus, bytes),
      };
    });
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

/** @param folder the calibration folder */
export function fitKernels(folder: string): readonly KernelFit[] {
  const gemm = readTable(`${folder}/aic_gemm_grid.csv`);
  const attention = readTable(`${folder}/aic_attention_llama.csv`);
  const reduce = readTable(`${folder}/aic_allreduce.csv`);
  return FAMILIES.map((family) => {
    const gpu = findGpu(family);
    const here = (rows: readonly Row[]): readonly Row[] => rows.filter((r) => r.system === SYSTEM[family]);
    const bf16 = fitGemm(here(gemm), gpu, 'bfloat16');
    const fp8 = gpu.peak.fp8 ? fitGemm(here(gemm), gpu, 'fp8') : bf16;
    const decode = fitDecode(here(attention), gpu);
    const prefill = fitPrefill(here(attention), gpu);
    const [two, four, eight] = ([2, 4, 8] as const).map((n) => fitAllReduce(here(reduce), gpu, n));
    const kernels: KernelEfficiency = {
      gemm: { bf16: bf16.constants, fp8: fp8.constants },
      decodeAttention: decode.constants,
      prefillAttention: prefill.constants,
      allReduce: { 2: two!.constants, 4: four!.constants, 8: eight!.constants },
    };
    const named = {
      bf16,
      fp8,
      decode,
      prefill,
      'all-reduce 2': two!,
      'all-reduce 4': four!,
      'all-reduce 8': eight!,
    };
    const quality = Object.fromEntries(
      Object.entries(named).map(([name, { error, rows }]) => [name, { error, rows }]),
    );
    return { family, kernels, quality };
  });
}

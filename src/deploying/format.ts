/** The ways of serving, and number formats by way: the quantiser's name for each, and the cache's format. */
import { UserError } from '../core/errors.ts';
import type { Gpu } from '../simulating/hardware/gpu.ts';
import {
  findPrecision,
  PRECISIONS,
  type Precision,
  type PrecisionName,
  supports,
} from '../simulating/hardware/precision.ts';

export const SERVE_MODES = ['trtllm-serve', 'triton', 'legacy'] as const;

/**
 * `trtllm-serve`: OpenAI's API by TensorRT-LLM itself; `triton`: Triton with TensorRT-LLM's `llmapi` model; `legacy`:
 * Triton with compiled engines, which TensorRT-LLM has up to 1.2.
 */
export type ServeMode = (typeof SERVE_MODES)[number];

export interface EngineFormat {
  /** With the cache's bytes as served. */
  readonly precision: Precision;
  /** The quantiser's `--qformat`; null if the checkpoint is served as published. */
  readonly quantise: string | null;
  /** Number format of the cache; `auto` follows the checkpoint. */
  readonly kvCache: 'fp8' | 'int8' | 'auto';
  /** Number format of unquantised tensors; `auto` follows the checkpoint. */
  readonly dtype: 'float16' | 'bfloat16' | 'auto';
}

/** `--qformat` of Model-Optimizer's `examples/hf_ptq/hf_ptq.py`, whose export trtllm-serve and llmapi read. */
const HUGGING_FACE: Readonly<Partial<Record<PrecisionName, string | null>>> = {
  fp16: null,
  bf16: null,
  fp8: 'fp8',
  fp4: 'nvfp4',
  int4: 'int4_awq',
};

/** `--qformat` of TensorRT-LLM's `examples/quantization/quantize.py` up to 1.2, whose checkpoints `trtllm-build` reads. */
const LEGACY: Readonly<Record<Exclude<PrecisionName, 'mxfp4'>, string>> = {
  fp16: 'full_prec',
  bf16: 'full_prec',
  fp8: 'fp8',
  fp4: 'nvfp4',
  int4: 'int4_awq',
  int8: 'int8_sq',
};

const DTYPES: Readonly<Partial<Record<PrecisionName, EngineFormat['dtype']>>> = {
  fp16: 'float16',
  bf16: 'bfloat16',
};

export const KV_CACHES = ['fp8', '16bit'] as const;

export interface FormatChoice {
  /** A precision's name; FP8 where the GPU has it, else BF16, when absent. */
  readonly precision?: string | undefined;
  /** The precision's own when absent. */
  readonly kvCache?: (typeof KV_CACHES)[number] | undefined;
  /** The checkpoint is quantised already. */
  readonly quantized: boolean;
}

/** @throws {UserError} for a format that this GPU or way of serving does not support, naming an alternative */
export function engineFormat(gpu: Gpu, serve: ServeMode, choice: FormatChoice): EngineFormat {
  const precision = precisionOn(gpu, choice.precision);
  const sixteen = choice.kvCache === '16bit';
  const bytes = choice.kvCache === undefined ? precision.kvBytes : sixteen ? 2 : 1;
  const own = precision.name === 'int8' ? 'int8' : 'fp8';
  return {
    precision: { ...precision, kvBytes: bytes },
    quantise: qformat(precision.name, serve, choice.quantized),
    kvCache: bytes === 2 ? 'auto' : (choice.kvCache === 'fp8' && 'fp8') || own,
    dtype: choice.quantized ? 'auto' : (DTYPES[precision.name] ?? 'auto'),
  };
}

function precisionOn(gpu: Gpu, name: string | undefined): Precision {
  const wanted = (name ?? (gpu.peak.fp8 ? 'fp8' : 'bf16')).toLowerCase().replace('nvfp4', 'fp4');
  if (wanted === 'fp8' && !supports(gpu, PRECISIONS.fp8))
    throw new UserError(
      `--precision: ${gpu.label} has no FP8 arithmetic; Ada, Hopper and Blackwell do. It can use an 8-bit ` +
        'cache with 16-bit weights: --precision bf16 --kv-cache fp8.',
    );
  if (wanted === 'fp4' && !supports(gpu, PRECISIONS.fp4))
    throw new UserError(
      `--precision: ${gpu.label} has no FP4 arithmetic; Blackwell does (--gpu b200). On this GPU, use ` +
        `--precision ${gpu.peak.fp8 ? 'fp8' : 'int4'}.`,
    );
  return findPrecision(wanted, gpu);
}

function qformat(name: PrecisionName, serve: ServeMode, quantized: boolean): string | null {
  if (name === 'mxfp4') {
    if (quantized && serve !== 'legacy') return null;
    throw new UserError(
      '--precision: mxfp4 is a format that checkpoints are published in (gpt-oss), served as it is: add --quantized and do not compile.',
    );
  }
  if (serve === 'legacy') {
    if (quantized)
      throw new UserError(
        '--quantized: compiled engines are built from the published 16-bit model; leave it out, or serve the ' +
          'quantised checkpoint with --serve trtllm-serve.',
      );
    return LEGACY[name];
  }
  if (quantized) return null;
  const found = HUGGING_FACE[name];
  if (found !== undefined) return found;
  throw new UserError(
    `--precision: ${name} needs a compiled engine (--serve legacy); ${serve} serves ${Object.keys(HUGGING_FACE).join(', ')}.`,
  );
}

/** Number formats a model can be served in: bytes of weights and cache, and the arithmetic that multiplies them. */
import { UserError } from '../../core/errors.ts';
import type { TransformerShape } from '../model/shape.ts';
import { nearest } from '../unknown-name.ts';
import type { Arithmetic, Gpu } from './gpu.ts';

export type PrecisionName = 'fp16' | 'bf16' | 'fp8' | 'int8' | 'int4' | 'fp4' | 'mxfp4';

/** How one part of a layer is stored and multiplied. */
export interface WeightFormat {
  /** Bytes a weight takes, scales included. */
  readonly weightBytes: number;
  readonly activationBytes: number;
  readonly arithmetic: Arithmetic;
}

/** The format of feed-forward weights, and where it differs that of attention; embedding and head stay in 16 bit. */
export interface Precision extends WeightFormat {
  readonly name: PrecisionName;
  readonly attention?: WeightFormat;
  /** Bytes of a cache element. */
  readonly kvBytes: 1 | 2;
}

const SIXTEEN = { weightBytes: 2, activationBytes: 2, arithmetic: 'bf16' } as const;

export const PRECISIONS: Readonly<Record<PrecisionName, Precision>> = {
  fp16: { name: 'fp16', ...SIXTEEN, kvBytes: 2 },
  bf16: { name: 'bf16', ...SIXTEEN, kvBytes: 2 },
  /** W8A8 with an FP8 cache, as NVIDIA's published FP8 checkpoints run. */
  fp8: { name: 'fp8', weightBytes: 1, activationBytes: 1, arithmetic: 'fp8', kvBytes: 1 },
  /** SmoothQuant-like W8A8 with an INT8 cache (Xiao et al., 2023). */
  int8: { name: 'int8', weightBytes: 1, activationBytes: 1, arithmetic: 'int8', kvBytes: 1 },
  /** AWQ/GPTQ: 4-bit weights with a 16-bit scale per 128, multiplied in 16 bit, 16-bit cache. */
  int4: { name: 'int4', ...SIXTEEN, weightBytes: 0.5 + 2 / 128, kvBytes: 2 },
  /** NVFP4: 4 bits and an FP8 scale per 16 weights, FP8 cache. */
  fp4: {
    name: 'fp4',
    weightBytes: 0.5 + 1 / 16,
    activationBytes: 0.5 + 1 / 16,
    arithmetic: 'fp4',
    kvBytes: 1,
  },
  /** MXFP4 of gpt-oss: experts in 4 bits with an 8-bit scale per 32, multiplied in 16 bit; attention in 16 bit. */
  mxfp4: { name: 'mxfp4', ...SIXTEEN, weightBytes: 0.5 + 1 / 32, attention: SIXTEEN, kvBytes: 2 },
};

export const PRECISION_NAMES = Object.keys(PRECISIONS) as readonly PrecisionName[];

/** Whether the GPU's tensor cores multiply in the precision's format. */
export function supports(gpu: Gpu, precision: Precision): boolean {
  return gpu.peak[precision.arithmetic] !== undefined;
}

/** What checkpoints call these formats, too. */
const OTHER_NAMES: Readonly<Record<string, PrecisionName>> = { nvfp4: 'fp4', awq: 'int4', gptq: 'int4' };

/** @throws {UserError} for an unknown one */
export function precisionNamed(name: string): Precision {
  const plain = name.toLowerCase();
  const precision = PRECISIONS[OTHER_NAMES[plain] ?? (plain as PrecisionName)];
  if (precision) return precision;
  throw new UserError(`precision: "${name}" is not known.${nearest(plain, PRECISION_NAMES)}`);
}

/** @throws {UserError} for an unknown precision, or one this GPU has no units for, with the nearest that it has. */
export function findPrecision(name: string, gpu: Gpu): Precision {
  const precision = precisionNamed(name);
  if (supports(gpu, precision)) return precision;
  const possible = PRECISION_NAMES.map((other) => PRECISIONS[other]).filter((other) => supports(gpu, other));
  const apart = (other: Precision): number => Math.abs(other.weightBytes - precision.weightBytes);
  // MXFP4 is how gpt-oss is published; other models are not to be had in it.
  const near = possible
    .filter(({ name }) => name !== 'mxfp4')
    .reduce((a, b) => (apart(b) < apart(a) ? b : a));
  throw new UserError(
    `precision: ${gpu.label} has no ${precision.arithmetic.toUpperCase()} units; it can run ` +
      `${possible.map((other) => other.name).join(', ')}. The nearest is ${near.name}.`,
  );
}

/** The precision as a checkpoint of this model has it: some leave attention in 16 bit. */
export function precisionOf(model: TransformerShape, precision: Precision): Precision {
  const { published } = model;
  const wide = published?.feedForwardOnly && published.precision === precision.name;
  return wide ? { ...precision, attention: SIXTEEN } : precision;
}

/** What to serve in when nobody says: the published format where the GPU has it, else FP8, else 16 bit. */
export function defaultPrecision(model: TransformerShape, gpu: Gpu): Precision {
  const published = PRECISIONS[(model.published?.precision ?? '') as PrecisionName];
  if (published && supports(gpu, published)) return precisionOf(model, published);
  return supports(gpu, PRECISIONS.fp8) ? PRECISIONS.fp8 : PRECISIONS.bf16;
}

/**
 * One replica's make-up: which model, on which GPUs, in which precision, split how, run by which engine.
 * It checks that the parts go together.
 */
import { UserError } from '../core/errors.ts';
import type { EngineName } from './cost/efficiency.ts';
import type { MeasuredConstants } from './cost/measured.ts';
import { findGpu, type Gpu } from './hardware/gpu.ts';
import { findPrecision, type Precision, precisionOf } from './hardware/precision.ts';
import { findModel } from './model/catalog.ts';
import type { Split, TransformerShape } from './model/shape.ts';

export type TensorParallel = 1 | 2 | 4 | 8;

export interface Deployment {
  readonly model: TransformerShape;
  readonly gpu: Gpu;
  readonly precision: Precision;
  readonly tensorParallel: TensorParallel;
  readonly engine: EngineName;
  /** Experts dealt out whole, attention replicated: see `Split`. Both only for mixtures of experts. */
  readonly expertParallel?: boolean;
  readonly attentionData?: boolean;
  /** Times as its owner measured them; they go before all others. */
  readonly measured?: MeasuredConstants;
}

export interface DeploymentNames {
  /** A built-in name, or a shape read from a file. */
  readonly model: string | TransformerShape;
  readonly gpu: string;
  readonly precision: string;
  readonly tensorParallel?: number;
  readonly engine?: string;
  /** Bytes of a cache element, where they are not the precision's own. */
  readonly kvBytes?: 1 | 2;
  readonly expertParallel?: boolean;
  readonly attentionData?: boolean;
}

export const ENGINES: readonly EngineName[] = [
  'tensorrt-llm',
  'tensorrt-llm-0.14',
  'tensorrt-llm-0.10',
  'vllm',
  'sglang',
];

export function runsOn(engine: EngineName, gpu: Gpu): boolean {
  return gpu.vendor !== 'amd' || !engine.startsWith('tensorrt');
}

/** @throws {UserError} naming the part that is unknown or does not fit the others. */
export function deployment(names: DeploymentNames): Deployment {
  const model = typeof names.model === 'string' ? findModel(names.model) : names.model;
  const gpu = findGpu(names.gpu);
  const engine = names.engine ?? 'tensorrt-llm';
  if (!ENGINES.includes(engine as EngineName))
    throw new UserError(`engine: "${engine}" is not known. Known: ${ENGINES.join(', ')}.`);
  if (!runsOn(engine as EngineName, gpu))
    throw new UserError(`engine: TensorRT-LLM runs on NVIDIA's GPUs alone, not on ${gpu.label}; vllm does.`);
  const precision = precisionOf(model, findPrecision(names.precision, gpu));
  const { expertParallel, attentionData } = names;
  if ((expertParallel || attentionData) && !model.feedForward.some(({ experts }) => experts > 1))
    throw new UserError(
      `${expertParallel ? 'expert_parallel' : 'attention_data_parallel'}: ${model.name} is no mixture of experts; leave it out.`,
    );
  return {
    model,
    gpu,
    precision: names.kvBytes ? { ...precision, kvBytes: names.kvBytes } : precision,
    tensorParallel: checkedTensorParallel(model, names.tensorParallel ?? 1, expertParallel),
    engine: engine as EngineName,
    ...(expertParallel ? { expertParallel } : {}),
    ...(attentionData ? { attentionData } : {}),
  };
}

/** How a deployment's layers are shared out. */
export function splitOf({ tensorParallel, expertParallel, attentionData }: Deployment): Split {
  return {
    degree: tensorParallel,
    ...(expertParallel ? { expertParallel } : {}),
    ...(attentionData ? { attentionData } : {}),
  };
}

/** The degrees this model can be split into: heads, and feed-forward width or experts, must divide evenly. */
export function possibleDegrees(model: TransformerShape, expertParallel = false): readonly TensorParallel[] {
  const whole = (tp: number): boolean =>
    model.attention.every(({ heads }) => heads % tp === 0) &&
    model.feedForward.every(
      ({ width, experts }) => (expertParallel && experts > 1 ? experts : width) % tp === 0,
    );
  return ([1, 2, 4, 8] as const).filter(whole);
}

function checkedTensorParallel(
  model: TransformerShape,
  degree: number,
  expertParallel = false,
): TensorParallel {
  const possible = possibleDegrees(model, expertParallel);
  const found = possible.find((tp) => tp === degree);
  if (found) return found;
  const heads = Math.max(...model.attention.map((a) => a.heads));
  const near = possible.reduce((a, b) => (Math.abs(b - degree) < Math.abs(a - degree) ? b : a));
  throw new UserError(
    `tensor-parallel: ${model.name} (${heads} heads) cannot be split over ${degree} GPUs; possible: ${possible.join(', ')}. ` +
      `The nearest that works is ${near}.`,
  );
}

/** `llama-3.1-8b fp8, 1 x h100`: how tables and messages call a deployment. */
export function describeDeployment(d: Deployment): string {
  const split = `${d.expertParallel ? ', experts dealt out' : ''}${d.attentionData ? ', attention replicated' : ''}`;
  const own = d.measured ? ', as calibrated' : '';
  return `${d.model.name} ${d.precision.name}, ${d.tensorParallel} x ${d.gpu.name}${split}${own}`;
}

/**
 * One replica's make-up: which model, on which GPUs, in which precision, split how, run by which engine.
 * It checks that the parts go together, and knows nothing of time or memory.
 */
import { UserError } from '../core/errors.ts';
import type { EngineName } from './cost/efficiency.ts';
import { findGpu, type Gpu } from './hardware/gpu.ts';
import { findPrecision, type Precision } from './hardware/precision.ts';
import { findModel } from './model/catalog.ts';
import type { TransformerShape } from './model/shape.ts';

export type TensorParallel = 1 | 2 | 4 | 8;

export interface Deployment {
  readonly model: TransformerShape;
  readonly gpu: Gpu;
  readonly precision: Precision;
  readonly tensorParallel: TensorParallel;
  readonly engine: EngineName;
}

export interface DeploymentNames {
  /** A built-in name, or a shape read from a file. */
  readonly model: string | TransformerShape;
  readonly gpu: string;
  readonly precision: string;
  readonly tensorParallel?: number;
  readonly engine?: string;
}

export const ENGINES: readonly EngineName[] = [
  'tensorrt-llm',
  'tensorrt-llm-0.14',
  'tensorrt-llm-0.10',
  'vllm',
  'sglang',
];

/** @throws {UserError} naming the part that is unknown or does not fit the others. */
export function deployment(names: DeploymentNames): Deployment {
  const model = typeof names.model === 'string' ? findModel(names.model) : names.model;
  const gpu = findGpu(names.gpu);
  const engine = names.engine ?? 'tensorrt-llm';
  if (!ENGINES.includes(engine as EngineName))
    throw new UserError(`engine: "${engine}" is not known. Known: ${ENGINES.join(', ')}.`);
  return {
    model,
    gpu,
    precision: findPrecision(names.precision, gpu),
    tensorParallel: checkedTensorParallel(model, names.tensorParallel ?? 1),
    engine: engine as EngineName,
  };
}

/** The degrees this model can be split into: heads and feed-forward width must divide evenly. */
export function possibleDegrees(model: TransformerShape): readonly TensorParallel[] {
  return ([1, 2, 4, 8] as const).filter((tp) => model.heads % tp === 0 && model.intermediate % tp === 0);
}

function checkedTensorParallel(model: TransformerShape, degree: number): TensorParallel {
  const possible = possibleDegrees(model);
  const found = possible.find((tp) => tp === degree);
  if (found) return found;
  throw new UserError(
    `tensor-parallel: ${model.name} (${model.heads} heads, feed-forward width ${model.intermediate}) cannot be split ` +
      `over ${degree} GPUs; possible: ${possible.join(', ')}.`,
  );
}

/** `llama-3.1-8b fp8, 1 x h100`: how tables and messages call a deployment. */
export function describeDeployment(d: Deployment): string {
  return `${d.model.name} ${d.precision.name}, ${d.tensorParallel} x ${d.gpu.name}`;
}

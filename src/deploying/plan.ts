/** What is served where: experts, models, GPUs, ports and folders. Every GPU and every port is used at most once. */
import { UserError } from '../core/errors.ts';
import type { EngineFormat, ServeMode } from './format.ts';
import type { EngineSize } from './size.ts';

export interface ServedModel {
  /** A Hugging Face repository, or the absolute path of a folder. */
  readonly source: string;
  readonly local: boolean;
  /** Folder of the served checkpoint, and the name that trtllm-serve announces. */
  readonly name: string;
  readonly size: EngineSize;
}

/** Ports on the host; only Triton has others than `http`. */
export interface Ports {
  readonly http: number;
  readonly grpc?: number;
  readonly metrics?: number;
}

export interface EngineExpert {
  readonly id: string;
  readonly model: ServedModel;
  /** Indices of its GPUs. */
  readonly gpus: readonly number[];
  readonly ports: Ports;
}

export interface EnginePlan {
  readonly serve: ServeMode;
  readonly format: EngineFormat;
  readonly images: Images;
  /** Each model once, however many experts serve it. */
  readonly models: readonly ServedModel[];
  readonly experts: readonly EngineExpert[];
}

/** Container images and sources; each can be set on the command line. */
export interface Images {
  /** Image that compose starts. */
  readonly serve: string;
  /** Image in which models are quantised. */
  readonly quantise: string;
  /** Tag of TensorRT-LLM's repository that matches the Triton image; its Triton models are taken from there. */
  readonly tag: string;
}

const TENSORRT_LLM_IMAGE = 'nvcr.io/nvidia/tensorrt-llm/release:1.2.0';
/**
 * Holds TensorRT-LLM 1.2.1 by Triton's compatibility table (`docs/introduction/compatibility.md`), engines included.
 */
const TRITON_IMAGE = 'nvcr.io/nvidia/tritonserver:26.07-trtllm-python-py3';

export const DEFAULT_IMAGES: Readonly<Record<ServeMode, Images>> = {
  'trtllm-serve': { serve: TENSORRT_LLM_IMAGE, quantise: TENSORRT_LLM_IMAGE, tag: 'v1.2.0' },
  triton: { serve: TRITON_IMAGE, quantise: TENSORRT_LLM_IMAGE, tag: 'v1.2.1' },
  // An engine runs only in the image it was built in.
  legacy: { serve: TRITON_IMAGE, quantise: TRITON_IMAGE, tag: 'v1.2.1' },
};

/** The default first port, and the distance between experts. */
const PORTS: Readonly<Record<ServeMode, { readonly first: number; readonly step: number }>> = {
  'trtllm-serve': { first: 8000, step: 1 },
  triton: { first: 8100, step: 10 },
  legacy: { first: 8100, step: 10 },
};

/** Where the router listens unless its config says otherwise. */
const ROUTER_PORT = 8080;

export interface Layout {
  readonly serve: ServeMode;
  readonly tensorParallel: number;
  /** Number of GPUs in the machine. */
  readonly gpus: number;
  readonly firstPort?: number | undefined;
}

/** @throws {UserError} when there are too few GPUs or ports */
export function layOut(
  experts: readonly Pick<EngineExpert, 'id' | 'model'>[],
  layout: Layout,
): readonly EngineExpert[] {
  const { serve, tensorParallel, gpus } = layout;
  const needed = experts.length * tensorParallel;
  if (needed > gpus)
    throw new UserError(
      `--experts: ${experts.length} experts on ${tensorParallel} ${tensorParallel === 1 ? 'GPU' : 'GPUs'} each need ` +
        `${needed}, but --gpus is ${gpus}; use ${Math.floor(gpus / tensorParallel)} experts or more GPUs.`,
    );
  const { step, first } = PORTS[serve];
  const from = layout.firstPort ?? first;
  const placed = experts.map((expert, i) => ({
    ...expert,
    gpus: Array.from({ length: tensorParallel }, (_, k) => i * tensorParallel + k),
    ports: portsFrom(from + i * step, serve),
  }));
  requirePorts(placed.flatMap(({ ports }) => Object.values(ports) as number[]));
  return placed;
}

function portsFrom(http: number, serve: ServeMode): Ports {
  return serve === 'trtllm-serve' ? { http } : { http, grpc: http + 1, metrics: http + 2 };
}

function requirePorts(ports: readonly number[]): void {
  if (ports.some((port) => port < 1)) throw new UserError('--port: must be at least 1.');
  const beyond = ports.find((port) => port > 65_535);
  if (beyond !== undefined)
    throw new UserError(`--port: the experts' ports go up to ${beyond}; 65535 is the last.`);
  if (ports.includes(ROUTER_PORT))
    throw new UserError(
      `--port: the experts' ports would include ${ROUTER_PORT}, where the router listens; choose another first port.`,
    );
}

/** A checkpoint inside a serving container; its last part is the name trtllm-serve announces. */
export const checkpointInside = (model: ServedModel): string => `/checkpoints/${model.name}`;

/** Where a serving container mounts what `container/build.sh` built from a model. */
export const BUILT_INSIDE = '/built';

/** Whether a model is served from the user's own folder, without preparation. */
export function servedInPlace(plan: EnginePlan, model: ServedModel): boolean {
  return model.local && plan.serve !== 'legacy' && plan.format.quantise === null;
}

/** What a serving container mounts as the model: a path of the host, relative to the folder or absolute. */
export function modelOnHost(plan: EnginePlan, model: ServedModel): string {
  if (servedInPlace(plan, model)) return model.source;
  return `./${plan.serve === 'legacy' ? 'built' : 'checkpoints'}/${model.name}`;
}

/** The host's path of the tokenizer and chat template for the router's config, relative to the folder. */
export function tokenizerOnHost(plan: EnginePlan, model: ServedModel): string {
  const folder = modelOnHost(plan, model);
  return plan.serve === 'legacy' ? `${folder}/tokenizer` : folder;
}

/** A plan as JSON: printed by `--json` and stored as `plan.json`. Field names are part of the interface. */
import type { PlanFigures } from '../simulating/planner/figures.ts';
import type { ServeMode } from './format.ts';
import type { EnginePlan } from './plan.ts';

export interface PlanSummary {
  readonly serve: ServeMode;
  readonly gpu: string;
  readonly precision: string;
  readonly kv_cache: string;
  readonly images: { readonly serve: string; readonly quantise: string; readonly tensorrt_llm_tag: string };
  readonly models: readonly ModelSummary[];
  readonly experts: readonly ExpertSummary[];
}

export interface ModelSummary {
  readonly name: string;
  readonly source: string;
  readonly limits: LimitsSummary;
  /** As in `expert-router plan --json`. */
  readonly figures: PlanFigures;
}

export interface LimitsSummary {
  readonly max_batch_size: number;
  readonly max_num_tokens: number;
  readonly max_seq_len: number;
  readonly kv_fraction: number;
}

export interface ExpertSummary {
  readonly id: string;
  readonly model: string;
  readonly gpus: readonly number[];
  readonly ports: { readonly http: number; readonly grpc?: number; readonly metrics?: number };
}

export function planSummary(plan: EnginePlan): PlanSummary {
  const { gpu } = plan.models[0]!.size.deployment;
  return {
    serve: plan.serve,
    gpu: gpu.name,
    precision: plan.format.precision.name,
    kv_cache: plan.format.kvCache,
    images: {
      serve: plan.images.serve,
      quantise: plan.images.quantise,
      tensorrt_llm_tag: plan.images.tag,
    },
    models: plan.models.map(({ name, source, size }) => ({
      name,
      source,
      limits: {
        max_batch_size: size.maxBatch,
        max_num_tokens: size.maxTokens,
        max_seq_len: size.maxSequence,
        kv_fraction: size.kvFraction,
      },
      figures: size.figures,
    })),
    experts: plan.experts.map(({ id, model, gpus, ports }) => ({ id, model: model.name, gpus, ports })),
  };
}
